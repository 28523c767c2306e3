/** Examples packed into a row are trained as if each stood alone. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openExecution } from "../execution/open";
import type { Execution } from "../execution/types";
import { MASKED } from "../model/qwen";
import { openNode } from "../runtime/node";
import { referenceModel, relativeL2 } from "../testing/reference";
import { copyOf, largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import { collate, examplesOf, type Batch, type BatchRow, type TokenizedExample } from "./batch";
import { packBestFit } from "./pack";
import { planHash, planSteps } from "./plan";
import { SftTrainer } from "./trainer";

const example = (ids: number[], promptLength: number): TokenizedExample => ({ ids, promptLength, documentId: "", completionBytes: 0 });

describe("collate with several examples in a row", () => {
  const batch = collate([[example([5, 6, 7], 1), example([8, 9], 1)], example([4, 3, 2, 1], 2)], 99);

  it("begins positions anew with each example and scores each completion, by hand", () => {
    expect([...batch.feeds.ids.data]).toEqual([5, 6, 7, 8, 9, 4, 3, 2, 1, 99]);
    expect([...batch.feeds.positions.data]).toEqual([0n, 1n, 2n, 0n, 1n, 0n, 1n, 2n, 3n, 4n]);
    expect([...batch.feeds.rows.data]).toEqual([0, 1, 3, 6, 7]);
    expect([...batch.feeds.targets.data]).toEqual([6, 7, 9, 2, 1]);
    expect([...batch.exampleOf]).toEqual([0, 0, 1, 2, 2]);
    expect([...batch.rowOf.data]).toEqual([0, 1, 5, 2, 5, 5, 3, 4, 5, 5]);
    expect(batch.tokens).toBe(9);
    expect(batch.completionTokens).toBe(5);
  });

  it("lets each example look at itself and before, never at another; padding looks somewhere", () => {
    expect(batch.feeds.mask.shape).toEqual([2, 1, 5, 5]);
    const open = [...batch.feeds.mask.data].map((v) => (v === 0 ? 1 : v === MASKED ? 0 : NaN));
    expect(open.slice(0, 25)).toEqual([1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1]);
    expect(open.slice(25)).toEqual([1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
  });

  it("shares one mask where every row holds one example, in whichever form", () => {
    const examples = randomExamples("forms", 4);
    expect(collate(examples.map((e) => [e]))).toEqual(collate(examples));
    expect(collate(examples).feeds.mask.shape.slice(0, 2)).toEqual([1, 1]);
  });
});

describe("packed = unpacked", () => {
  const { config, weights } = referenceModel("qwen3-untied");
  const { lora } = settings();
  const adapter = randomLora(config, lora, "packed");
  let execution: Execution;
  beforeAll(async () => {
    execution = await openExecution(openNode(), { config, weights }, { lora, dropout: 0, maxPositions: 64, tokens: [] });
  });
  afterAll(() => execution.dispose());

  /** Sum of losses and its gradient. */
  const trained = (batch: Batch) => execution.train(batch, { adapter, rowWeights: new Float32Array(batch.completionTokens).fill(1), dropoutSeed: null, noise: null });

  /** How far the gradients of rows are from those of their examples one by one, all tensors together, and the losses. */
  async function distance(rows: readonly BatchRow[], spoil: (batch: Batch) => void = () => undefined) {
    const packed = collate(rows);
    spoil(packed);
    const together = await trained(packed);
    let loss = 0;
    const sums = new Map<string, Float32Array>();
    for (const e of rows.flatMap(examplesOf)) {
      const alone = await trained(collate([e]));
      loss += alone.loss;
      for (const [name, g] of alone.gradients) sums.set(name, sums.has(name) ? sums.get(name)!.map((v, i) => v + g[i]!) : g.slice());
    }
    const joined = (gradients: ReadonlyMap<string, Float32Array>) => Float32Array.from([...sums.keys()].flatMap((name) => [...gradients.get(name)!]));
    return { loss: Math.abs(together.loss / loss - 1), gradients: relativeL2(joined(together.gradients), joined(sums)) };
  }

  it.each([1, 2, 3, 4, 5])("losses and gradients, seed %d", async (seed) => {
    const rows = packBestFit(randomExamples(`packed-${seed}`, 9), 32);
    expect(rows.length).toBeGreaterThan(1);
    expect(Math.max(...rows.map((r) => r.length))).toBeGreaterThan(2);
    const { loss, gradients } = await distance(rows);
    expect(loss).toBeLessThan(1e-5);
    expect(gradients).toBeLessThan(1e-5);
  });

  it("is told from examples that see one another, or whose positions do not begin anew", async () => {
    const rows = packBestFit(randomExamples("leak", 9), 32);
    const leaking = await distance(rows, ({ feeds: { mask } }) => {
      const [b, , seq] = mask.shape as [number, number, number];
      for (let row = 0; row < b; row++) for (let q = 0; q < seq; q++) (mask.data as Float32Array).fill(0, (row * seq + q) * seq, (row * seq + q) * seq + q + 1);
    });
    expect(leaking.loss).toBeGreaterThan(1e-3);
    expect(leaking.gradients).toBeGreaterThan(0.1);
    // One wrong place alone: the first token of the second example sees the last of the first.
    const one = await distance(rows, ({ feeds: { mask } }) => {
      const seq = mask.shape[2]!, begin = rows[0]![0]!.ids.length;
      (mask.data as Float32Array)[begin * seq + begin - 1] = 0;
    });
    expect(one.gradients).toBeGreaterThan(1e-3);
    // Turning all positions of an example by the same angle changes nothing in exact arithmetic: only a jump within it does.
    const jumping = await distance(rows, ({ feeds: { positions } }) => (positions.data as BigInt64Array).forEach((p, i, all) => (all[i] = p === 0n ? 7n : p)));
    expect(jumping.gradients).toBeGreaterThan(1e-3);
  });

  it("scores held-out examples the same in packed rows", async () => {
    const examples = randomExamples("score packed", 6);
    const rows = packBestFit(examples, 32);
    const batch = collate(rows);
    const nll = await execution.score(batch, adapter);
    const sums = examples.map(() => 0), order = rows.flat().map((e) => examples.indexOf(e));
    batch.exampleOf.forEach((e, m) => (sums[order[e]!]! += nll[m]!));
    for (const [i, e] of examples.entries()) {
      const alone = await execution.score(collate([e]), adapter);
      expect(Math.abs(sums[i]! / alone.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-5);
    }
  });

  it("makes the same optimizer step as the same examples unpacked", async () => {
    const examples = randomExamples("step", 8);
    const config_ = settings({ packing: true, maxLength: 32, batchSize: 8 });
    const [packed] = planSteps([examples], config_), [plain] = planSteps([examples], { ...config_, packing: false });
    expect(packed!.flat().length).toBeLessThan(plain!.flat().length);
    const [a, b] = [SftTrainer.on(execution, config, config_, copyOf(adapter)), SftTrainer.on(execution, config, config_, copyOf(adapter))];
    const [one, other] = [await a.step(packed!, 0.01), await b.step(plain!, 0.01)];
    expect(one.tokens).toBe(other.tokens);
    expect(Math.abs(one.loss - other.loss)).toBeLessThan(1e-5);
    expect(Math.abs(one.gradNorm / other.gradNorm - 1)).toBeLessThan(1e-5);
    expect(largestDistance(a.adapter, b.adapter)).toBeLessThan(1e-3);
    expect(largestDistance(a.adapter, adapter)).toBeGreaterThan(1e-2);
  });
});

