/**
 * The writing worker: texts by the base and by adapters, scores on the test
 * part, adapters in and out. Adapters and documents come from IndexedDB; nothing
 * is kept here but the loaded model and the last generator.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { saveAdapter, saveReport } from "../lib/store/adapters";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { getHand } from "../lib/store/hands";
import type { AdapterReport } from "../lib/store/types";
import { baseOfFile, openAdapter, packAdapter, zipPeft } from "../lib/train/adapter/file";
import { adapterToPeft } from "../lib/train/adapter/peft";
import type { AdapterInfo } from "../lib/train/adapter/types";
import { openExecution } from "../lib/train/execution/open";
import type { AdapterTensors } from "../lib/train/execution/types";
import { prepareData } from "../lib/train/sft/prepare";
import { defaultConfig } from "../lib/train/sft/recipes";
import { poolScore } from "../lib/train/sft/score";
import { scoreExamples } from "../lib/train/sft/trainer";
import { adapterTensors, fitAdapter, tokenizerFor } from "./adapter-use";
import type { WriterApi } from "./protocol";
import { device, identify, isHere } from "./resources";
import { registerTransferHandlers } from "./transfer";
import { baseOf, closeGenerator, openModel, openStored, stopWriting, write } from "./writing";

const EVALUATION_BATCH = 8;

async function evaluate(handId: string, adapterId: string): Promise<AdapterReport> {
  const hand = await getHand(handId);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  stopWriting(); // it makes room
  const { model, adapter, addedTokens } = await openStored(adapterId);
  const tokenizer = await tokenizerFor(model, addedTokens);
  const { backend } = await device("auto");
  // On WebGPU onnxruntime gives weights of closed sessions back only once no session is open: one at a time. A large model does not fit twice anywhere.
  if (backend.kind === "webgpu" || model.storage !== "f32") await closeGenerator();
  const config = { ...defaultConfig(model.entry.parameters, 0), epochs: 0 };
  const { test } = await prepareData(usedDocuments(await listDocuments(handId, () => undefined)), hand.seed, config, tokenizer);
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

const api: WriterApi = { write, evaluate, importAdapter, exportPeft, stop: stopWriting };

registerTransferHandlers();
expose(api);
