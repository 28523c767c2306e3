/** Records that the tests of the store need: a hand with something in every store, and what it is made of. Never part of the product. */
import { DuctusError, type ErrorCode } from "../../core/errors";
import { LARGE_MODEL_DEFAULTS } from "../../train/sft/config";
import { saveAdapter } from "../adapters";
import { saveCheckpoint } from "../checkpoints";
import { createConversation } from "../conversations";
import { STORE_NAMES, transact } from "../db";
import { addDocuments } from "../documents";
import { createHand } from "../hands";
import { saveJudging } from "../judgings";
import { keepState } from "../kept";
import { saveMeasurement } from "../measurements";
import { addSample, appendMetrics, createRun } from "../runs";
import type { Metric, Score, StoredModel } from "../types";

export async function code(promise: Promise<unknown>): Promise<ErrorCode | "nothing"> {
  return promise.then(() => "nothing" as const, (error: unknown) => (error instanceof DuctusError ? error.code : Promise.reject(error as Error)));
}
export const newRun = (handId: string) => ({ handId, modelId: "embedded", modelSha256: "ab", config: LARGE_MODEL_DEFAULTS });
export const newAdapter = (handId: string, bytes = 100) => ({ handId, name: "First", modelId: "embedded", modelSha256: "ab", file: Uint8Array.from({ length: bytes }, (_, i) => i % 251) });
export const point = (runId: string, step: number, kind: Metric["kind"] = "train"): Metric => ({ runId, kind, step, loss: 3 - step / 100, tokens: 50, atMs: step * 10 });
export const score: Score = { loss: 3, perplexity: 20.1, bitsPerByte: 1.2, tokens: 1000, bytes: 3600, examples: 30 };
export const put = (store: (typeof STORE_NAMES)[number], value: unknown): Promise<unknown> => transact([store], "readwrite", (tx) => tx.objectStore(store).put(value));

export const model = (digit: string): StoredModel => ({ id: digit.repeat(64), name: "Qwen2.5-0.5B", family: "qwen2", parameters: 494e6, storage: "q4", fileBytes: 3e8, weightBytes: 3e8, addedAt: 1, folder: digit.repeat(32) });

/** A hand with something in every store. */
export async function fullHand(name: string) {
  const hand = await createHand({ name, source: "own" });
  await addDocuments(hand.id, [{ name: "a", text: "words", words: 1 }, { name: "b", text: "more words", words: 2, encoding: "utf-8" }]);
  const run = await createRun(newRun(hand.id));
  await appendMetrics(run.id, [point(run.id, 1), point(run.id, 2), point(run.id, 2, "heldout")]);
  await addSample({ runId: run.id, step: 2, prompt: "p", text: "t" });
  await saveCheckpoint(run.id, 2, Uint8Array.of(1));
  await keepState(run.id, { step: 2, tokens: 100, loss: 3, file: Uint8Array.of(1, 2) });
  const adapter = await saveAdapter({ ...newAdapter(hand.id), runId: run.id });
  const answer = { role: "assistant", after: "1", seed: 7, sampling: { temperature: 0.7, topP: 0.95, maxNewTokens: 60 } } as const;
  await createConversation(hand.id, adapter.id, [
    { id: "1", after: null, role: "user", text: "hello", form: "chat" },
    { ...answer, id: "2", text: "hello yourself", voice: "base", beside: { text: "hello, you", voice: "tuned", unfinished: true, stop: "length", forgotten: 0 }, adapterId: adapter.id },
  ], { showing: "2" });
  await saveJudging({ handId: hand.id, adapterId: adapter.id, state: { choices: [] } });
  await saveMeasurement({ handId: hand.id, adapterId: adapter.id, content: { scores: [] } });
  return { hand, run, adapter };
}
export async function counts(): Promise<Record<string, number>> {
  return transact(STORE_NAMES, "readonly", async (tx) => Object.fromEntries(await Promise.all(STORE_NAMES.map(async (s) => [s, await tx.objectStore(s).count()] as const))));
}
