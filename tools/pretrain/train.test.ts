/** Runs of the Node engine that are cut and go on; checkpoints; data that does not suit. */
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../lib/train/adapter/safetensors";
import { weightShapes } from "../../lib/train/model/weights";
import { Data } from "./batches";
import { checkpointFile, checkpointSteps, ensureCheckpoint, firstCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint";
import { drawnWeights, modelConfigOf } from "./model";
import { FROM_FORMS, orderFile } from "./order";
import { momentumAt, rateFactor } from "./recipe";
import { smallRecipe, writeWork } from "./testing/parity";
import { trainOnNode, type LogLine } from "./train";

const folder = mkdtempSync(join(tmpdir(), "ductus-pretrain-"));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;
const whole = join(folder, "whole");
const recipe = smallRecipe();
const bytesOf = (work: string, step: number) => readFileSync(join(work, checkpointFile(step)));
const logOf = (work: string) => readFileSync(join(work, "log.jsonl"), "utf8").trimEnd().split("\n").map((line) => ({ ...(JSON.parse(line) as LogLine), seconds: 0 }));

function freshWork(): string {
  const work = join(folder, String(made++));
  writeWork(work, recipe);
  return work;
}

describe("trainOnNode", () => {
  beforeAll(async () => {
    writeWork(whole, recipe);
    expect(await trainOnNode(whole, recipe, { threads: 1 })).toBe(50);
  });

  it("after a crash goes on from the last checkpoint, and ends with the same bytes", async () => {
    const work = freshWork();
    await expect(trainOnNode(work, recipe, { threads: 1, onLine: ({ step }) => { if (step === 27) throw new Error("cut"); } })).rejects.toThrow("cut");
    expect(checkpointSteps(work).at(-1)).toBe(20);
    appendFileSync(join(work, "log.jsonl"), '{"step":28,"phase":"sta');
    expect(await trainOnNode(work, recipe, { threads: 1 })).toBe(50);
    expect(bytesOf(work, 50).equals(bytesOf(whole, 50))).toBe(true);
    expect(logOf(work)).toEqual(logOf(whole));
  });

  it("stops at a signal after the step in hand, with a checkpoint, and ends with the same bytes", async () => {
    const work = freshWork(), stop = new AbortController();
    expect(await trainOnNode(work, recipe, { threads: 1, signal: stop.signal, onLine: ({ step }) => { if (step === 13) stop.abort(); } })).toBe(13);
    expect(checkpointSteps(work)).toEqual([10, 13]);
    expect(await trainOnNode(work, recipe, { threads: 1, until: 44 })).toBe(44);
    expect(await trainOnNode(work, recipe, { threads: 1 })).toBe(50);
    expect(bytesOf(work, 50).equals(bytesOf(whole, 50))).toBe(true);
    expect(logOf(work)).toEqual(logOf(whole));
  });

  it("does not come to the same bytes where a single number of the checkpoint was another", async () => {
    const work = freshWork();
    cpSync(join(whole, checkpointFile(45)), join(work, checkpointFile(45)));
    const checkpoint = readCheckpoint(work, recipe);
    const momentum = checkpoint.muon.get("model.layers.1.mlp.up_proj.weight")!;
    momentum[7] = momentum[7]! + 1e-4;
    writeCheckpoint(work, recipe, checkpoint);
    await trainOnNode(work, recipe, { threads: 1 });
    expect(bytesOf(work, 50).equals(bytesOf(whole, 50))).toBe(false);
  });

  it("logs each step, with held-out bits where the recipe asks for them", () => {
    const log = logOf(whole);
    expect(log.map(({ step }) => step)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(log.filter(({ heldOutBits }) => heldOutBits !== undefined).map(({ step }) => step)).toEqual([25, 30, 45, 50]);
    expect(log[49]).toMatchObject({ phase: "long", tokens: 25_600, lr: recipe.muon.lr * rateFactor(recipe, 49) });
  });

  it("keeps the last two checkpoints and those at the ends of phases", () => {
    expect(checkpointSteps(whole)).toEqual([30, 45, 50]);
    expect(readdirSync(whole).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("begins at the weights of a folder where the recipe says so", () => {
    const model = join(folder, "model"), work = freshWork();
    writeWork(model, recipe);
    const weights = drawnWeights({ ...recipe, seed: 9 });
    const shapes = weightShapes(modelConfigOf(recipe));
    writeFileSync(join(model, "model.safetensors"), writeSafetensors([...weights].map(([name, data]) => ({ name, shape: shapes.get(name)!, data }))));
    const from = smallRecipe({ init: { folder: model, seenSteps: 4 } });
    ensureCheckpoint(work, from);
    expect(readCheckpoint(work, from).weights).toEqual(weights);
  });
});

describe("checkpoints", () => {
  it("come back as they were written", () => {
    const work = freshWork();
    const checkpoint = { ...readCheckpoint(whole, recipe), step: 50 };
    writeCheckpoint(work, recipe, checkpoint);
    expect(readCheckpoint(work, recipe)).toEqual(checkpoint);
    expect([...checkpoint.average!.values()].some((data) => data.some((v) => v !== 0))).toBe(true);
  });

  it("of another model, or with something else in them, are refused", () => {
    const work = freshWork(), other = smallRecipe({ model: { ...recipe.model, intermediateSize: 40 } });
    writeCheckpoint(work, recipe, firstCheckpoint(recipe));
    expect(() => readCheckpoint(work, other)).toThrow(expect.objectContaining({ code: "train/checkpoint-other" }));
    const bytes = bytesOf(work, 0);
    writeFileSync(join(work, checkpointFile(7)), bytes);
    expect(() => readCheckpoint(work, recipe)).toThrow(expect.objectContaining({ code: "train/checkpoint-other" }));
    writeFileSync(join(work, checkpointFile(0)), bytes.subarray(0, bytes.length - 4));
    expect(() => readCheckpoint(work, recipe, 0)).toThrow(expect.objectContaining({ code: "model/damaged" }));
    expect(() => readCheckpoint(join(folder, "nowhere"), recipe)).toThrow(expect.objectContaining({ code: "train/no-checkpoint" }));
  });
});

describe("Data", () => {
  it("gives the sequences that the order names, those from the forms first", () => {
    const data = Data.open(whole, recipe), step = 31;
    const order = new Uint32Array(new Uint8Array(readFileSync(join(whole, orderFile("decay")))).buffer);
    const files = Object.fromEntries(["train", "forms_train"].map((name) => [name, new Uint16Array(new Uint8Array(readFileSync(join(whole, `${name}.bin`))).buffer)])) as Record<"train" | "forms_train", Uint16Array>;
    const batches = data.microBatches(step);
    expect(batches.map(({ length }) => length)).toEqual([4, 4, 4, 4]);
    batches.flat().forEach((sequence, i) => {
      const entry = order[(step - 30) * 16 + i]!;
      expect(entry >= FROM_FORMS).toBe(i < 4);
      const begin = (entry % FROM_FORMS) * 32;
      expect(sequence).toEqual(files[i < 4 ? "forms_train" : "train"].slice(begin, begin + 33));
    });
    expect(data.microBatches(49).flat().map(({ length }) => length)).toEqual(Array.from({ length: 8 }, () => 65));
    expect(data.heldOut().map(({ length }) => length)).toEqual([4, 4, 2]);
  });

  it("refuses files that are missing or do not suit the recipe", () => {
    const refusal = (change: (work: string) => void) => {
      const work = freshWork();
      change(work);
      expect(() => Data.open(work, recipe)).toThrow(expect.objectContaining({ code: "data/work" }));
    };
    refusal((work) => rmSync(join(work, "train.bin")));
    refusal((work) => writeFileSync(join(work, "held.bin"), new Uint8Array(20)));
    refusal((work) => writeFileSync(join(work, "train.bin"), Uint8Array.from([1, 0, 2])));
    refusal((work) => writeFileSync(join(work, "train.bin"), new Uint8Array(new Uint16Array(9000).fill(257).buffer)));
    refusal((work) => writeFileSync(join(work, orderFile("decay")), new Uint8Array(15 * 16 * 4).fill(0x7f)));
    refusal((work) => writeFileSync(join(work, orderFile("stable")), new Uint8Array(29 * 16 * 4)));
    refusal((work) => writeFileSync(join(work, "held.docs.json"), "{}"));
  });
});

describe("rates", () => {
  it("rise, stay, and fall to nearly nothing along the shape asked for", () => {
    const at = (shape: string, step: number) => rateFactor(smallRecipe({ decay: { ...recipe.decay, shape } }), step);
    for (const shape of ["linear", "sqrt", "cosine"]) {
      expect([0, 4, 29, 30].map((step) => at(shape, step))).toEqual([0.2, 1, 1, 1]);
      expect(at(shape, 50)).toBeCloseTo(0, 12);
    }
    expect(["linear", "sqrt", "cosine"].map((shape) => at(shape, 35))).toEqual([0.75, 0.5, expect.closeTo(0.5 + Math.SQRT1_2 / 2, 12)]);
  });

  it("momentum rises over its warm-up", () => {
    expect([0, 10, 20, 40].map((step) => momentumAt(recipe, step))).toEqual([0.85, expect.closeTo(0.9, 12), expect.closeTo(0.95, 12), expect.closeTo(0.95, 12)]);
    expect(momentumAt(smallRecipe({ muon: { ...recipe.muon, momentumWarmup: null } }), 0)).toBe(0.95);
  });
});
