import { describe, expect, it } from "vitest";
import { Random } from "./random";

const draw = (random: Random, n: number): number[] => Array.from({ length: n }, () => random.uint32());

describe("Random", () => {
  it("is sfc32: a known state gives the reference outputs", () => {
    // By hand from the definition: t = a + b + d; a = b ^ b>>>9; b = c + (c<<3); c = rotl(c, 21) + t; d++
    const random = new Random(0);
    random.state = [1, 2, 3, 4];
    expect(random.uint32()).toBe(7);
    expect(random.state).toEqual([2, 27, (3 << 21) + 7, 5]);
    expect(random.uint32()).toBe(34);
  });

  it("repeats a seed and differs between seeds", () => {
    expect(draw(new Random(7), 50)).toEqual(draw(new Random("7"), 50));
    const firsts = Array.from({ length: 2000 }, (_, seed) => new Random(seed).uint32());
    expect(new Set(firsts).size).toBeGreaterThan(1998);
  });

  it("goes on from a restored state, through structured clone", () => {
    const random = new Random("resume");
    draw(random, 17);
    random.normal();
    const state = structuredClone(random.state);
    const expected = [draw(random, 20), random.normal(), random.shuffle([1, 2, 3, 4, 5])];
    const resumed = new Random("another");
    resumed.state = state;
    expect([draw(resumed, 20), resumed.normal(), resumed.shuffle([1, 2, 3, 4, 5])]).toEqual(expected);
  });

  it.each([2, 3, 10, 97])("draws integers below %d evenly (chi-square)", (n) => {
    const random = new Random("chi");
    const counts = new Array<number>(n).fill(0);
    const rounds = n * 1000;
    for (let i = 0; i < rounds; i++) {
      const k = random.int(n);
      counts[k] = (counts[k] ?? NaN) + 1;
    }
    const chi2 = counts.reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0);
    const df = n - 1;
    // 99.9 % quantile by Wilson and Hilferty
    expect(chi2).toBeLessThan(df * (1 - 2 / (9 * df) + 3.09 * Math.sqrt(2 / (9 * df))) ** 3);
  });

  it("is uniform in [0, 1) and normal with mean 0 and variance 1", () => {
    const random = new Random("moments");
    const n = 40_000;
    const uniforms = Array.from({ length: n }, () => random.uniform());
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniforms)).toBeLessThan(1);
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(uniforms)).toBeCloseTo(0.5, 1.9);
    const normals = Array.from({ length: n }, () => random.normal());
    expect(Math.abs(mean(normals))).toBeLessThan(0.02);
    expect(Math.abs(mean(normals.map((x) => x * x)) - 1)).toBeLessThan(0.04);
    expect(Math.abs(mean(normals.map((x) => x ** 4)) - 3)).toBeLessThan(0.25);
    expect(normals.every(Number.isFinite)).toBe(true);
  });

  it("shuffles in place, every order about as often", () => {
    const random = new Random("orders");
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const items = ["a", "b", "c"];
      expect(random.shuffle(items)).toBe(items);
      const key = items.join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    expect([...counts.values()].reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0)).toBeLessThan(20.5); // 99.9 %, 5 degrees of freedom
    expect(random.shuffle([])).toEqual([]);
  });

  it("picks every item", () => {
    const random = new Random("pick");
    expect(new Set(Array.from({ length: 200 }, () => random.pick(["x", "y", "z"])))).toEqual(new Set(["x", "y", "z"]));
  });
});
