import { describe, expect, it } from "vitest";
import { neftuneNoise } from "./noise";

describe("neftuneNoise", () => {
  it("is uniform in ±alpha / √(T · hidden), whatever the number of rows", () => {
    const batch = 3, seq = 50, hidden = 64, alpha = 5;
    const bound = alpha / Math.sqrt(seq * hidden);
    const noise = neftuneNoise(batch, seq, hidden, alpha, "a");
    expect(noise).toHaveLength(batch * seq * hidden);
    const largest = noise.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(0.999 * bound);
    const mean = noise.reduce((sum, v) => sum + v, 0) / noise.length, square = noise.reduce((sum, v) => sum + v * v, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan((4 * bound) / Math.sqrt(3 * noise.length));
    expect(Math.abs(square / (bound ** 2 / 3) - 1)).toBeLessThan(0.04);
  });

  it("repeats a seed, differs between seeds", () => {
    expect(neftuneNoise(1, 4, 8, 5, "a")).toEqual(neftuneNoise(1, 4, 8, 5, "a"));
    expect(neftuneNoise(1, 4, 8, 5, "a")).not.toEqual(neftuneNoise(1, 4, 8, 5, "b"));
  });
});
