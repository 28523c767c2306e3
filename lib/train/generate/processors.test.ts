/** Logits processors against transformers' (tools/reference/sampler.py), and selection against plain sorting. */
import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { referenceJson } from "../testing/reference";
import { forbid } from "./banned";
import { checkSampler, keep, penalise, type SamplerOptions } from "./processors";
import { sampleToken, sampleWithLogProbs } from "./sampler";

interface Case {
  logits: number; temperature: number; top_k: number; top_p: number; min_p: number; repetition_penalty: number;
  banned: boolean; kept: number[]; probabilities: number[];
}
const { logits: allLogits } = referenceJson("sampler/kept.json") as { logits: number[][] };
const { written, banned, cases } = referenceJson("sampler/combined.json") as { written: number[]; banned: number[][]; cases: Case[] };

const optionsOf = (c: Case): SamplerOptions =>
  ({ temperature: c.temperature, topK: c.top_k, topP: c.top_p, minP: c.min_p, repetitionPenalty: c.repetition_penalty });
const named = cases.map((c) => [`k ${c.top_k}, p ${c.top_p}, min-p ${c.min_p}, penalty ${c.repetition_penalty}, temperature ${c.temperature}, bans ${c.banned}`, c] as const);

describe("logits processors", () => {
  it.each(named)("keep what transformers keeps: %s", (_, c) => {
    const logits = Float32Array.from(allLogits[c.logits]!);
    penalise(logits, new Set(written), c.repetition_penalty);
    if (c.banned) forbid(logits, written, banned);
    const kept = keep(logits, optionsOf(c));
    const possible = [...kept.ids].filter((_id, i) => kept.weights[i]! > 0);
    expect(possible).toEqual(c.kept);
    c.probabilities.forEach((p, i) => expect(Math.abs(kept.weights[i]! / kept.total - p)).toBeLessThan(1e-6));
  });

  it("select as sorting would, ties included (random rows)", () => {
    const random = new Random("rows");
    for (let round = 0; round < 400; round++) {
      const vocab = 1 + random.int(40);
      const steps = random.pick([2, 5, 1000]); // few different values make ties
      const logits = Float32Array.from({ length: vocab }, () => random.int(steps) / (steps / 6));
      const options = { temperature: random.pick([0.5, 1, 2]), topK: random.int(12), topP: random.pick([0, 0.3, 0.77, 0.93, 1]), minP: random.pick([0, 0, 0.2, 1]) };
      expect([...keep(logits.slice(), options).ids], JSON.stringify([options, [...logits]])).toEqual(bySorting(logits, options));
    }
  });

  it("select from rows as wide as the largest vocabulary", () => {
    const random = new Random("wide");
    const logits = Float32Array.from({ length: 151_936 }, () => 3 * random.normal());
    for (const options of [{ temperature: 1, topP: 0.9 }, { temperature: 1, topK: 50 }, { temperature: 1.5, topK: 20_000, topP: 0.95, minP: 0.01 }]) {
      expect([...keep(logits.slice(), options).ids]).toEqual(bySorting(logits, options));
    }
    const equal = new Float32Array(151_936); // nothing sets one token apart from another
    expect(keep(equal, { temperature: 1, topP: 0.5 }).ids).toHaveLength(151_936 / 2);
    expect(keep(equal, { temperature: 1, topK: 5 }).ids).toHaveLength(151_936);
  });

  it.each([{ temperature: NaN }, { temperature: -1 }, { temperature: Infinity }, { topP: 1.1 }, { topP: -0.1 }, { topK: -1 }, { topK: 1.5 }, { minP: 2 }, { minP: NaN }, { repetitionPenalty: 0 }, { repetitionPenalty: -1 }])("are refused numbers without meaning: %j", (change) => {
    expect(() => checkSampler({ temperature: 1, ...change })).toThrow(expect.objectContaining({ code: "generate/options" }) as Error);
    expect(() => checkSampler({ temperature: 0, topP: 0, topK: 3, minP: 1, repetitionPenalty: 0.5 })).not.toThrow();
  });
});

/** The definition, by sorting. */
function bySorting(logits: Float32Array, { temperature, topP = 1, topK = 0, minP = 0 }: SamplerOptions): number[] {
  const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
  const lowest = topK > 0 ? logits[order[Math.min(topK, order.length) - 1]!]! : -Infinity;
  const kept = order.filter((i) => logits[i]! >= lowest);
  const weightOf = (i: number) => Math.exp((logits[i]! - logits[order[0]!]!) / temperature);
  const total = kept.reduce((sum, i) => sum + weightOf(i), 0);
  let sum = 0;
  const nucleus = topP < 1 ? kept.filter((i, rank) => {
    const before = sum;
    sum += weightOf(i);
    return rank === 0 || before < topP * total;
  }) : kept;
  return nucleus.filter((i) => weightOf(i) >= minP).sort((a, b) => a - b);
}

describe("log-probabilities of what was drawn", () => {
  const logSoftmax = (values: readonly number[], at: number) => values[at]! - Math.log(values.reduce((s, v) => s + Math.exp(v), 0));

  it("are the model's, the model's at the temperature, and the sampler's", () => {
    const logits = [1, -0.5, 2.25, 0.75, -3];
    const options = { temperature: 0.5, topK: 3, repetitionPenalty: 1.5 };
    const seen = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { token, logProbs } = sampleWithLogProbs(Float32Array.from(logits), options, new Random(seed), { tokens: [2, 4] });
      seen.add(token);
      const left = [0, 2, 3]; // after the penalty 1, 1.5, 0.75
      expect(left).toContain(token);
      expect(logProbs.model).toBeCloseTo(logSoftmax(logits, token), 6);
      expect(logProbs.tempered).toBeCloseTo(logSoftmax(logits.map((l) => l / 0.5), token), 6);
      expect(logProbs.sampled).toBeCloseTo(logSoftmax([1, 1.5, 0.75].map((l) => l / 0.5), left.indexOf(token)), 6);
    }
    expect(seen.size).toBe(3);
  });

  it("at temperature 0 are the model's, and certainty", () => {
    const { token, logProbs } = sampleWithLogProbs(Float32Array.of(0, 3, 1), { temperature: 0 }, new Random(1), { tokens: [], banned: [[1]] });
    expect(token).toBe(2);
    expect(logProbs.sampled).toBe(0);
    expect(logProbs.model).toBeCloseTo(logSoftmax([0, 3, 1], 2), 6);
    expect(logProbs.tempered).toBe(logProbs.model);
  });

  it("draw the same token as without them", () => {
    const random = new Random("logits");
    for (let seed = 0; seed < 20; seed++) {
      const logits = Float32Array.from({ length: 50 }, () => random.normal());
      const options = { temperature: 1, topP: 0.8, minP: 0.02 };
      expect(sampleWithLogProbs(logits.slice(), options, new Random(seed)).token).toBe(sampleToken(logits.slice(), options, new Random(seed)));
    }
  });
});
