import { describe, expect, it, vi } from "vitest";
import { evaluationPoints, RunControl, runLoop, type LoopPlace } from "./loop";

/** Lets everything that can go on do so. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

interface Options { total: number; evaluations?: number; control?: RunControl; onStep?: (index: number) => void | Promise<void>; onEvaluate?: (done: number) => unknown; from?: LoopPlace; onPausing?: (done: number) => void }

/** Runs the loop and writes down the order of what it did: s0, s1, … and e0, e3, … */
function recorded({ total, evaluations = 2, control = new RunControl(), onStep, onEvaluate, from, onPausing }: Options) {
  const log: string[] = [];
  const result = runLoop({
    totalSteps: total, evaluations, control,
    step: async (index) => {
      log.push(`s${index}`);
      await onStep?.(index);
    },
    evaluate: (done) => {
      log.push(`e${done}`);
      return Promise.resolve(onEvaluate?.(done) === true);
    },
    pausing: (done) => {
      log.push(`p${done}`);
      onPausing?.(done);
      return Promise.resolve();
    },
    ...(from ? { from } : {}),
  });
  return { log, result };
}

describe("evaluationPoints", () => {
  it("spreads them evenly, the end among them", () => {
    expect(evaluationPoints(10, 5)).toEqual([2, 4, 6, 8, 10]);
    expect(evaluationPoints(10, 3)).toEqual([3, 7, 10]);
    expect(evaluationPoints(7, 2)).toEqual([4, 7]);
  });

  it("or has them every so many steps, and at the end", () => {
    expect(evaluationPoints(10, 5, 4)).toEqual([4, 8, 10]);
    expect(evaluationPoints(8, 5, 4)).toEqual([4, 8]);
    expect(evaluationPoints(3, 5, 4)).toEqual([3]);
    expect(evaluationPoints(2, 5, 1)).toEqual([1, 2]);
  });

  it("never asks for more than there are steps, nor for none", () => {
    expect(evaluationPoints(3, 8)).toEqual([1, 2, 3]);
    expect(evaluationPoints(5, 0)).toEqual([5]);
    expect(evaluationPoints(1, 1)).toEqual([1]);
  });

  it("gives distinct rising points that end with the last step", () => {
    for (let total = 1; total < 60; total++) {
      for (let evaluations = 1; evaluations < 12; evaluations++) {
        const points = evaluationPoints(total, evaluations);
        expect(points).toHaveLength(Math.min(total, evaluations));
        expect(points.at(-1)).toBe(total);
        points.forEach((p, i) => expect(p).toBeGreaterThan(points[i - 1] ?? 0));
      }
    }
  });
});

describe("RunControl", () => {
  it("waits only while paused", async () => {
    const control = new RunControl();
    await control.whileRunning();
    control.pause();
    expect(control.paused).toBe(true);
    let went = false;
    const waiting = control.whileRunning().then(() => (went = true));
    await settle();
    expect(went).toBe(false);
    control.resume();
    await waiting;
    expect(control.paused).toBe(false);
    expect(control.stopped).toBe(false);
  });

  it("adds up the time it waited, and no other", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const control = new RunControl();
    for (const waitMs of [4000, 3000]) {
      vi.advanceTimersByTime(500);
      control.pause();
      vi.advanceTimersByTime(20); // the step in hand
      const waiting = control.whileRunning();
      vi.advanceTimersByTime(waitMs);
      control.resume();
      await waiting;
    }
    expect(control.waitedMs).toBe(7000);
    vi.useRealTimers();
  });

  it("stays waiting when resumed and paused again before it woke", async () => {
    const control = new RunControl();
    control.pause();
    let went = false;
    const waiting = control.whileRunning().then(() => (went = true));
    control.resume();
    control.pause();
    await settle();
    expect(went).toBe(false);
    control.resume();
    await waiting;
  });

  it("lets a paused run end when it is stopped, and never wait again", async () => {
    const control = new RunControl();
    control.pause();
    const waiting = control.whileRunning();
    control.stop();
    await waiting;
    await control.whileRunning();
    expect(control.stopped).toBe(true);
  });
});

