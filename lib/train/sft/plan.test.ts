import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import type { TokenizedExample } from "./batch";
import { planHash, planSteps as plannedSteps } from "./plan";

const make = (count: number, seed = 1): TokenizedExample[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => ({ ids: Array<number>(5 + random.int(100)).fill(1), promptLength: 1, documentId: String(i), completionBytes: 0 }));
};
const config = (batchSize: number, gradientAccumulationSteps: number, seed = 1) => ({ batchSize, gradientAccumulationSteps, seed });
/** Without packing every row is an example. */
const planSteps = (...args: Parameters<typeof plannedSteps<TokenizedExample>>) => plannedSteps(...args) as TokenizedExample[][][];
const ids = (steps: TokenizedExample[][][]) => steps.flat(2).map((e) => e.documentId);

describe("planSteps", () => {
  it.each([[8, 1, 35], [2, 4, 35], [3, 2, 7], [4, 4, 3], [1, 1, 1]])("batches of %d, %d to a step, %d examples: each once an epoch", (batchSize, accumulation, count) => {
    const epochs = [make(count, 1), make(count, 2)];
    const steps = planSteps(epochs, config(batchSize, accumulation));
    const perEpoch = Math.ceil(Math.ceil(count / batchSize) / accumulation);
    expect(steps).toHaveLength(2 * perEpoch);
    epochs.forEach((epoch, e) => {
      const seen = new Set(steps.slice(e * perEpoch, (e + 1) * perEpoch).flat(2));
      expect(seen).toEqual(new Set(epoch)); // the very objects of this epoch
      expect(steps.slice(e * perEpoch, (e + 1) * perEpoch).flat(2)).toHaveLength(count);
    });
    for (const step of steps) {
      expect(step.length).toBeGreaterThan(0);
      expect(step.length).toBeLessThanOrEqual(accumulation);
      for (const batch of step) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(batchSize);
      }
    }
  });

  it("follows from the seed alone, and gives every epoch an order of its own", () => {
    const examples = make(40);
    const plan = (seed: number) => ids(planSteps([examples, examples], config(4, 2, seed)));
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
    expect(plan(1).slice(0, 40)).not.toEqual(plan(1).slice(40));
    expect(plan(1).slice(0, 40)).not.toEqual(examples.map((e) => e.documentId));
  });

  it("does not touch the lists it is given", () => {
    const examples = make(20);
    const before = [...examples];
    planSteps([examples], config(4, 1));
    expect(examples).toEqual(before);
  });

  it("puts examples of similar length together: less than half the padding of batches by chance", () => {
    const examples = make(160);
    const padding = (batches: TokenizedExample[][]) => batches.reduce((n, b) => {
      const longest = Math.max(...b.map((e) => e.ids.length));
      return n + b.reduce((m, e) => m + longest - e.ids.length, 0);
    }, 0);
    const byChance = Array.from({ length: 20 }, (_, i) => examples.slice(i * 8, (i + 1) * 8));
    const planned = planSteps([examples], config(8, 1)).flat();
    expect(padding(planned)).toBeLessThan(0.5 * padding(byChance));
    // Yet the batches do not come by length.
    const lengths = planned.map((b) => b[0]!.ids.length);
    expect(lengths).not.toEqual([...lengths].sort((a, b) => a - b));
  });

  it("takes more steps, and longer examples, than a call can have arguments", async () => {
    const [example] = make(1);
    expect(plannedSteps([Array<TokenizedExample>(200_000).fill(example!)], { ...config(1, 1), shuffle: false })).toHaveLength(200_000);
    await expect(planHash([[[{ ...example!, ids: Array<number>(200_000).fill(1) }]]])).resolves.toMatch(/^[0-9a-f]{64}$/);
  });

  it("has no steps without examples", () => {
    expect(planSteps([], config(2, 2))).toEqual([]);
    expect(planSteps([[]], config(2, 2))).toEqual([]);
  });
});
