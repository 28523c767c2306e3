import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { bootstrap, mean } from "./bootstrap";

describe("bootstrap", () => {
  const random = new Random("bootstrap-test");
  const values = Array.from({ length: 100 }, () => random.normal() * 3 + 10);

  it("comes near the normal interval of a mean", () => {
    const deviation = Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / values.length);
    const { low, high } = bootstrap(values, mean, 1);
    expect(Math.abs(low - (mean(values) - 1.96 * deviation))).toBeLessThan(0.1 * 3.92 * deviation);
    expect(Math.abs(high - (mean(values) + 1.96 * deviation))).toBeLessThan(0.1 * 3.92 * deviation);
  });

  it("is the same for the same seed, and not for another", () => {
    expect(bootstrap(values, mean, 1)).toEqual(bootstrap(values, mean, 1));
    expect(bootstrap(values, mean, 1)).not.toEqual(bootstrap(values, mean, 2));
  });

  it("keeps pairs together", () => {
    const pairs = values.map((value) => ({ one: value, other: value / 2 }));
    const ratio = (sample: typeof pairs) => mean(sample.map(({ one }) => one)) / mean(sample.map(({ other }) => other));
    const { low, high } = bootstrap(pairs, ratio as (sample: readonly { one: number; other: number }[]) => number, 1);
    expect([low, high].map((value) => Number(value.toFixed(9)))).toEqual([2, 2]);
  });

  it("leaves out samples without a value", () => {
    const share = (sample: readonly number[]) => mean(sample.filter((value) => value > 0));
    expect(bootstrap([1, -1], share, 1)).toEqual({ low: 1, high: 1 });
  });
});