describe("runLoop", () => {
  it("evaluates before the first step, at the points and at the end, once each", async () => {
    const { log, result } = recorded({ total: 5, evaluations: 2 });
    expect(await result).toEqual({ steps: 5, stopped: false, enough: false });
    expect(log).toEqual(["e0", "s0", "s1", "s2", "e3", "s3", "s4", "e5"]);
  });

  it("has nothing to do without steps", async () => {
    const { log, result } = recorded({ total: 0 });
    expect(await result).toEqual({ steps: 0, stopped: false, enough: false });
    expect(log).toEqual(["e0"]);
  });

  it("stops after the step in hand and measures what is kept", async () => {
    const control = new RunControl();
    const { log, result } = recorded({ total: 10, control, onStep: (i) => void (i === 2 && control.stop()) });
    expect(await result).toEqual({ steps: 3, stopped: true, enough: false });
    expect(log).toEqual(["e0", "s0", "s1", "s2", "e3"]);
  });

  it("does not measure twice where the stop falls on a point", async () => {
    const control = new RunControl();
    const { log, result } = recorded({ total: 10, control, onEvaluate: (done) => void (done === 5 && control.stop()) });
    expect(await result).toEqual({ steps: 5, stopped: true, enough: false });
    expect(log.filter((e) => e.startsWith("e"))).toEqual(["e0", "e5"]);
  });

  it("can be stopped before the first step; a stop during the last step is no early end", async () => {
    const early = new RunControl();
    early.stop();
    const first = recorded({ total: 4, control: early });
    expect(await first.result).toEqual({ steps: 0, stopped: true, enough: false });
    expect(first.log).toEqual(["e0"]);
    const late = new RunControl();
    const second = recorded({ total: 4, control: late, onStep: (i) => void (i === 3 && late.stop()) });
    expect(await second.result).toEqual({ steps: 4, stopped: false, enough: false });
    expect(second.log.at(-1)).toBe("e4");
  });

  it("takes no step while paused, goes on where it was, and can be stopped while paused", async () => {
    const control = new RunControl();
    const { log, result } = recorded({ total: 6, evaluations: 1, control, onStep: (i) => void (i === 1 && control.pause()) });
    await settle();
    expect(log).toEqual(["e0", "s0", "s1", "p2"]);
    control.resume();
    expect(await result).toEqual({ steps: 6, stopped: false, enough: false });
    expect(log).toEqual(["e0", "s0", "s1", "p2", "s2", "s3", "s4", "s5", "e6"]);

    const paused = new RunControl();
    const other = recorded({ total: 6, control: paused, onStep: (i) => void (i === 1 && paused.pause()) });
    await settle();
    paused.stop();
    expect(await other.result).toEqual({ steps: 2, stopped: true, enough: false });
    expect(other.log).toEqual(["e0", "s0", "s1", "p2", "e2"]);
  });

  it("ends where an evaluation says that it is enough, and not as stopped", async () => {
    const { log, result } = recorded({ total: 10, evaluations: 5, onEvaluate: (done) => done === 4 });
    expect(await result).toEqual({ steps: 4, stopped: false, enough: true });
    expect(log).toEqual(["e0", "s0", "s1", "e2", "s2", "s3", "e4"]);
    const last = recorded({ total: 4, evaluations: 2, onEvaluate: (done) => done === 4 });
    expect(await last.result).toEqual({ steps: 4, stopped: false, enough: false }); // its end came with it
  });

  it("goes on from any place and then does exactly what the whole run still does", async () => {
    const options = { total: 7, evaluations: 3 };
    const { log: whole, result } = recorded(options);
    await result;
    for (let cut = 1; cut <= whole.length; cut++) {
      const before = whole.slice(0, cut);
      const evaluated = before.filter((e) => e.startsWith("e")).map((e) => Number(e.slice(1)));
      const from = { done: before.filter((e) => e.startsWith("s")).length, evaluated: evaluated.at(-1) ?? -1, enough: false };
      const { log, result: resumed } = recorded({ ...options, from });
      expect(await resumed).toEqual(await result);
      expect([...before, ...log]).toEqual(whole);
    }
  });

  it("does nothing more where the place says that it was enough", async () => {
    const { log, result } = recorded({ total: 7, from: { done: 3, evaluated: 3, enough: true } });
    expect(await result).toEqual({ steps: 3, stopped: false, enough: true });
    expect(log).toEqual([]);
  });

  it("passes on what a step or an evaluation throws, and does nothing after it", async () => {
    const failing = recorded({ total: 6, onStep: (i) => { if (i === 2) throw new Error("no number"); } });
    await expect(failing.result).rejects.toThrow("no number");
    expect(failing.log).toEqual(["e0", "s0", "s1", "s2"]);
    const other = recorded({ total: 6, onEvaluate: (done) => { if (done === 3) throw new Error("lost"); } });
    await expect(other.result).rejects.toThrow("lost");
    expect(other.log.at(-1)).toBe("e3");
  });
});
