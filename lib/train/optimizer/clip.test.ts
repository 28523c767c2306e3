import { describe, expect, it } from "vitest";
import { referenceJson } from "../testing/reference";
import { clipGradientNorm } from "./clip";

interface Case { max_norm: number; gradients: number[][]; norm: number; clipped: number[][] }

describe("clipGradientNorm", () => {
  it.each((referenceJson("operators/clip.json") as Case[]).map((c) => [c.norm, c.max_norm, c] as const))(
    "is torch's for a norm of %d and a limit of %d", (_, __, { max_norm, gradients, norm, clipped }) => {
      const tensors = gradients.map((g) => Float32Array.from(g));
      expect(Math.abs(clipGradientNorm(tensors, max_norm) / norm - 1)).toBeLessThan(1e-6);
      tensors.forEach((t, k) => t.forEach((v, i) => expect(Math.abs(v - clipped[k]![i]!)).toBeLessThanOrEqual(2e-7 * Math.abs(clipped[k]![i]!))));
    });

  it("leaves gradients alone where the limit is 0 or not reached", () => {
    const make = () => [Float32Array.of(3, 0), Float32Array.of(4)];
    for (const limit of [0, 5.1]) {
      const gradients = make();
      expect(clipGradientNorm(gradients, limit)).toBe(5);
      expect(gradients).toEqual(make());
    }
  });

  it("is 0 for gradients that are 0, and takes any iterable", () => {
    const zeros = new Map([["a", new Float32Array(3)]]);
    expect(clipGradientNorm(zeros.values(), 1)).toBe(0);
    expect([...zeros.get("a")!]).toEqual([0, 0, 0]);
    expect(clipGradientNorm([], 1)).toBe(0);
  });

  it("says so when a gradient is no number", () => {
    expect(clipGradientNorm([Float32Array.of(1, NaN)], 1)).toBeNaN();
    expect(clipGradientNorm([Float32Array.of(1, Infinity)], 1)).toBe(Infinity);
  });
});
