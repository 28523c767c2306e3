import { describe, expect, it } from "vitest";
import { referenceJson } from "../testing/reference";
import { AdamW } from "./adamw";

interface Case {
  name: string; beta1: number; beta2: number; eps: number; weight_decay: number; start: number[];
  steps: { learning_rate: number; gradient: number[]; parameter: number[] }[];
}

const cases = (referenceJson("operators/adamw.json") as Case[]).map((c) => [c.name, c] as const);
const optionsOf = (c: Case) => ({ beta1: c.beta1, beta2: c.beta2, epsilon: c.eps, weightDecay: c.weight_decay });

/** Largest error over all steps and components; parameters are f32, so that about 1e-7 of them is lost at each step. */
function worstError(c: Case, options: ReturnType<typeof optionsOf>): number {
  const parameter = Float32Array.from(c.start);
  const optimizer = new AdamW(options);
  let worst = 0;
  for (const step of c.steps) {
    optimizer.step(new Map([["p", parameter]]), new Map([["p", Float32Array.from(step.gradient)]]), step.learning_rate);
    step.parameter.forEach((expected, i) => (worst = Math.max(worst, Math.abs(parameter[i]! - expected) / Math.max(1, Math.abs(expected)))));
  }
  return worst;
}

describe("AdamW", () => {
  it.each(cases)("is torch's: %s", (_, c) => {
    expect(worstError(c, optionsOf(c))).toBeLessThan(5e-7);
  });

  it("is not torch's with any one option changed", () => {
    const [, c] = cases[1]!;
    for (const change of [{ beta1: 0.91 }, { beta2: 0.99 }, { epsilon: 1e-7 }, { weightDecay: 0.09 }]) {
      expect(worstError(c, { ...optionsOf(c), ...change }), JSON.stringify(change)).toBeGreaterThan(5e-6);
    }
  });

  it("leaves a parameter without a gradient alone, decay included, and keeps moments apart by name", () => {
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
    const both = new Map([["a", Float32Array.of(1)], ["b", Float32Array.of(2)]]);
    new AdamW(options).step(both, new Map([["a", Float32Array.of(1)]]), 0.1);
    expect(both.get("b")![0]).toBe(2);
    expect(both.get("a")![0]).not.toBe(1);

    const together = new AdamW(options), alone = new AdamW(options);
    const pair = new Map([["a", Float32Array.of(1, 2)], ["b", Float32Array.of(-3)]]);
    const single = new Map([["b", Float32Array.of(-3)]]);
    for (let i = 0; i < 5; i++) {
      together.step(pair, new Map([["a", Float32Array.of(i, -i)], ["b", Float32Array.of(0.3 * i)]]), 0.05);
      alone.step(single, new Map([["b", Float32Array.of(0.3 * i)]]), 0.05);
    }
    expect(pair.get("b")).toEqual(single.get("b"));
  });

  it("moves each component by the learning rate at its first step, whatever the gradient's size", () => {
    const parameter = Float32Array.of(0, 0, 0);
    new AdamW({ beta1: 0.9, beta2: 0.999, epsilon: 1e-12, weightDecay: 0 }).step(new Map([["p", parameter]]), new Map([["p", Float32Array.of(1e-4, -7, 1e4)]]), 0.01);
    [-0.01, 0.01, -0.01].forEach((expected, i) => expect(parameter[i]).toBeCloseTo(expected, 6));
  });
});
