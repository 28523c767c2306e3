import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { openNode } from "../runtime/node";
import { referenceJson, relativeL2 } from "../testing/reference";
import { Muon, type Matrix } from "./muon";

interface Case {
  shape: [number, number]; momentum: number; weight_decay: number; ns_steps: number; start: number[];
  steps: { learning_rate: number; gradient: number[]; parameter: number[] }[];
}

const cases = referenceJson("pretraining/muon.json") as Case[];
const open: Muon[] = [];
afterAll(async () => { for (const muon of open) await muon.dispose(); });

async function create(weightDecay = 0.1, iterations = 5): Promise<Muon> {
  const muon = await Muon.create(openNode(), { weightDecay, iterations });
  open.push(muon);
  return muon;
}

const matrixOf = (shape: Matrix["shape"], seed: string): Matrix => {
  const random = new Random(seed);
  return { shape, data: Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()) };
};

/** Largest relative error of the way from the start, over all steps. */
async function worstError(c: Case, change: Partial<Pick<Case, "momentum" | "weight_decay" | "ns_steps">> = {}): Promise<number> {
  const { momentum, weight_decay, ns_steps } = { ...c, ...change };
  const muon = await create(weight_decay, ns_steps);
  const matrix = { shape: c.shape, data: Float32Array.from(c.start) };
  let worst = 0;
  for (const step of c.steps) {
    await muon.step(new Map([["w", matrix]]), new Map([["w", Float32Array.from(step.gradient)]]), step.learning_rate, momentum);
    const way = (to: ArrayLike<number>) => Array.from(to, (v, i) => v - c.start[i]!);
    worst = Math.max(worst, relativeL2(way(matrix.data), way(step.parameter)));
  }
  return worst;
}

describe("Muon", () => {
  it.each(cases.map((c) => [c.shape, c] as const))("is torch's rule in float64, on a matrix of %j", async (_, c) => {
    expect(await worstError(c)).toBeLessThan(1e-4);
  });

  it("is not that rule with any one option changed", async () => {
    for (const change of [{ momentum: 0.94 }, { weight_decay: 0.11 }, { ns_steps: 4 }]) expect(await worstError(cases[0]!, change), JSON.stringify(change)).toBeGreaterThan(5e-4);
  });

  it("moves along a matrix whose singular values are near one, whatever the gradient's are", async () => {
    const muon = await create(0);
    const matrix: Matrix = { shape: [4, 6], data: new Float32Array(24) };
    const gradient = matrixOf([4, 6], "gradient").data.map((v, i) => v * (i < 6 ? 2 : 0.5));
    await muon.step(new Map([["w", matrix]]), new Map([["w", gradient]]), 1, 0.95);
    const rows = [0, 1, 2, 3].map((r) => matrix.data.slice(r * 6, r * 6 + 6).map((v) => v / (0.2 * Math.sqrt(6))));
    for (const [i, a] of rows.entries()) for (const [j, b] of rows.entries()) {
      const product = a.reduce((sum, v, k) => sum + v * b[k]!, 0); // of U·S'·Vᵀ with its transpose, S' between 0.5 and 1.5
      if (i === j) expect(product).toBeGreaterThan(0.3);
      expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(i === j ? 0.7 : 0.5);
    }
  });

  it("leaves a matrix without a gradient alone, decay included, and one with a gradient of zeros finite", async () => {
    const muon = await create();
    const [a, b] = [matrixOf([3, 5], "a"), matrixOf([3, 5], "b")];
    const before = { a: a.data.slice(), b: b.data.slice() };
    await muon.step(new Map([["a", a], ["b", b]]), new Map([["b", new Float32Array(15)]]), 0.5, 0.95);
    expect(a.data).toEqual(before.a);
    expect(b.data).toEqual(before.b.map((v) => v * 0.95));
  });

  it("goes on from a state as if it had not been cut, and refuses one that does not fit", async () => {
    const run = async (cut: boolean): Promise<Float32Array> => {
      const matrices = new Map([["w", matrixOf([5, 3], "w")]]);
      let muon = await create();
      for (let step = 0; step < 4; step++) {
        if (cut && step === 2) {
          const state = muon.state();
          muon = await create();
          muon.restore(state, matrices);
        }
        await muon.step(matrices, new Map([["w", matrixOf([5, 3], `g${step}`).data]]), 0.1, 0.95);
      }
      return matrices.get("w")!.data;
    };
    expect(await run(true)).toEqual(await run(false));
    const muon = await create();
    const state = { steps: 1, tensors: new Map([["w:momentum_buffer", new Float32Array(14)]]) };
    expect(() => muon.restore(state, new Map([["w", matrixOf([5, 3], "w")]]))).toThrow(expect.objectContaining({ code: "train/optimizer-state" }));
  });

  it("refuses a gradient of another size", async () => {
    const muon = await create();
    await expect(muon.step(new Map([["w", matrixOf([5, 3], "w")]]), new Map([["w", new Float32Array(14)]]), 0.1, 0.9)).rejects.toThrow(expect.objectContaining({ code: "graph/shape" }));
  });
});
