/**
 * What the writing worker writes with: an adapter with its model, the one
 * generator that is kept, and the streaming of rows. A call ends what an earlier
 * one is writing. Nothing is stored here.
 */
import { DuctusError } from "../lib/core/errors";
import { DEFAULT_MAX_PROMPT_WORDS } from "../lib/data/examples";
import { toMessages } from "../lib/data/forms";
import { lastWords } from "../lib/data/words";
import { getAdapter } from "../lib/store/adapters";
import { listDocuments } from "../lib/store/documents";
import { getHand } from "../lib/store/hands";
import { openAdapter } from "../lib/train/adapter/file";
import type { AdapterInfo, LoraAdapter } from "../lib/train/adapter/types";
import { planFor } from "../lib/train/execution/open";
import { bannedSequences } from "../lib/train/generate/banned";
import { Generator } from "../lib/train/generate/generator";
import type { ReadyModel } from "../lib/train/model/embedded";
import type { OnProgress } from "../lib/train/model/manifest";
import type { TextTokenizer } from "../lib/train/model/tokenizer";
import type { OpenedDevice } from "../lib/train/runtime/device";
import { adapterTensors, fitAdapter, shapeKey, tokenizerFor, type FittedAdapter } from "./adapter-use";
import { MAX_ROWS, type WriteEvent, type WriteRequest, type WriteRow } from "./protocol";
import { device, type HeldModel, identify, openByHash } from "./resources";

const MAX_POSITIONS = 1024;
/** Text is sent this often while it is written. */
const TEXT_MS = 60;

/** Counts calls of write() and of stop(): what is being written goes on while its number is the newest. */
let generation = 0;
let kept: { key: string; model: ReadyModel; generator: Promise<Generator> } | null = null;
/** Ends when nothing that was asked for uses a generator any more. */
let writing: Promise<unknown> = Promise.resolve();

/** What is being written ends before its next token. */
export const stopWriting = (): void => void generation++;

/** Ends what is being written or measured. @returns whether another call has ended what the caller does */
export function takeTurn(): () => boolean {
  const mine = ++generation;
  return () => mine !== generation;
}

export const baseOf = ({ entry, config }: ReadyModel) => ({ id: entry.id, name: entry.name, sha256: entry.sha256, config });

export interface Opened extends FittedAdapter {
  model: HeldModel;
  info: AdapterInfo | null;
  name: string;
}

/** An adapter, and the model it was made for. @throws DuctusError `store/missing`, `model/gone`, and those of openAdapter */
export async function openStored(adapterId: string, onProgress?: OnProgress): Promise<Opened> {
  const stored = await getAdapter(adapterId);
  if (!stored) throw new DuctusError("store/missing", "This adapter is no longer here.", "Choose another one, or train again.");
  const model = await openModel(stored.modelSha256, stored.modelId, onProgress);
  const opened = openAdapter(stored.file, baseOf(model));
  return { ...fitAdapter(model, opened), info: opened.info, model, name: stored.name };
}

/** The hand's model as it came. @throws DuctusError `store/missing`, `model/gone` */
async function openBase(handId: string, onProgress?: OnProgress): Promise<{ model: HeldModel; adapter: null; addedTokens: [] }> {
  const hand = await getHand(handId);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  const { sha256, id } = await identify(hand.model);
  return { model: await openModel(sha256, id, onProgress), adapter: null, addedTokens: [] };
}

/** As openByHash; a generator of another model is closed first, so that two models are never held at once. */
export const openModel = (sha256: string, name: string, onProgress?: OnProgress): Promise<HeldModel> => openByHash(sha256, name, onProgress, closeGenerator);

/** The generator for adapters of a shape on a device; the one kept before is closed where another is wanted. */
function generatorFor(opened: OpenedDevice, model: ReadyModel, adapter: LoraAdapter | null): Promise<Generator> {
  const key = `${opened.report.kind} ${adapter === null ? "base" : shapeKey(adapter)}`;
  if (kept?.key === key && kept.model === model) return kept.generator;
  const closed = closeGenerator();
  const generator = (async () => {
    await closed;
    // Base and tuned, in one batch.
    const { kind } = planFor(opened.backend, model, { batch: 2, seq: MAX_POSITIONS, otherCopies: 0 });
    return Generator.create(opened.backend, model.config, model.weights, adapter, MAX_POSITIONS, { execution: kind, tokens: adapter?.tokens?.ids ?? [] });
  })();
  kept = { key, model, generator };
  const drop = () => forget(generator);
  generator.catch(drop);
  void opened.backend.lost.then(drop);
  return generator;
}

