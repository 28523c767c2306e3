/** Against bitsandbytes' own AdamW8bit, computed in float64 (tools/reference/operators.py). */
import { describe, expect, it } from "vitest";
import { fault } from "../testing/fault";
import { referenceJson } from "../testing/reference";
import { AdamW } from "./adamw";
import { AdamW8bit, MIN_8BIT_SIZE } from "./adamw8bit";
import type { AdamWOptions } from "./adamw";
import { createOptimizer, OPTIMIZERS, type Optimizer } from "./optimizer";

interface Case {
  name: string; count: number; beta1: number; beta2: number; eps: number; weight_decay: number; learning_rate: number;
  parameter: number[]; absmax1: number[]; absmax2: number[];
}
const cases = (referenceJson("operators/adamw8bit.json") as Case[]).map((c) => [c.name, c] as const);
const optionsOf = (c: Case): AdamWOptions => ({ beta1: c.beta1, beta2: c.beta2, epsilon: c.eps, weightDecay: c.weight_decay });
const options: AdamWOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/** As `drawn` in tools/reference/operators.py. */
function drawn(step: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 2654435761) + Math.imul(step, 2246822519) + 374761393) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 2246822519) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 3266489917) >>> 0;
    return ((h >>> 12) / 2 ** 19 - 1) / 2 ** (2 * (i % 11));
  });
}

function fiftySteps(c: Case, optimizer: Optimizer): Float32Array {
  const parameter = drawn(0, c.count);
  for (let step = 1; step <= 50; step++) {
    const gradient = drawn(step, c.count);
    if (step > 25) for (let i = 0; i < c.count; i += 3) gradient[i] = 0;
    optimizer.step(new Map([["p", parameter]]), new Map([["p", gradient]]), (c.learning_rate * step) / 50);
  }
  return parameter;
}
const worst = (c: Case, parameter: Float32Array) => Math.max(...c.parameter.map((expected, i) => Math.abs(parameter[7 * i]! - expected)));

describe("AdamW8bit", () => {
  it.each(cases)("is bitsandbytes' after 50 steps: %s", (_, c) => {
    const optimizer = new AdamW8bit(optionsOf(c));
    expect(worst(c, fiftySteps(c, optimizer))).toBeLessThan(1e-4);
    const { tensors } = optimizer.state();
    for (const part of ["absmax1", "absmax2"] as const) {
      const found = tensors.get(`p:${part}`)!;
      expect(found).toHaveLength(Math.ceil(c.count / 256));
      c[part].forEach((expected, i) => expect(Math.abs(found[i]! / expected - 1)).toBeLessThan(1e-4));
    }
  });

  it("is told from moments in f32 and from any one option changed", () => {
    for (const [, c] of cases) {
      expect(worst(c, fiftySteps(c, new AdamW(optionsOf(c))))).toBeGreaterThan(1e-3);
      for (const change of [{ beta1: c.beta1 + 0.01 }, { beta2: c.beta2 - 0.01 }, { epsilon: 1e-4 }, { weightDecay: 0.2 }]) {
        expect(worst(c, fiftySteps(c, new AdamW8bit({ ...optionsOf(c), ...change }))), JSON.stringify(change)).toBeGreaterThan(1e-4);
      }
    }
  });

  it("keeps moments of small tensors in f32, as AdamW", () => {
    const run = (optimizer: Optimizer, count: number) => {
      const parameter = drawn(0, count);
      for (let step = 1; step <= 5; step++) optimizer.step(new Map([["p", parameter]]), new Map([["p", drawn(step, count)]]), 0.01);
      return parameter;
    };
    expect(run(new AdamW8bit(options), MIN_8BIT_SIZE - 1)).toEqual(run(new AdamW(options), MIN_8BIT_SIZE - 1));
    expect(run(new AdamW8bit(options), MIN_8BIT_SIZE)).not.toEqual(run(new AdamW(options), MIN_8BIT_SIZE));
  });

  it("holds about a quarter of the memory", () => {
    const bytes = (optimizer: Optimizer) => {
      optimizer.step(new Map([["p", drawn(0, 8192)]]), new Map([["p", drawn(1, 8192)]]), 0.01);
      return [...optimizer.state().tensors.values()].reduce((n, t) => n + t.byteLength, 0);
    };
    expect(bytes(new AdamW8bit(options))).toBeLessThan(0.26 * bytes(new AdamW(options)));
  });
});

describe.each(OPTIMIZERS)("the state of %s", (name) => {
  const sizes = { small: 100, large: 5000 };
  const parameters = () => new Map(Object.entries(sizes).map(([key, size]) => [key, drawn(0, size)]));
  const gradients = (step: number) => new Map(Object.entries(sizes).map(([key, size]) => [key, drawn(step, size)]));
  const steps = (optimizer: Optimizer, of: Map<string, Float32Array>, from: number, to: number) => {
    for (let step = from; step < to; step++) optimizer.step(of, gradients(step), 0.01);
  };

  it("put back goes on to the last bit, and is a copy", () => {
    const first = createOptimizer(name, options), whole = parameters();
    steps(first, whole, 1, 6);
    const state = first.state(), kept = new Map([...whole].map(([key, data]) => [key, data.slice()]));
    steps(first, whole, 6, 12);
    const second = createOptimizer(name, options);
    second.restore(state, kept);
    steps(second, kept, 6, 12);
    expect(kept).toEqual(whole);
    expect(second.state()).toEqual(first.state());
    // Without it the steps come out otherwise.
    const fresh = new Map([...parameters()]);
    steps(createOptimizer(name, options), fresh, 6, 12);
    expect(fresh).not.toEqual(whole);
  });

  it("that does not fit is refused, and changes nothing", () => {
    const optimizer = createOptimizer(name, options), of = parameters();
    steps(optimizer, of, 1, 3);
    const state = optimizer.state();
    const [someKey, some] = [...state.tensors].at(-1)!;
    const broken = [
      { ...state, steps: -1 },
      { ...state, steps: 0.5 },
      { ...state, tensors: new Map([...state.tensors, ["other:exp_avg", new Float32Array(3)]]) },
      { ...state, tensors: new Map([...state.tensors, [someKey, some.subarray(1)]]) },
      { ...state, tensors: new Map([...state.tensors, [someKey, some instanceof Uint8Array ? new Float32Array(some.length) : new Uint8Array(some.length)]]) },
      { ...state, tensors: new Map([...state.tensors].slice(0, -1)) },
      createOptimizer(name === "adamw" ? "adamw_8bit" : "adamw", options).state(),
    ];
    for (const wrong of broken.slice(0, -1)) expect(fault(() => optimizer.restore(wrong, of)).code).toBe("train/optimizer-state");
    expect(optimizer.state()).toEqual(state);
    // The other optimizer's state of a large tensor is refused too.
    const other = createOptimizer(name === "adamw" ? "adamw_8bit" : "adamw", options);
    steps(other, parameters(), 1, 2);
    expect(fault(() => optimizer.restore(other.state(), of)).code).toBe("train/optimizer-state");
  });
});
