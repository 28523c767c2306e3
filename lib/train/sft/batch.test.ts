import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openExecution } from "../execution/open";
import type { Execution } from "../execution/types";
import { MASKED } from "../model/qwen";
import { openNode } from "../runtime/node";
import { referenceModel, relativeL2 } from "../testing/reference";
import { copyOf, largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import { collate, completionTokens, type TokenizedExample } from "./batch";
import { scoreExamples, SftTrainer } from "./trainer";

const example = (ids: number[], promptLength: number): TokenizedExample => ({ ids, promptLength, documentId: "", completionBytes: 0 });
const backend = openNode();

describe("collate", () => {
  const batch = collate([example([5, 6, 7, 8], 2), example([9, 10], 1)], 3);

  it("pads on the right and scores completions only, by hand", () => {
    expect([...batch.feeds.ids.data]).toEqual([5, 6, 7, 8, 9, 10, 3, 3]);
    expect([...batch.feeds.positions.data]).toEqual([0n, 1n, 2n, 3n, 0n, 1n, 2n, 3n]);
    expect([...batch.feeds.rows.data]).toEqual([1, 2, 4]); // the rows that predict 7, 8 and 10
    expect([...batch.feeds.targets.data]).toEqual([7, 8, 10]);
    expect([...batch.exampleOf]).toEqual([0, 0, 1]);
    expect([...batch.rowOf.data]).toEqual([3, 0, 1, 3, 2, 3, 3, 3]);
    expect(batch.tokens).toBe(6);
    expect(batch.completionTokens).toBe(3);
    expect(batch.feeds.mask.shape).toEqual([1, 1, 4, 4]);
    expect([...batch.feeds.mask.data].map((v) => v === 0 ? 1 : v === MASKED ? 0 : NaN)).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1]);
  });

  it("takes no loss on the first token of all, which nothing predicts", () => {
    for (const promptLength of [0, 1]) {
      const { feeds, completionTokens: scored } = collate([example([5, 6, 7], promptLength)]);
      expect(scored).toBe(2);
      expect([...feeds.rows.data]).toEqual([0, 1]);
    }
  });

  it("never scores padding: every row stands for a real token of its example", () => {
    for (let seed = 0; seed < 50; seed++) {
      const examples = randomExamples(seed, 5);
      const { feeds, rowOf, exampleOf, completionTokens: scored } = collate(examples);
      const seq = feeds.positions.shape[1]!;
      expect(scored).toBe(examples.reduce((n, e) => n + completionTokens(e), 0));
      (feeds.rows.data as Int32Array).forEach((row, m) => {
        const b = Math.floor(row / seq), next = (row % seq) + 1;
        expect(exampleOf[m]).toBe(b);
        expect(next).toBeLessThan(examples[b]!.ids.length);
        expect(next).toBeGreaterThanOrEqual(examples[b]!.promptLength);
        expect(feeds.targets.data[m]).toBe(examples[b]!.ids[next]);
        expect(rowOf.data[row]).toBe(m);
      });
      expect([...(rowOf.data as Int32Array)].filter((m) => m < scored)).toHaveLength(scored);
    }
  });

  it("refuses a batch without a token to learn from", () => {
    for (const examples of [[], [example([5], 0)], [example([5, 6], 2)], [example([5, 6], 9)]]) {
      expect(() => collate(examples)).toThrow(expect.objectContaining({ code: "train/empty-batch" }) as Error);
    }
  });

  it("passes over an example that is all prompt, or was cut within its prompt", () => {
    for (const promptLength of [3, 8]) {
      const prompt = example([5, 6, 7], promptLength);
      expect(completionTokens(prompt)).toBe(0);
      const { feeds, completionTokens: scored, exampleOf } = collate([prompt, example([9, 10, 11], 1)]);
      expect(scored).toBe(2);
      expect([...feeds.rows.data]).toEqual([3, 4]);
      expect([...feeds.targets.data]).toEqual([10, 11]);
      expect([...exampleOf]).toEqual([1, 1]);
    }
  });
});

