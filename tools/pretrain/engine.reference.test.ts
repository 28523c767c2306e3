/** The Node engine against PyTorch: a step's gradients in float64, and 50 steps of a run through all phases; live where DUCTUS_PYTHON is set. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openNode } from "../../lib/train/runtime/node";
import { referenceJson, referenceTensors, relativeL2 } from "../../lib/train/testing/reference";
import { runTorch } from "../reference/pretraining";
import { Data } from "./batches";
import { checkpointFile, ensureCheckpoint } from "./checkpoint";
import { NodeEngine } from "./engine";
import { smallRecipe, spreadCheckpoint, tinyRecipe, writeWork, type KeptStep } from "./testing/parity";
import { trainOnNode } from "./train";

const folder = mkdtempSync(join(tmpdir(), "ductus-pretrain-"));
afterAll(() => rmSync(folder, { recursive: true }));

const python = process.env["DUCTUS_PYTHON"];
const kept = referenceJson("pretraining/losses.json") as KeptStep[];

const distance = (a: number, b: number) => Math.abs(a / b - 1);

function expectSame(ours: readonly KeptStep[], theirs: readonly KeptStep[]): void {
  expect(ours).toHaveLength(theirs.length);
  ours.forEach(({ loss, gradientNorm, heldOutBits, heldOutBitsAverage }, i) => {
    const them = theirs[i]!;
    expect(distance(loss, them.loss), `loss of step ${i + 1}`).toBeLessThan(i < 10 ? 1e-5 : 1e-3);
    expect(distance(gradientNorm, them.gradientNorm), `norm of step ${i + 1}`).toBeLessThan(i < 10 ? 1e-4 : 1e-2);
    for (const [ourBits, theirBits] of [[heldOutBits, them.heldOutBits], [heldOutBitsAverage, them.heldOutBitsAverage]]) {
      expect(ourBits === undefined).toBe(theirBits === undefined);
      if (ourBits !== undefined) expect(distance(ourBits, theirBits!), `held out after step ${i + 1}`).toBeLessThan(1e-3);
    }
  });
}

describe("the Node engine", () => {
  it("has the gradients of a whole step, z-loss included, that transformers has in float64", async () => {
    const recipe = tinyRecipe(), work = join(folder, "tiny");
    writeWork(work, recipe);
    const batches = Data.open(work, recipe).microBatches(0);
    const engine = await NodeEngine.create(openNode(), recipe, spreadCheckpoint(recipe));
    const { gradients } = await engine.gradients(batches);
    await engine.dispose();
    const expected = referenceTensors("pretraining/gradients.safetensors");
    expect([...gradients.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { data }] of expected) expect(relativeL2(gradients.get(name)!, data), name).toBeLessThan(1e-4);

    const without = await NodeEngine.create(openNode(), { ...recipe, zLoss: 0 }, spreadCheckpoint(recipe));
    const plain = await without.gradients(batches);
    await without.dispose();
    expect(relativeL2(plain.gradients.get("model.norm.weight")!, expected.get("model.norm.weight")!.data)).toBeGreaterThan(1e-2);
  });

  it("trains 50 steps with the losses of PyTorch", async () => {
    const recipe = smallRecipe(), work = join(folder, "kept");
    writeWork(work, recipe);
    const lines: KeptStep[] = [];
    await trainOnNode(work, recipe, { threads: 1, onLine: (line) => lines.push(line) });
    expectSame(lines, kept);
    expect(lines.at(-1)!.loss).toBeLessThan(lines[0]!.loss * 0.7);
  });

  it("and not with those of another recipe", async () => {
    for (const [at, changes] of Object.entries({ 1: { zLoss: 0.002 }, 2: { muon: { ...smallRecipe().muon, momentumWarmup: null } }, 30: { decay: { ...smallRecipe().decay, shape: "linear" } } })) {
      const recipe = smallRecipe(changes), work = join(folder, `other-${at}`);
      writeWork(work, recipe);
      const lines: KeptStep[] = [];
      await trainOnNode(work, recipe, { threads: 1, until: Number(at) + 4, onLine: (line) => lines.push(line) });
      expect(Math.max(...lines.map(({ loss }, i) => distance(loss, kept[i]!.loss))), JSON.stringify(changes)).toBeGreaterThan(1e-5);
    }
  });
});

describe.skipIf(!python)("with PyTorch", () => {
  it("has the same losses, from the same first checkpoint", () => {
    const recipe = smallRecipe(), work = join(folder, "torch");
    writeWork(work, recipe);
    ensureCheckpoint(work, recipe);
    expectSame(runTorch(python!, work), kept);
  });

  it("one engine goes on where the other stopped", async () => {
    const recipe = smallRecipe(), [begun, finished] = [join(folder, "begun"), join(folder, "finished")];
    writeWork(begun, recipe);
    await trainOnNode(begun, recipe, { threads: 1, until: 17 });
    cpSync(begun, finished, { recursive: true });
    expectSame(runTorch(python!, finished, "--until", "33"), kept.slice(0, 33));
    expect(existsSync(join(finished, checkpointFile(33)))).toBe(true);
    await trainOnNode(finished, recipe, { threads: 1 });
    expectSame(readFileSync(join(finished, "log.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as KeptStep), kept);
  });
});
