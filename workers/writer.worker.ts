/**
 * The writing worker: base and tuned side by side, scores on the test part,
 * adapters in and out. Adapters and documents come from IndexedDB; nothing is
 * kept here but the loaded model and the last generator.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { DEFAULT_MAX_PROMPT_WORDS } from "../lib/data/examples";
import { toMessages } from "../lib/data/forms";
import { lastWords } from "../lib/data/words";
import { getAdapter, saveAdapter, saveReport } from "../lib/store/adapters";
import { listDocuments } from "../lib/store/documents";
import { getHand } from "../lib/store/hands";
import type { AdapterReport } from "../lib/store/types";
import { baseOfFile, openAdapter, packAdapter, zipPeft } from "../lib/train/adapter/file";
import { adapterToPeft } from "../lib/train/adapter/peft";
import type { AdapterInfo, LoraAdapter } from "../lib/train/adapter/types";
import { openExecution, planFor } from "../lib/train/execution/open";
import type { AdapterTensors } from "../lib/train/execution/types";
import { bannedSequences } from "../lib/train/generate/banned";
import { Generator } from "../lib/train/generate/generator";
import type { ReadyModel } from "../lib/train/model/embedded";
import type { OnProgress } from "../lib/train/model/manifest";
import type { OpenedDevice } from "../lib/train/runtime/device";
import { prepareData } from "../lib/train/sft/prepare";
import { defaultConfig } from "../lib/train/sft/recipes";
import { poolScore } from "../lib/train/sft/score";
import { scoreExamples } from "../lib/train/sft/trainer";
import { adapterTensors, fitAdapter, shapeKey, tokenizerFor, type FittedAdapter } from "./adapter-use";
import type { CompareRequest, GenerationEvent, WriterApi } from "./protocol";
import { device, type HeldModel, identify, isHere, openByHash } from "./resources";
import { registerTransferHandlers } from "./transfer";

const MAX_POSITIONS = 1024;
const EVALUATION_BATCH = 8;
/** Text is sent this often while it is written. */
const TEXT_MS = 60;

/** Counts calls of stop() and of compare(): a comparison goes on while its number is the newest. */
let generation = 0;
let kept: { key: string; model: ReadyModel; generator: Promise<Generator> } | null = null;
/** Ends when nothing that was asked for uses a generator any more. */
let writing: Promise<unknown> = Promise.resolve();

const baseOf = ({ entry, config }: ReadyModel) => ({ id: entry.id, name: entry.name, sha256: entry.sha256, config });

interface Opened extends FittedAdapter {
  model: HeldModel;
  info: AdapterInfo | null;
  name: string;
}

/** An adapter, and the model it was made for. @throws DuctusError `store/missing`, `model/gone`, and those of openAdapter */
async function openStored(adapterId: string, onProgress?: OnProgress): Promise<Opened> {
  const stored = await getAdapter(adapterId);
  if (!stored) throw new DuctusError("store/missing", "This adapter is no longer here.", "Choose another one, or train again.");
  const model = await openModel(stored.modelSha256, stored.modelId, onProgress);
  const opened = openAdapter(stored.file, baseOf(model));
  return { ...fitAdapter(model, opened), info: opened.info, model, name: stored.name };
}

/** As openByHash; a generator of another model is closed first, so that two models are never held at once. */
const openModel = (sha256: string, name: string, onProgress?: OnProgress): Promise<HeldModel> => openByHash(sha256, name, onProgress, closeGenerator);

/** The generator for adapters of a shape on a device; the one kept before is closed where another is wanted. */
function generatorFor(opened: OpenedDevice, model: ReadyModel, adapter: LoraAdapter): Promise<Generator> {
  const key = `${opened.report.kind} ${shapeKey(adapter)}`;
  if (kept?.key === key && kept.model === model) return kept.generator;
  const closed = closeGenerator();
  const generator = (async () => {
    await closed;
    // Base and tuned, in one batch.
    const { kind } = planFor(opened.backend, model, { batch: 2, seq: MAX_POSITIONS, otherCopies: 0 });
    return Generator.create(opened.backend, model.config, model.weights, adapter, MAX_POSITIONS, { execution: kind, tokens: adapter.tokens?.ids ?? [] });
  })();
  kept = { key, model, generator };
  const drop = () => forget(generator);
  generator.catch(drop);
  void opened.backend.lost.then(drop);
  return generator;
}

/** Whoever uses it still has been superseded, and stops before its next token. */
async function closeGenerator(): Promise<void> {
  const before = kept?.generator;
  kept = null;
  await writing;
  await before?.then((old) => old.dispose(), () => undefined);
}

function forget(generator: Promise<Generator>): void {
  if (kept?.generator === generator) kept = null;
}