describe("examples in a batch", () => {
  const { config, weights } = referenceModel("qwen3-untied");
  const { lora } = settings();
  const adapter = randomLora(config, lora, 1);
  let execution: Execution;
  beforeAll(async () => {
    execution = await openExecution(backend, { config, weights }, { lora, dropout: 0, maxPositions: 32, tokens: [] });
  });
  afterAll(() => execution.dispose());

  /** Loss and gradients where each example's tokens weigh as `weightOf` says. */
  async function gradientsOf(examples: TokenizedExample[], weightOf: (example: number) => number, pad = 0) {
    const batch = collate(examples, pad);
    return execution.train(batch, { adapter, rowWeights: Float32Array.from(batch.exampleOf, weightOf), dropoutSeed: null, noise: null });
  }

  it("are not touched by padding and neighbours: alone equals beside longer ones", async () => {
    const short = example([7, 21, 3, 40], 2);
    const long = [example(Array.from({ length: 19 }, (_, i) => 1 + 3 * i), 4), example(Array.from({ length: 12 }, (_, i) => 90 - i), 5)];
    const alone = await gradientsOf([short], () => 0.5);
    for (const [examples, place] of [[[short, ...long], 0], [[long[0]!, short, long[1]!], 1]] as const) {
      const beside = await gradientsOf([...examples], (b) => (b === place ? 0.5 : 0));
      expect(Math.abs(beside.loss / alone.loss - 1)).toBeLessThan(1e-6);
      for (const [name, gradient] of alone.gradients) expect(relativeL2(beside.gradients.get(name)!, gradient), name).toBeLessThan(1e-6);
    }
    // Positive control: a neighbour that counts is seen.
    expect(largestDistance((await gradientsOf([short, ...long], () => 0.5)).gradients, alone.gradients)).toBeGreaterThan(0.1);
  });

  it("do not feel which token the padding is", async () => {
    const examples = randomExamples("pad", 4);
    const [zero, other] = [await gradientsOf(examples, () => 0.1), await gradientsOf(examples, () => 0.1, 77)];
    expect(other.loss).toBe(zero.loss);
    expect(largestDistance(other.gradients, zero.gradients)).toBe(0);
  });

  it("give the same gradients in any order", async () => {
    const examples = randomExamples("order", 4);
    const forward = await gradientsOf(examples, () => 0.1);
    const backward = await gradientsOf([...examples].reverse(), () => 0.1);
    expect(Math.abs(backward.loss / forward.loss - 1)).toBeLessThan(1e-6);
    expect(largestDistance(backward.gradients, forward.gradients)).toBeLessThan(1e-5);
  });

  it("have the same held-out loss in batches of any size, in the order given", async () => {
    const examples = randomExamples("score", 7);
    const one = await scoreExamples(execution, examples, 1, adapter);
    for (const size of [2, 3, 7, 50]) {
      const many = await scoreExamples(execution, examples, size, adapter);
      many.forEach((loss, i) => {
        expect(loss.tokens).toBe(completionTokens(examples[i]!));
        expect(Math.abs(loss.nll / one[i]!.nll - 1)).toBeLessThan(1e-5);
      });
    }
    const { loss } = await gradientsOf([examples[2]!], () => 1);
    expect(Math.abs(one[2]!.nll / loss - 1)).toBeLessThan(1e-5);
  });

  it("count the same however a step is divided: 4 × 1 = 2 × 2 = 1 × 4, by token and not by micro-batch", async () => {
    const steps = [0, 1, 2].map((s) => randomExamples(`division-${s}`, 4));
    const run = async (batchSize: number) => {
      const trainer = await SftTrainer.create(backend, config, weights, settings(), copyOf(adapter));
      const losses: number[] = [];
      for (const examples of steps) {
        const microBatches = Array.from({ length: 4 / batchSize }, (_, i) => examples.slice(i * batchSize, (i + 1) * batchSize));
        losses.push((await trainer.step(microBatches, 0.01)).loss);
      }
      await trainer.dispose();
      return { losses, adapter: trainer.adapter };
    };
    const [four, two, one] = [await run(4), await run(2), await run(1)];
    for (const other of [two, one]) {
      other.losses.forEach((loss, i) => expect(Math.abs(loss - four.losses[i]!)).toBeLessThan(1e-5));
      expect(largestDistance(other.adapter, four.adapter)).toBeLessThan(1e-5);
    }
    expect(largestDistance(four.adapter, adapter)).toBeGreaterThan(1e-3); // it did move
    // The examples have different numbers of completion tokens, so that a mean of means would differ.
    expect(new Set(steps[0]!.map(completionTokens)).size).toBeGreaterThan(1);
  });
});
