import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { openExecution } from "../execution/open";
import { openNode } from "../runtime/node";
import { f32, type NdArray } from "../runtime/session";
import { referenceModel } from "../testing/reference";
import { copyOf, largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import { collate } from "./batch";
import { dropoutMask } from "./dropout";
import { SftTrainer } from "./trainer";

const backend = openNode();
const zeros = (mask: Float32Array) => mask.reduce((n, v) => n + (v === 0 ? 1 : 0), 0);

describe("dropoutMask", () => {
  it.each([0.01, 0.05, 0.3, 0.5, 0.9])("drops a share of %d and scales the rest, so that the mean is 1", (p) => {
    const n = 200_000;
    const mask = dropoutMask(n, p, new Random(`share-${p}`));
    const kept = Math.fround(1 / (1 - p));
    expect(mask.every((v) => v === 0 || v === kept)).toBe(true);
    expect(Math.abs(zeros(mask) - n * p)).toBeLessThan(4 * Math.sqrt(n * p * (1 - p)));
    expect(Math.abs(mask.reduce((sum, v) => sum + v, 0) / n - 1)).toBeLessThan(4 * Math.sqrt(p / (1 - p) / n));
  });

  it("drops each place as often, the first and the last among them", () => {
    const random = new Random("places");
    const length = 7, rounds = 20_000, p = 0.2;
    const counts = new Array<number>(length).fill(0);
    for (let i = 0; i < rounds; i++) dropoutMask(length, p, random).forEach((v, k) => (counts[k]! += v === 0 ? 1 : 0));
    for (const count of counts) expect(Math.abs(count - rounds * p)).toBeLessThan(4 * Math.sqrt(rounds * p * (1 - p)));
  });

  it("drops neighbours independently", () => {
    const mask = dropoutMask(200_000, 0.3, new Random("neighbours"));
    let both = 0;
    for (let i = 1; i < mask.length; i++) if (mask[i] === 0 && mask[i - 1] === 0) both++;
    expect(Math.abs(both / mask.length - 0.09)).toBeLessThan(0.004);
  });

  it("repeats a seed, differs between seeds, and drops nothing for p = 0", () => {
    const make = (seed: string, p = 0.3) => dropoutMask(500, p, new Random(seed));
    expect(make("a")).toEqual(make("a"));
    expect(make("a")).not.toEqual(make("b"));
    expect(make("a", 0).every((v) => v === 1)).toBe(true);
    expect(dropoutMask(0, 0.5, new Random(1))).toHaveLength(0);
  });
});

describe("dropout in training", () => {
  const { config, weights } = referenceModel("qwen2-tied");
  const { lora } = settings({ lora: { dropout: 0.3 } });
  const adapter = randomLora(config, lora, "dropout");
  const examples = randomExamples("dropout", 3);
  const batch = collate(examples);
  const rowWeights = new Float32Array(batch.completionTokens).fill(1 / batch.completionTokens);
  async function open(dropout: number) {
    const execution = await openExecution(backend, { config, weights }, { lora, dropout, maxPositions: 32, tokens: [] });
    /** @param seed of the masks; null: masks of ones */
    const run = (tensors: ReadonlyMap<string, Float32Array>, seed: string | null = null) =>
      execution.train(batch, { adapter: tensors, rowWeights, dropoutSeed: seed, noise: null });
    return { run, dispose: () => execution.dispose() };
  }

  it("gradients are those of finite differences under the same masks", async () => {
    const { run, dispose } = await open(0.3);
    const at = await run(adapter, "one");
    for (const [name, gradient] of at.gradients) {
      const norm = Math.hypot(...gradient);
      const slope = async (step: number) => {
        const along = async (sign: number) => {
          const moved = copyOf(adapter);
          moved.get(name)!.forEach((v, i, data) => (data[i] = v + (sign * step * gradient[i]!) / norm));
          return (await run(moved, "one")).loss;
        };
        return ((await along(1)) - (await along(-1))) / (2 * step);
      };
      const [coarse, fine] = [await slope(0.012), await slope(0.006)];
      const numeric = (4 * fine - coarse) / 3; // Richardson; the loss is f32, so that about 2e-5 of it is noise
      expect(Math.abs(numeric - norm), name).toBeLessThan(1e-3 * Math.max(norm, 0.5));
      expect(norm, name).toBeGreaterThan(0.3); // far above that noise
    }
    expect(largestDistance((await run(adapter, "two")).gradients, at.gradients)).toBeGreaterThan(0.05); // the masks matter
    await dispose();
  });

  it("with masks of ones is training without dropout", async () => {
    const [on, off] = [await open(0.3), await open(0)];
    const [a, b] = [await on.run(adapter), await off.run(adapter)];
    expect(Math.abs(a.loss / b.loss - 1)).toBeLessThan(1e-6);
    expect(largestDistance(a.gradients, b.gradients)).toBeLessThan(1e-5);
    await on.dispose();
    await off.dispose();
  });

  it("does not change the first gradient's expectation: the mean over many masks of dB at B = 0 is dB without", async () => {
    // With B zero the loss does not depend on the masks, and dB is linear in them: its mean is exact.
    const fresh = copyOf(adapter);
    for (const [name, data] of fresh) if (name.endsWith("lora_B")) data.fill(0);
    const [on, off] = [await open(0.3), await open(0)];
    const expected = await off.run(fresh);
    const mean = new Map([...adapter].map(([name, data]) => [name, new Float32Array(data.length)]));
    const rounds = 400;
    let single = 0;
    for (let i = 0; i < rounds; i++) {
      const { loss, gradients } = await on.run(fresh, `mean-${i}`);
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-6);
      for (const [name, gradient] of gradients) gradient.forEach((v, k) => (mean.get(name)![k]! += v / rounds));
      if (i === 0) single = distanceOfB(gradients, expected.gradients);
    }
    const averaged = distanceOfB(mean, expected.gradients);
    expect(single).toBeGreaterThan(0.2);
    expect(averaged).toBeLessThan((1.5 * single) / Math.sqrt(rounds)); // falls as chance errors do
    await on.dispose();
    await off.dispose();
  });

  it("draws other masks for every group of projections, micro-batch and step, and the same for the same seed", async () => {
    const seen: Record<string, NdArray>[] = [];
    const spying = { ...backend, ort: { ...backend.ort, InferenceSession: { create: async (...args: Parameters<typeof backend.ort.InferenceSession.create>) => {
      const session = await backend.ort.InferenceSession.create(...args);
      const run = session.run.bind(session);
      session.run = ((tensors: Parameters<typeof run>[0]) => {
        seen.push(Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith("dropout.")).map(([name, t]) =>
          [name, f32((t as unknown as { data: Float32Array }).data.slice(), [])])));
        return run(tensors);
      });
      return session;
    } } } };
    const same = examples.slice(0, 1);
    const record = async (seed: number) => {
      seen.length = 0;
      const trainer = await SftTrainer.create(spying, config, weights, settings({ seed, lora: { dropout: 0.3 } }), copyOf(adapter));
      for (let step = 0; step < 2; step++) await trainer.step([same, same], 0);
      await trainer.evaluate(same);
      await trainer.dispose();
      return seen.map((s) => Object.fromEntries(Object.entries(s).map(([name, { data }]) => [name, (data as Float32Array).join()])));
    };
    const first = await record(1);
    expect(first.map((s) => Object.keys(s).length)).toEqual([8, 8, 8, 8, 0]); // four groups of two layers; none in evaluation
    const masksSeen = first.flatMap((s) => Object.values(s));
    expect(new Set(masksSeen).size).toBe(masksSeen.length);
    expect(await record(1)).toEqual(first);
    expect((await record(2))[0]).not.toEqual(first[0]);
  });
});

/** Relative L2 distance over all B together. */
function distanceOfB(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let difference = 0, norm = 0;
  for (const [name, data] of b) {
    if (!name.endsWith("lora_B")) continue;
    data.forEach((v, i) => {
      difference += (a.get(name)![i]! - v) ** 2;
      norm += v ** 2;
    });
  }
  return Math.sqrt(difference / norm);
}
