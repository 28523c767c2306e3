import { describe, expect, it } from "vitest";
import { referenceJson } from "../testing/reference";
import { learningRateFactor, linearWithWarmup, LR_SCHEDULES, type LrSchedulerType } from "./schedule";

interface Case { type: LrSchedulerType; steps: number; warmup_ratio: number; warmup_steps: number; factors: number[] }
const cases = referenceJson("operators/schedule.json") as Case[];

describe("learningRateFactor", () => {
  it.each(cases.map((c) => [c.type, c.steps, c.warmup_ratio, c] as const))(
    "is transformers' %s over %d steps with warm-up ratio %d", (_, __, ___, { type, steps, warmup_ratio, warmup_steps, factors }) => {
      expect(Math.ceil(steps * warmup_ratio)).toBe(warmup_steps); // as a run turns a ratio into steps
      factors.forEach((factor, step) => expect(Math.abs(learningRateFactor(type, step, steps, warmup_steps) - factor), `step ${step}`).toBeLessThan(2e-9));
    });

  it("is compared for each schedule, and no two are the same", () => {
    expect(new Set(cases.map((c) => c.type))).toEqual(new Set(LR_SCHEDULES));
    const curves = LR_SCHEDULES.map((type) => Array.from({ length: 20 }, (_, step) => learningRateFactor(type, step, 20, 4)).join());
    expect(new Set(curves).size).toBe(LR_SCHEDULES.length);
  });

  it("never exceeds 1 nor falls below 0, and reaches 1 at the end of the warm-up", () => {
    for (const type of LR_SCHEDULES) {
      const factors = Array.from({ length: 60 }, (_, i) => learningRateFactor(type, i, 40, 7));
      expect(Math.max(...factors)).toBe(1);
      expect(Math.min(...factors)).toBeGreaterThanOrEqual(0);
      expect(factors[7]).toBe(1);
      if (type !== "constant") expect(factors.indexOf(1)).toBe(7);
    }
  });
});

describe("linearWithWarmup", () => {
  it("is 0 at the end and never negative beyond it", () => {
    expect(linearWithWarmup(10, 10, 2)).toBe(0);
    expect(linearWithWarmup(25, 10, 2)).toBe(0);
    expect(linearWithWarmup(0, 0, 0)).toBe(0);
  });
});
