import { describe, expect, it } from "vitest";
import { referenceJson } from "../testing/reference";
import { linearWithWarmup } from "./schedule";

interface Case { steps: number; warmup_ratio: number; warmup_steps: number; factors: number[] }

describe("linearWithWarmup", () => {
  it.each((referenceJson("operators/schedule.json") as Case[]).map((c) => [c.steps, c.warmup_ratio, c] as const))(
    "is transformers' over %d steps with warm-up ratio %d", (_, __, { steps, warmup_ratio, warmup_steps, factors }) => {
      expect(Math.ceil(steps * warmup_ratio)).toBe(warmup_steps); // as runSft turns a ratio into steps
      expect(factors.map((_f, step) => Number(linearWithWarmup(step, steps, warmup_steps).toPrecision(9)))).toEqual(factors);
    });

  it("is 0 at the end and never negative beyond it", () => {
    expect(linearWithWarmup(10, 10, 2)).toBe(0);
    expect(linearWithWarmup(25, 10, 2)).toBe(0);
    expect(linearWithWarmup(0, 0, 0)).toBe(0);
  });

  it("never exceeds 1, and reaches it at the end of the warm-up", () => {
    const factors = Array.from({ length: 40 }, (_, i) => linearWithWarmup(i, 40, 7));
    expect(Math.max(...factors)).toBe(1);
    expect(factors.indexOf(1)).toBe(7);
  });
});