/** Whoever uses it still has been superseded, and stops before its next token. */
export async function closeGenerator(): Promise<void> {
  const before = kept?.generator;
  kept = null;
  await writing;
  await before?.then((old) => old.dispose(), () => undefined);
}

function forget(generator: Promise<Generator>): void {
  if (kept?.generator === generator) kept = null;
}

/** Prompt tokens of a row; a conversation loses messages from its beginning until it has room. */
function promptOf(tokenizer: TextTokenizer, { ask }: WriteRow, room: number): { promptIds: number[]; forgotten: number } {
  if (ask.form !== "chat") {
    const prompt = ask.form === "continue" ? { ...ask, passage: lastWords(ask.passage, DEFAULT_MAX_PROMPT_WORDS) } : ask; // as in training
    return { promptIds: tokenizer.encodeChat(toMessages(prompt), true), forgotten: 0 };
  }
  for (let forgotten = 0; ; forgotten++) {
    const messages = ask.messages.slice(forgotten);
    // A conversation begins with the person's own words.
    if (messages.length > 1 && messages[0]?.role !== "user") continue;
    const promptIds = tokenizer.encodeChat(messages, true);
    if (promptIds.length <= room || messages.length <= 1) return { promptIds, forgotten };
  }
}

export const write = (request: WriteRequest, onEvent: (event: WriteEvent) => void): Promise<void> => writeRows(request, takeTurn(), onEvent);

/** As write, in a turn that was taken before. */
export async function writeRows(request: WriteRequest, stopped: () => boolean, onEvent: (event: WriteEvent) => void): Promise<void> {
  const { handId, adapterId, rows, sampling } = request;
  const { maxNewTokens } = sampling;
  if (rows.length === 0 || rows.length > MAX_ROWS) throw new DuctusError("app/usage", `Between 1 and ${MAX_ROWS} texts can be written at once.`);
  const onProgress: OnProgress = (done, total) => onEvent({ type: "loading", done, total });
  const { model, adapter, addedTokens } = adapterId === null ? await openBase(handId, onProgress) : await openStored(adapterId, onProgress);
  const tokenizer = await tokenizerFor(model, addedTokens);
  const opened = await device(request.device);
  onEvent({ type: "device", device: opened.report });
  const prompts = rows.map((row) => promptOf(tokenizer, row, MAX_POSITIONS - maxNewTokens));
  if (stopped()) { // before a word was written
    rows.forEach((_, row) => onEvent({ type: "done", row, text: "", tokens: 0, stop: "stopped", forgotten: 0 }));
    return;
  }
  const pending = generatorFor(opened, model, adapter);

  const states = rows.map(() => ({ stream: tokenizer.stream(), text: "", tokens: 0, sentAt: 0 }));
  const { temperature, topP, topK, repetitionPenalty } = sampling;
  const written = pending.then(async (generator) => generator.generate(
    rows.map(({ voice, seed }, i) => ({ promptIds: prompts[i]!.promptIds, adapted: voice === "tuned", seed })),
    {
      temperature, topP, maxNewTokens, stopTokenIds: model.stopTokenIds,
      ...(topK ? { topK } : {}), ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
      banned: bannedSequences(tokenizer, (await listDocuments(handId, () => undefined)).map((d) => d.text)),
      stopped,
      onToken: async (row, token) => {
        const s = states[row]!;
        s.text = s.stream.push(token);
        s.tokens++;
        if (performance.now() - s.sentAt < TEXT_MS) return;
        s.sentAt = performance.now();
        onEvent({ type: "text", row, text: s.text, tokens: s.tokens });
        await new Promise((resolve) => setTimeout(resolve)); // lets stop() in
      },
    },
    adapter && adapterTensors(model, adapter),
  ));
  const before = writing;
  writing = written.then(() => before, () => before);
  const results = await written.catch((error: unknown) => {
    if (error instanceof DuctusError && error.code.startsWith("device/")) forget(pending); // a session whose run has failed is closed
    throw error;
  });
  results.forEach(({ stop }, row) => {
    const { stream, tokens } = states[row]!;
    onEvent({ type: "done", row, text: stream.finish(), tokens, stop, forgotten: prompts[row]!.forgotten });
  });
}