describe("planSteps with packing", () => {
  const config = { batchSize: 2, gradientAccumulationSteps: 2, seed: 1, packing: true, maxLength: 24 };
  const examples = randomExamples("plan", 60);

  it("has every example once an epoch, in rows that are not too long, another order each", () => {
    const steps = planSteps([examples, examples], config);
    const half = steps.length / 2;
    for (const epoch of [steps.slice(0, half), steps.slice(half)]) {
      const rows = epoch.flat(2);
      expect(new Set(rows.flatMap(examplesOf))).toEqual(new Set(examples));
      expect(rows.flatMap(examplesOf)).toHaveLength(examples.length);
      for (const row of rows) expect(examplesOf(row).reduce((n, e) => n + e.ids.length, 0)).toBeLessThanOrEqual(24);
      expect(rows.length).toBeLessThan(0.6 * examples.length);
    }
    expect(steps.slice(0, half).flat(2)).not.toEqual(steps.slice(half).flat(2));
  });

  it("keeps the rows as they were packed where nothing is shuffled", () => {
    const steps = planSteps([examples], { ...config, shuffle: false });
    expect(steps.flat(2)).toEqual(packBestFit(examples, 24));
  });
});

describe("planSteps by settings", () => {
  const examples = randomExamples("order", 10);
  const config = { batchSize: 2, gradientAccumulationSteps: 2, seed: 1, shuffle: false };

  it("keeps the order given where it does not shuffle", () => {
    expect(planSteps([examples, examples], config).flat(2)).toEqual([...examples, ...examples]);
  });

  it("takes as many steps as are asked for, however few or many the examples give", () => {
    expect(planSteps([examples], { ...config, maxSteps: 2 }).flat(2)).toEqual(examples.slice(0, 8));
    const long = planSteps([examples], { ...config, maxSteps: 7 });
    expect(long).toHaveLength(7);
    expect(long.flat(2).slice(0, 20)).toEqual([...examples, ...examples]);
    expect(planSteps([[]], { ...config, maxSteps: 7 })).toEqual([]);
  });

  it("cuts the last of a broken number of epochs, up to a whole step", () => {
    expect(planSteps([examples, examples], { ...config, epochs: 1.5 })).toHaveLength(3 + 2);
    expect(planSteps([examples], { ...config, epochs: 0.1 })).toHaveLength(1);
    expect(planSteps([examples, examples], { ...config, epochs: 2 })).toHaveLength(6);
  });

  it("leaves out what was cut within its prompt", () => {
    expect(planSteps([[...examples, example([1, 2], 5)]], config).flat(2)).toEqual(examples);
  });
});

describe("planHash", () => {
  const config = { batchSize: 2, gradientAccumulationSteps: 2, seed: 1, packing: true, maxLength: 24 };
  const examples = randomExamples("hash", 20);
  const of = (changed: TokenizedExample[] = examples, more: Partial<typeof config> = {}) => planHash(planSteps([changed], { ...config, ...more }));

  it("is the same for the same tokens in the same places, whatever else is known of them", async () => {
    expect(await of()).toMatch(/^[0-9a-f]{64}$/);
    expect(await of(examples.map((e) => ({ ...e, documentId: "other" })))).toBe(await of());
  });

  it("is another for another token, prompt, order, packing or division into steps", async () => {
    const hashes = await Promise.all([
      of(), of(examples.slice(1)), of(examples.map((e, i) => (i === 7 ? { ...e, ids: [...e.ids.slice(0, -1), 95] } : e))), of(examples.map((e, i) => (i === 7 ? { ...e, promptLength: e.promptLength + 1 } : e))),
      of(examples, { seed: 2 }), of(examples, { packing: false }), of(examples, { batchSize: 1 }), of(examples, { gradientAccumulationSteps: 1 }),
    ]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