async function compare(request: CompareRequest, onEvent: (event: GenerationEvent) => void): Promise<void> {
  const mine = ++generation;
  const { model, adapter, addedTokens } = await openStored(request.adapterId, (done, total) => onEvent({ type: "loading", done, total }));
  const tokenizer = await tokenizerFor(model, addedTokens);
  const opened = await device(request.device);
  onEvent({ type: "device", device: opened.report });
  const prompt = request.prompt.form === "continue"
    ? { ...request.prompt, passage: lastWords(request.prompt.passage, DEFAULT_MAX_PROMPT_WORDS) } // as in training
    : request.prompt;
  const promptIds = tokenizer.encodeChat(toMessages(prompt), true);
  if (mine !== generation) { // before a word was written
    for (const side of ["base", "tuned"] as const) onEvent({ type: "done", side, text: "", tokens: 0, stop: "stopped" });
    return;
  }
  const pending = generatorFor(opened, model, adapter);

  const sides = (["base", "tuned"] as const).map((side) => ({ side, stream: tokenizer.stream(), text: "", tokens: 0, sentAt: 0 }));
  const { temperature, topP, maxNewTokens, seed } = request.sampling;
  const written = pending.then(async (generator) => generator.generate(
    [{ promptIds, adapted: false, seed }, { promptIds, adapted: true, seed }],
    {
      temperature, topP, maxNewTokens, stopTokenIds: model.stopTokenIds,
      banned: bannedSequences(tokenizer, (await listDocuments(request.handId, () => undefined)).map((d) => d.text)),
      stopped: () => mine !== generation,
      onToken: async (row, token) => {
        const s = sides[row]!;
        s.text = s.stream.push(token);
        s.tokens++;
        if (performance.now() - s.sentAt < TEXT_MS) return;
        s.sentAt = performance.now();
        onEvent({ type: "text", side: s.side, text: s.text, tokens: s.tokens });
        await new Promise((resolve) => setTimeout(resolve)); // lets stop() in
      },
    },
    adapterTensors(model, adapter),
  ));
  const before = writing;
  writing = written.then(() => before, () => before);
  const rows = await written.catch((error: unknown) => {
    if (error instanceof DuctusError && error.code.startsWith("device/")) forget(pending); // a session whose run has failed is closed
    throw error;
  });
  rows.forEach(({ stop }, i) => {
    const { side, stream, tokens } = sides[i]!;
    onEvent({ type: "done", side, text: stream.finish(), tokens, stop });
  });
}

async function evaluate(handId: string, adapterId: string): Promise<AdapterReport> {
  const hand = await getHand(handId);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  generation++; // what is being written makes room
  const { model, adapter, addedTokens } = await openStored(adapterId);
  const tokenizer = await tokenizerFor(model, addedTokens);
  const { backend } = await device("auto");
  // On WebGPU onnxruntime gives weights of closed sessions back only once no session is open: one at a time. A large model does not fit twice anywhere.
  if (backend.kind === "webgpu" || model.storage !== "f32") await closeGenerator();
  const config = { ...defaultConfig(model.entry.parameters, 0), epochs: 0 };
  const { test } = await prepareData(await listDocuments(handId, () => undefined), hand.seed, config, tokenizer);
  const execution = await openExecution(backend, model, { lora: adapter, dropout: 0, maxPositions: config.maxLength, batchTokens: config.batchSize * config.maxLength, tokens: adapter.tokens?.ids ?? [] });
  try {
    const score = async (tensors: AdapterTensors | null) => poolScore(test, await scoreExamples(execution, test, EVALUATION_BATCH, tensors));
    const report = { base: await score(null), tuned: await score(adapterTensors(model, adapter)) };
    await saveReport(adapterId, report);
    return report;
  } finally {
    await execution.dispose();
  }
}

async function importAdapter(handId: string, name: string, bytes: Uint8Array): Promise<string> {
  const hand = await getHand(handId);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  // A file that says which model it was made for is opened with that one, if it is here; a folder of PEFT's says nothing, and is tried with the hand's.
  const named = baseOfFile(bytes);
  const base = named !== null && (await isHere(named.sha256)) ? named : await identify(hand.model);
  const model = await openModel(base.sha256, base.id);
  const opened = openAdapter(bytes, baseOf(model));
  const { adapter, addedTokens } = fitAdapter(model, opened);
  await tokenizerFor(model, addedTokens); // refused here, and not when it is first used
  const { entry } = model;
  const { addedTokens: _, ...info } = opened.info ?? { createdAt: Date.now() };
  const described: AdapterInfo = { ...info, name, modelId: entry.id, modelSha256: entry.sha256, ...(addedTokens.length > 0 ? { addedTokens } : {}) };
  const stored = await saveAdapter({ handId, name, modelId: entry.id, modelSha256: entry.sha256, file: packAdapter(adapter, described) });
  return stored.id;
}

async function exportPeft(adapterId: string): Promise<Uint8Array> {
  const { model, adapter, addedTokens, info, name } = await openStored(adapterId);
  const { entry } = model;
  return zipPeft(adapterToPeft(adapter, { ...(info ?? { createdAt: Date.now() }), name, modelId: entry.id, modelSha256: entry.sha256, addedTokens }));
}

const api: WriterApi = { compare, evaluate, importAdapter, exportPeft, stop: () => void generation++ };

registerTransferHandlers();
expose(api);
