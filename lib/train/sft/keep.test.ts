import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { bestState, recommendedState, stepsToKeep, type KeptState } from "./keep";

const states = (losses: readonly (number | null)[], bytes = 10): KeptState[] => losses.map((loss, i) => ({ step: 10 * i, loss, bytes }));
const limits = (maxCount: number, maxBytes = 1e9) => ({ maxCount, maxBytes });

describe("stepsToKeep", () => {
  it("keeps everything while there is room", () => {
    expect(stepsToKeep(states([5, 4, 3]), limits(3))).toEqual([0, 10, 20]);
    expect(stepsToKeep([], limits(3))).toEqual([]);
  });

  it("keeps the best before the last, the last before the first, and lets go where the least gap is left", () => {
    const u = states([5, 4, 3.5, 3, 3.2, 3.4, 3.6, 3.8, 4, 4.2, 4.4]);
    expect(stepsToKeep(u, limits(1))).toEqual([30]);
    expect(stepsToKeep(u, limits(2))).toEqual([30, 100]);
    expect(stepsToKeep(u, limits(3))).toEqual([0, 30, 100]);
    for (const count of [4, 5, 6, 7]) {
      const kept = stepsToKeep(u, limits(count));
      expect(kept).toHaveLength(count);
      for (const step of [0, 30, 100]) expect(kept).toContain(step);
      expect(Math.max(...kept.slice(1).map((step, i) => step - kept[i]!))).toBeLessThanOrEqual(300 / count);
    }
  });

  it("bounds the bytes, but keeps the best whatever its size", () => {
    const some = states([5, 4, 3, 3.5, 3.6], 100);
    expect(stepsToKeep(some, limits(9, 299))).toEqual([20, 40]);
    expect(stepsToKeep(some, limits(9, 10))).toEqual([20]);
  });

  it("keeps what it is told to, in the bounds and beyond", () => {
    expect(stepsToKeep(states([5, 4, 3, 3.5, 3.6]), limits(2), [10])).toEqual([10, 20]);
    expect(stepsToKeep(states([5, 4, 3, 3.5, 3.6]), limits(1, 1), [10, 30, 999])).toEqual([10, 20, 30]);
  });

  it("takes the last for the best where nothing was measured, and passes over losses that are no numbers", () => {
    expect(stepsToKeep(states([null, null, null]), limits(1))).toEqual([20]);
    expect(stepsToKeep(states([3, NaN, -Infinity, null]), limits(1))).toEqual([0]);
    expect(bestState(states([3, 2, 2]))?.step).toBe(10);
    expect(bestState([])).toBeNull();
  });

  it("stays evenly spread and bounded when states come one by one, in any course", () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = new Random(`keep-${seed}`);
      let kept: KeptState[] = [];
      let best = Infinity, bestStep = -1;
      for (let step = 0; step <= 300; step += 5) {
        const loss = 4 + random.normal();
        if (loss < best) [best, bestStep] = [loss, step];
        const all = [...kept, { step, loss, bytes: 7 }];
        const steps = stepsToKeep(all, limits(8, 60));
        kept = all.filter((state) => steps.includes(state.step));
        expect(kept.length).toBeLessThanOrEqual(8);
        const ofKept = kept.map((state) => state.step);
        expect(ofKept).toContain(bestStep);
        expect(ofKept).toContain(step);
        expect(ofKept).toContain(0);
      }
      expect(kept).toHaveLength(8);
      const gaps = kept.slice(1).map((state, i) => state.step - kept[i]!.step);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(2.5 * (300 / 7));
    }
  });
});

it("recommendedState goes by the reading of the curve, else by the loss", () => {
  const some = states([5, 3, 3.001]);
  expect(recommendedState(some, 20)?.step).toBe(20);
  expect(recommendedState(some, 15)?.step).toBe(10);
  expect(recommendedState(some, null)?.step).toBe(10);
  expect(recommendedState([], 10)).toBeNull();
});
