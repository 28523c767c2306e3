import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openExecution } from "../execution/open";
import type { Execution } from "../execution/types";
import { RunControl } from "../loop";
import { learningRateFactor, LR_SCHEDULES } from "../optimizer/schedule";
import { openNode } from "../runtime/node";
import { referenceModel } from "../testing/reference";
import { copyOf, largestDistance, randomExamples, settings } from "../testing/tiny";
import { decodeCheckpoint, machineOf, type SftCheckpoint } from "./checkpoint";
import type { SftConfig } from "./config";
import { fineTune, type FineTuneHooks } from "./fine-tune";
import { planSteps } from "./plan";
import { executionSettings, SftTrainer, startingAdapter } from "./trainer";

const backend = openNode();
const { config: model, weights } = referenceModel("qwen2-tied");
const base = settings({ learningRate: 0.01, maxSteps: 12, evaluations: 3, saveSteps: 1000 });
const validation = randomExamples("held out", 4);
let execution: Execution;

beforeAll(async () => {
  execution = await openExecution(backend, { config: model, weights }, executionSettings(base));
  return () => execution.dispose();
});
afterEach(() => void vi.useRealTimers());

function run(changes: Partial<SftConfig>, hooks: FineTuneHooks = {}, { heldOut = validation, control = new RunControl(), resume = null as SftCheckpoint | null } = {}) {
  const config = { ...base, ...changes };
  const trainer = SftTrainer.on(execution, model, config, startingAdapter(model, weights, config));
  const plan = planSteps([randomExamples("learned from", 16)], config);
  return fineTune(trainer, plan, heldOut, config, machineOf(backend, weights, execution.plan), control, hooks, resume);
}

/** Checkpoints as they came. */
function collected() {
  const all: { bytes: Uint8Array; done: number }[] = [];
  return { all, hooks: { checkpoint: (bytes: Uint8Array, done: number) => void all.push({ bytes, done }) } };
}

describe("fineTune", () => {
  it.each(LR_SCHEDULES)("follows the schedule %s, with a warm-up by steps or by share", async (lrSchedulerType) => {
    for (const [changes, warmup] of [[{ warmupSteps: 3 }, 3], [{ warmupRatio: 0.4 }, 5], [{ warmupSteps: 2, warmupRatio: 0.9 }, 2]] as const) {
      const rates: number[] = [];
      await run({ ...changes, lrSchedulerType, maxSteps: 12 }, { step: (_, { learningRate }) => void rates.push(learningRate) }, { heldOut: [] });
      expect(rates).toEqual(Array.from({ length: 12 }, (_, i) => 0.01 * learningRateFactor(lrSchedulerType, i, 12, warmup)));
    }
  });

  it("keeps the last adapter where nothing is held out", async () => {
    let last = new Map<string, Float32Array>();
    const log: string[] = [];
    const result = await run({}, { heldOut: () => void log.push("heldOut"), evaluated: (done, adapter) => { log.push(`evaluated ${done}`); last = copyOf(adapter); } }, { heldOut: [] });
    expect(log).toEqual(["evaluated 0", "evaluated 4", "evaluated 8", "evaluated 12"]);
    expect(result).toMatchObject({ bestStep: 12, steps: 12, stopped: false, endedEarly: false });
    expect(largestDistance(result.adapter, last)).toBe(0);
  });

  it("ends when the held-out loss has not fallen for as many evaluations as its patience, and keeps the best", async () => {
    // A rate at which the held-out loss soon stops falling.
    const harmful = { learningRate: 0.3, maxSteps: 12, evaluations: 12 };
    const losses: number[] = [];
    const result = await run({ ...harmful, earlyStoppingPatience: 3 }, { heldOut: (_, { loss }) => void losses.push(loss) });
    const best = losses.indexOf(Math.min(...losses));
    expect(result).toMatchObject({ endedEarly: true, stopped: false, steps: best + 3, bestStep: best });
    expect(losses).toHaveLength(best + 4);
    expect(await run(harmful)).toMatchObject({ endedEarly: false, steps: 12 });
  });

  it("stays ended when it goes on from the checkpoint of its end", async () => {
    const { all, hooks } = collected();
    const result = await run({ learningRate: 0.3, evaluations: 12, earlyStoppingPatience: 3 }, hooks);
    const log: string[] = [];
    const resume = await decodeCheckpoint(all.at(-1)!.bytes);
    expect(await run({ learningRate: 0.3, evaluations: 12, earlyStoppingPatience: 3 }, { step: () => void log.push("step"), heldOut: () => void log.push("heldOut") }, { resume })).toEqual(result);
    expect(log).toEqual([]);
  });
});

