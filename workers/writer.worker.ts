/**
 * The writing worker: texts by the base and by adapters, scores on the test
 * part, adapters in and out. Adapters and documents come from IndexedDB; nothing
 * is kept here but the loaded model and the last generator.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { saveReport } from "../lib/store/adapters";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { getHand, splitOptions } from "../lib/store/hands";
import type { AdapterReport } from "../lib/store/types";
import { openExecution } from "../lib/train/execution/open";
import type { AdapterTensors } from "../lib/train/execution/types";
import { prepareData } from "../lib/train/sft/prepare";
import { defaultConfig } from "../lib/train/sft/recipes";
import { poolScore } from "../lib/train/sft/score";
import { scoreExamples } from "../lib/train/sft/trainer";
import { exportFile, exportPeft, importAdapter } from "./adapter-files";
import { adapterTensors, tokenizerFor } from "./adapter-use";
import type { WriterApi } from "./protocol";
import { reportRequests } from "./requests";
import { device } from "./resources";
import { registerTransferHandlers } from "./transfer";
import { closeGenerator, openStored, stopWriting, write } from "./writing";

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
  const { test } = await prepareData(usedDocuments(await listDocuments(handId, () => undefined)), hand.seed, config, tokenizer, undefined, splitOptions(hand));
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

const api: WriterApi = { write, evaluate, importAdapter, exportFile, exportPeft, stop: stopWriting };

reportRequests();
registerTransferHandlers();
expose(api);
