import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { referenceJson } from "../testing/reference";
import { argmax, sampleToken, type SamplerOptions } from "./sampler";

interface Case { logits: number; temperature: number; top_p: number; kept: number[]; probabilities: number[] }
const { logits: allLogits, cases } = referenceJson("sampler/kept.json") as { logits: number[][]; cases: Case[] };

/** Random numbers of which the next is set by hand. */
class Fixed extends Random {
  next = 0;
  constructor() {
    super(0);
  }
  override uniform(): number {
    return this.next;
  }
}

/**
 * How much of [0, 1) leads to each token, found by bisection: every token has one
 * stretch of it, so that two ends with the same token have it all between them.
 */
function distribution(logits: Float32Array, options: SamplerOptions): Map<number, number> {
  const random = new Fixed();
  const shares = new Map<number, number>();
  const at = (u: number) => {
    random.next = u;
    return sampleToken(logits, options, random);
  };
  const explore = (low: number, high: number, first: number, last: number): void => {
    if (first === last || high - low < 1e-12) {
      shares.set(first, (shares.get(first) ?? 0) + high - low);
      if (first !== last) shares.set(last, shares.get(last) ?? 0);
      return;
    }
    const middle = (low + high) / 2, token = at(middle);
    explore(low, middle, first, token);
    explore(middle, high, token, last);
  };
  explore(0, 1 - 2 ** -40, at(0), at(1 - 2 ** -40));
  return shares;
}

const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

describe("sampleToken", () => {
  it.each(cases.map((c) => [c.logits, c.temperature, c.top_p, c] as const))("keeps what transformers keeps: logits %d, temperature %d, top-p %d", (_, temperature, topP, c) => {
    const shares = distribution(Float32Array.from(allLogits[c.logits]!), { temperature, topP });
    // A token of less than 1e-11 can be missed by the bisection; transformers keeps such ones at top-p 1.
    const visible = c.kept.filter((_id, i) => c.probabilities[i]! > 1e-11);
    expect(sorted([...shares.keys()].filter((id) => visible.includes(id) || !c.kept.includes(id)))).toEqual(sorted(visible));
    c.kept.forEach((id, i) => expect(Math.abs((shares.get(id) ?? 0) - c.probabilities[i]!)).toBeLessThan(1e-8));
  });

  it("takes the most likely token at temperature 0, the first of several", () => {
    const random = new Fixed();
    random.next = 0.999;
    expect(sampleToken(Float32Array.of(1, 3, 2), { temperature: 0, topP: 1 }, random)).toBe(1);
    expect(sampleToken(Float32Array.of(1, 3, 3), { temperature: 0, topP: 0.1 }, random)).toBe(1);
    expect(argmax(Float32Array.of(-5, -Infinity, -4))).toBe(2);
  });

  it("draws nothing from the random numbers at temperature 0, one otherwise", () => {
    const [a, b] = [new Random(5), new Random(5)];
    sampleToken(Float32Array.of(1, 2), { temperature: 0, topP: 1 }, a);
    expect(a.state).toEqual(b.state);
    sampleToken(Float32Array.of(1, 2), { temperature: 1, topP: 0.5 }, a);
    b.uniform();
    expect(a.state).toEqual(b.state);
  });

  it("treats ties alike, and at the edge of the nucleus keeps the lower ids", () => {
    const ties = Float32Array.of(0, 2, 2, 2, 2);
    const open = distribution(ties, { temperature: 1, topP: 1 });
    for (const id of [2, 3, 4]) expect(Math.abs(open.get(id)! - open.get(1)!)).toBeLessThan(1e-9);
    expect(sorted(distribution(ties, { temperature: 1, topP: 0.3 }).keys())).toEqual([1, 2]);
    expect(sorted(distribution(new Float32Array(4), { temperature: 1, topP: 0.5 }).keys())).toEqual([0, 1]);
  });

  it("draws as often as the probabilities say (chi-square, fixed seed)", () => {
    const { logits, temperature, top_p: topP, kept, probabilities } = cases.find((c) => c.logits === 0 && c.temperature === 0.7 && c.top_p === 0.8)!;
    const values = Float32Array.from(allLogits[logits]!);
    const random = new Random("frequency");
    const counts = new Map<number, number>();
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      const id = sampleToken(values, { temperature, topP }, random);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(sorted(counts.keys())).toEqual(kept);
    const chi2 = kept.reduce((sum, id, i) => sum + (counts.get(id)! - rounds * probabilities[i]!) ** 2 / (rounds * probabilities[i]!), 0);
    const df = kept.length - 1;
    expect(chi2).toBeLessThan(df * (1 - 2 / (9 * df) + 3.09 * Math.sqrt(2 / (9 * df))) ** 3); // 99.9 %, by Wilson and Hilferty
  });

  it("never draws a token of no probability, whatever the random number", () => {
    const random = new Fixed();
    for (const u of [0, 2 ** -32, 0.5, 1 - 2 ** -32]) {
      random.next = u;
      for (const topP of [0, 0.5, 0.99, 1]) expect(sampleToken(Float32Array.of(-Infinity, 1, -Infinity), { temperature: 1, topP }, random)).toBe(1);
      expect(sampleToken(Float32Array.of(0, 1000, 0), { temperature: 0.01, topP: 1 }, random)).toBe(1);
    }
  });

  it.each([0, 1])("refuses logits that are no numbers, at temperature %d", (temperature) => {
    for (const logits of [[NaN, NaN], [1, NaN, 2], [NaN, 1], [Infinity, 1], [-Infinity, -Infinity]]) {
      expect(() => sampleToken(Float32Array.from(logits), { temperature, topP: 0.9 }, new Random(1)), String(logits)).toThrow(expect.objectContaining({ code: "generate/not-a-number" }) as Error);
    }
  });
});