describe("checkpoints", () => {
  it("come every so many steps and at evaluations, each with what was done by then", async () => {
    const { all, hooks } = collected();
    await run({ saveSteps: 3, maxSteps: 12, evaluations: 2 }, hooks);
    expect(all.map((c) => c.done)).toEqual([0, 3, 6, 9, 12]);
    for (const { bytes, done } of all) {
      const checkpoint = await decodeCheckpoint(bytes);
      expect(checkpoint).toMatchObject({ totalSteps: 12, evaluated: done - (done % 6), config: { ...base, saveSteps: 3, evaluations: 2 } });
      expect(checkpoint.trainer.steps).toBe(done);
      expect(checkpoint.trainer.optimizer.steps).toBe(done);
    }
  });

  it("stand at multiples of so many steps, wherever the run went on from", async () => {
    const { all, hooks } = collected();
    const control = new RunControl();
    await run({ saveSteps: 4, evaluations: 1 }, { ...hooks, step: (done) => { if (done === 6) control.stop(); } }, { control });
    expect(all.map((c) => c.done)).toEqual([0, 4, 6]);
    await run({ saveSteps: 4, evaluations: 1 }, hooks, { resume: await decodeCheckpoint(all.at(-1)!.bytes) });
    expect(all.map((c) => c.done)).toEqual([0, 4, 6, 8, 12]);
  });

  it("come at evaluations every so many steps", async () => {
    const { all, hooks } = collected();
    await run({ evalSteps: 5, evaluations: 9 }, hooks);
    expect(all.map((c) => c.done)).toEqual([0, 5, 10, 12]);
  });

  it("come by the clock otherwise: not before some seconds, and not for more than a fiftieth of the time", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const done: number[] = [];
    await run({ saveSteps: 0, maxSteps: 100, evaluations: 1 }, {
      step: () => void vi.advanceTimersByTime(1000),
      checkpoint: (_, at) => { done.push(at); vi.advanceTimersByTime(at < 30 ? 10 : 400); }, // from 30 on storing is slow: 400 ms, so one in 20 s
    });
    expect(done.filter((d) => d < 30)).toEqual([0, 5, 10, 15, 20, 25]);
    const later = done.filter((d) => d >= 30);
    expect(later).toEqual([30, 50, 70, 90, 100]);
  });

  it("come when the run is paused, before it waits", async () => {
    const control = new RunControl();
    const { all, hooks } = collected();
    await run({ evaluations: 1 }, {
      ...hooks,
      step: (done) => { if (done === 5) control.pause(); },
      checkpoint: (bytes, done) => {
        hooks.checkpoint(bytes, done);
        if (done === 5) {
          expect(control.paused).toBe(true);
          setTimeout(() => control.resume());
        }
      },
    }, { control });
    expect(all.map((c) => c.done)).toEqual([0, 5, 12]);
    expect((await decodeCheckpoint(all[1]!.bytes)).trainer.steps).toBe(5);
  });

  it("leave out the time of pauses and count that before a cut", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const control = new RunControl();
    const { all, hooks } = collected();
    await run({ evaluations: 1 }, {
      ...hooks,
      step: (done) => {
        vi.advanceTimersByTime(1000);
        if (done === 5) control.pause();
      },
      checkpoint: (bytes, done) => {
        hooks.checkpoint(bytes, done);
        if (done === 5) setTimeout(() => { vi.advanceTimersByTime(3_600_000); control.resume(); });
      },
    }, { control });
    const [, paused, end] = await Promise.all(all.map(({ bytes }) => decodeCheckpoint(bytes)));
    expect(paused!.elapsedMs).toBe(5000);
    expect(end!.elapsedMs).toBe(12_000);
    const again = collected();
    await run({ evaluations: 1 }, { ...again.hooks, step: () => void vi.advanceTimersByTime(1000) }, { resume: paused! });
    expect((await decodeCheckpoint(again.all.at(-1)!.bytes)).elapsedMs).toBe(12_000);
  });

  it("are refused by a run on other examples or with another adapter or optimizer, and nothing is trained", async () => {
    const { all, hooks } = collected();
    await run({}, hooks);
    const resume = await decodeCheckpoint(all[1]!.bytes);
    let steps = 0;
    const counting: FineTuneHooks = { step: () => void steps++ };
    await expect(run({ batchSize: 3 }, counting, { resume })).rejects.toMatchObject({ code: "train/checkpoint-other" });
    await expect(run({ lora: { ...base.lora, rank: 2 } }, counting, { resume })).rejects.toMatchObject({ code: "train/checkpoint-other" });
    await expect(run({}, counting, { resume: { ...resume, trainer: { ...resume.trainer, optimizer: { steps: 1, tensors: new Map([["x:state1", new Uint8Array(1)]]) } } } })).rejects.toMatchObject({ code: "train/optimizer-state" });
    expect(steps).toBe(0);
  });

  it("say what is different where the last digits will be", async () => {
    const { all, hooks } = collected();
    await run({}, hooks);
    const resume = await decodeCheckpoint(all[1]!.bytes);
    let said: readonly string[] = [];
    await run({ learningRate: 0.02 }, { resumed: (_, differences) => void (said = differences) }, { resume: { ...resume, machine: { ...resume.machine, threads: 8 } } });
    expect(said).toEqual(["the number of threads was 8 and is now 1", "the settings have changed"]);
  });

  it.each([
    { saveSteps: 0, heldOut: validation, pauses: false, learningRate: 1e37 }, { saveSteps: 1, heldOut: validation, pauses: false, learningRate: 1e37 },
    { saveSteps: 1, heldOut: [], pauses: false, learningRate: 1e30 }, { saveSteps: 1, heldOut: [], pauses: true, learningRate: 1e30 },
    { saveSteps: 0, heldOut: validation, pauses: true, learningRate: 1e30 },
  ])("outlive a run that diverges, sound, and a lower rate goes on from them: %o", async ({ saveSteps, heldOut, pauses, learningRate }) => {
    const { all, hooks } = collected();
    const config = { maxSteps: 20, evaluations: 10, warmupRatio: 1, lrSchedulerType: "constant_with_warmup", saveSteps } as const;
    const control = new RunControl();
    const pause = () => {
      control.pause();
      setTimeout(() => control.resume());
    };
    // The rate rises until a step throws the adapter out of all bounds.
    const failing = run({ ...config, learningRate }, { ...hooks, ...(pauses ? { step: pause } : {}) }, { heldOut, control });
    await expect(failing).rejects.toMatchObject({ code: "train/diverged" });
    const last = await decodeCheckpoint(all.at(-1)!.bytes);
    expect(last.trainer.steps).toBeLessThan(20);
    const losses: number[] = [];
    const result = await run({ ...config, learningRate: 1e-3 }, { step: (_, { loss }) => void losses.push(loss) }, { resume: last, heldOut });
    expect(losses).toHaveLength(20 - last.trainer.steps);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(result.steps).toBe(20);
  });
});
