import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { saveAdapter } from "../lib/store/adapters";
import { closeDatabase, DATABASE_NAME } from "../lib/store/db";
import { addDocuments } from "../lib/store/documents";
import { createHand, setSetting } from "../lib/store/hands";
import { appendMetrics, createRun, updateRun } from "../lib/store/runs";
import type { Hand, Metric } from "../lib/store/types";
import { packAdapter } from "../lib/train/adapter/file";
import { toLoraAdapter } from "../lib/train/adapter/tensors";
import { initialAdapter } from "../lib/train/model/lora";
import { dialConfig } from "../lib/train/sft/dial";
import { productSpeed } from "../lib/train/sft/speed";
import { handDocuments, tinyModel } from "../lib/train/testing/hand";

const model = tinyModel();
const weightBytes = 4 * 150_000;
vi.mock("./resources", () => ({ sketch: () => Promise.resolve({ identity: model.entry, config: model.config, tokenizer: model.tokenizer, storage: "f32", weightBytes }) }));
const { predict } = await import("./predicting");

const config = dialConfig("balanced", { parameters: 1, words: 1320 });
const device = { kind: "wasm", threads: 2 } as const;
let hand: Hand;

beforeEach(async () => {
  hand = await createHand({ name: "Ann", source: "own" });
  await addDocuments(hand.id, handDocuments().map(({ id, text }) => ({ name: id, text, words: text.split(/\s+/).length })));
});

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

const foretell = (changes = {}) => predict({ handId: hand.id, config: { ...config, ...changes }, device });

/** A run of this model that took so long a step. */
async function pastRun(msPerStep: number): Promise<void> {
  const run = await createRun({ handId: hand.id, modelId: model.entry.id, modelSha256: model.entry.sha256, config });
  await appendMetrics(run.id, Array.from({ length: 12 }, (_, i): Metric => ({ runId: run.id, kind: "train", step: i + 1, loss: 3, tokens: 200, atMs: (i + 1) * msPerStep })));
  await updateRun(run.id, { status: "finished", step: 12, totalSteps: 12, trainTokens: 12 * 500, device: { ...device, reason: "" } });
}

describe("predict", () => {
  it("goes by the writing, the settings and the model", async () => {
    const { prediction, limits, parameters } = await foretell();
    expect(limits).toEqual({ maxPositions: 512, vocabSize: 8192 });
    expect(parameters).toBe(1);
    expect(prediction.from).toBe("guess");
    expect(prediction.parts.find(({ what }) => what === "weights")!.bytes).toBe(weightBytes);
    expect((await foretell({ maxSteps: 500 })).prediction.work.steps).toBe(500);
    const { examples } = prediction.work;
    await addDocuments(hand.id, handDocuments(12, 400, "harbour", 2).map(({ id, text }) => ({ name: id, text, words: 400 })));
    expect((await foretell()).prediction.work.examples).toBeGreaterThan(2 * examples); // what was looked at before is looked at again
  });

  it("goes by what was timed here, and rather by earlier runs", async () => {
    await setSetting("threads", { cores: 2, threads: 2, ms: 10 });
    const timed = (await foretell()).prediction;
    expect(timed.from).toBe("timing");
    await setSetting("threads", { cores: 2, threads: 2, ms: 40 });
    const slower = (await foretell()).prediction;
    const steps = ({ spans }: typeof timed) => spans.find(({ what }) => what === "steps")!.seconds;
    expect(steps(slower)).toBeGreaterThan(steps(timed));
    expect(productSpeed(10)).toBe(4 * productSpeed(40));
    await pastRun(3000);
    const known = (await foretell()).prediction;
    expect(known.from).toBe("model");
    expect(steps(known)).toBeGreaterThan(1.5 * known.work.steps);
    expect((await predict({ handId: hand.id, config, device: { kind: "wasm", threads: 1 } })).prediction.from).toBe("guess"); // it was another device's
  });

  it("goes by the device that is likely to do the work", async () => {
    const on = async (kind: "wasm" | "webgpu") => (await predict({ handId: hand.id, config, device: { kind, threads: 2 } })).prediction.seconds.likely;
    expect(await on("webgpu")).toBeLessThan(await on("wasm"));
  });

  it("has the shape of the adapter that it begins with", async () => {
    const lora = { ...config.lora, rank: 3, alpha: 5, targetModules: ["q_proj", "o_proj"] as const };
    const file = packAdapter(toLoraAdapter(model.config, lora, initialAdapter(model.config, lora, 1), []), { name: "First", createdAt: 1, modelId: model.entry.id, modelSha256: model.entry.sha256 });
    const { id } = await saveAdapter({ handId: hand.id, name: "First", modelId: model.entry.id, modelSha256: model.entry.sha256, file });
    const { config: settled } = await predict({ handId: hand.id, config, startAdapterId: id, device });
    expect(settled).toEqual({ ...config, lora: { ...config.lora, rank: 3, alpha: 5, targetModules: ["q_proj", "o_proj"] } });
    await expect(predict({ handId: hand.id, config, startAdapterId: "gone", device })).rejects.toMatchObject({ code: "store/missing" });
    await expect(predict({ handId: "gone", config, device })).rejects.toMatchObject({ code: "store/missing" });
  });
});
