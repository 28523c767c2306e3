import { describe, expect, it } from "vitest";
import { timeBackend } from "./calibrate";
import { openNode } from "./node";
import { openSessions } from "./session";
import { calibrateThreads, threadCandidates } from "./threads";

const timed = (times: Record<number, number>) => (threads: number) => {
  const ms = times[threads];
  return ms === undefined ? Promise.reject(new Error(`no ${threads}`)) : Promise.resolve(ms);
};

describe("threadCandidates", () => {
  it.each([[1, [1]], [2, [1, 2]], [3, [1, 2, 3]], [8, [1, 4, 8]], [64, [1, 8, 16]], [0, [1]]])("%d cores", (cores, expected) => {
    expect(threadCandidates(cores)).toEqual(expected);
  });
});

describe("calibrateThreads", () => {
  it("takes the quickest", async () => {
    expect(await calibrateThreads(timed({ 1: 9, 4: 3, 8: 5 }), [1, 4, 8])).toEqual({ threads: 4, times: [{ threads: 1, ms: 9 }, { threads: 4, ms: 3 }, { threads: 8, ms: 5 }] });
  });

  it("takes fewer threads where more win nothing", async () => {
    expect((await calibrateThreads(timed({ 1: 9, 4: 3.1, 8: 3 }), [1, 4, 8])).threads).toBe(4);
    expect((await calibrateThreads(timed({ 1: 3, 4: 3, 8: 3 }), [1, 4, 8])).threads).toBe(1);
  });

  it("passes over a count that fails, and fails with the last where all do", async () => {
    expect(await calibrateThreads(timed({ 4: 3 }), [1, 4, 8])).toEqual({ threads: 4, times: [{ threads: 4, ms: 3 }] });
    await expect(calibrateThreads(timed({}), [1, 2])).rejects.toThrow("no 2");
  });

  it("times one count after the other", async () => {
    let running = 0, most = 0;
    await calibrateThreads(async (threads) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return threads;
    }, [1, 2, 3]);
    expect(most).toBe(1);
  });
});

describe("timeBackend", () => {
  it("is the median of the runs after warm-up, on a clock of its caller's", async () => {
    // A clock that moves by 1000 in a warm-up run, and by 1, 2, 3, … in the runs after.
    let calls = 0, time = 0;
    const clock = () => {
      const run = Math.floor(calls / 2);
      if (calls++ % 2 === 1) time += run < 2 ? 1000 : run - 1;
      return time;
    };
    expect(await timeBackend(openNode(), clock)).toBe(5); // of 1 … 9
    expect(calls).toBe(2 * 11);
    expect(openSessions()).toBe(0);
  });

  it("stops early on a slow machine", async () => {
    let calls = 0;
    expect(await timeBackend(openNode(), () => 500 * calls++)).toBe(500);
    expect(calls).toBe(2 * 5);
  });
});
