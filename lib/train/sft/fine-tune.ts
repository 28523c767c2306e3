/**
 * The middle of a fine-tuning run, whatever its examples come from: steps along a
 * plan, the held-out loss at set points, the best adapter kept by it, early
 * stopping, and checkpoints from which the run can go on. Reports through hooks;
 * it prepares no data and stores nothing.
 */
import type { Score } from "../../store/types";
import { mayWantMemory } from "../execution/open";
import type { ExecutionPlan } from "../execution/types";
import { runLoop, type RunControl } from "../loop";
import { learningRateFactor } from "../optimizer/schedule";
import type { TokenizedExample } from "./batch";
import { differences, encodeCheckpoint, requireSamePlan, type BestAdapter, type Machine, type SftCheckpoint } from "./checkpoint";
import { warmupSteps, type SftConfig } from "./config";
import { planHash, type PlannedStep } from "./plan";
import { pairedError } from "./reading";
import { poolScore } from "./score";
import { copyTensors, diverged, type ExampleLoss, type SftTrainer, type StepResult } from "./trainer";

export interface FineTuneHooks {
  step?(done: number, result: StepResult & { learningRate: number }): void | Promise<void>;
  /**
   * `adapter` is live: copy it to keep it. `best`: this is the lowest validation loss so far. `changeError`: standard
   * error over examples of the loss's change since the lowest before it; absent where there is none to compare with, as
   * at the first measurement, and at the first ones of a run that goes on.
   */
  heldOut?(done: number, score: Score, adapter: ReadonlyMap<string, Float32Array>, best: boolean, changeError?: number): void | Promise<void>;
  /** At each point of evaluation, whether or not there is anything held out. */
  evaluated?(done: number, adapter: ReadonlyMap<string, Float32Array>): void | Promise<void>;
  /** To be stored, in the place of the one before the last. Absent: none are made. What it throws ends the run. */
  checkpoint?(bytes: Uint8Array, done: number): void | Promise<void>;
  /** There was no room for the execution that was planned: the run goes on by this one, which takes less. */
  narrowed?(plan: ExecutionPlan): void | Promise<void>;
  /** Goes on at `checkpoint`. `differences`, in words: why its numbers will not be those of the run that was cut; empty where they will. */
  resumed?(checkpoint: SftCheckpoint, differences: readonly string[]): void | Promise<void>;
}

export interface FineTuneResult {
  /** The best by held-out loss; without held-out examples the last. */
  adapter: Map<string, Float32Array>;
  /** Steps after which the kept adapter was measured best. */
  bestStep: number;
  steps: number;
  /** From outside, before its end. */
  stopped: boolean;
  /** Ended by early stopping. */
  endedEarly: boolean;
  /** Trained on, before a cut included. */
  tokens: number;
}

const EVALUATION_BATCH = 8;
/** Checkpoints take at most this share of the time, those at evaluations and pauses not counted. */
const CHECKPOINT_SHARE = 0.02;
const LEAST_CHECKPOINT_INTERVAL_MS = 5000;

/**
 * @param plan see planSteps
 * @param validation what the adapter is chosen by; may be empty
 * @throws DuctusError `train/diverged` with the best adapter so far handed to `hooks.heldOut` before, and the last
 *   checkpoint older than the fault; `train/checkpoint-other` where `resume` is of another run
 */
export async function fineTune(
  trainer: SftTrainer, plan: readonly PlannedStep[], validation: readonly TokenizedExample[], config: SftConfig, machine: Machine,
  control: RunControl, hooks: FineTuneHooks = {}, resume: SftCheckpoint | null = null,
): Promise<FineTuneResult> {
  const hash = await planHash(plan);
  const warmup = warmupSteps(config, plan.length);
  let best: BestAdapter | null = null;
  let bestLosses: readonly ExampleLoss[] | null = null;
  let tokens = 0, checksWithoutGain = 0, evaluated = -1;
  let elapsedBefore = 0;
  if (resume) {
    requireSamePlan(resume, hash);
    trainer.restore(resume.trainer);
    best = resume.best && { ...resume.best, adapter: copyTensors(resume.best.adapter) };
    ({ tokens, checksWithoutGain, evaluated, elapsedMs: elapsedBefore } = resume);
    await hooks.resumed?.(resume, differences(resume, config, machine));
  }
  const startedAt = performance.now(), waitedBefore = control.waitedMs;
  const clock = new CheckpointClock(config.saveSteps, resume?.trainer.steps ?? 0);
  const enough = () => config.earlyStoppingPatience > 0 && checksWithoutGain >= config.earlyStoppingPatience;

  /** Does what may take more memory than there is; where it does, again in less. */
  const withinMemory = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const plan = mayWantMemory(error) ? await trainer.narrow().catch(() => null) : null;
        if (!plan) throw error;
        await hooks.narrowed?.(plan);
      }
    }
  };

  const save = async () => {
    if (!hooks.checkpoint) return;
    const state = trainer.state();
    if (![...state.adapter.values()].every((data) => data.every(Number.isFinite))) return; // nothing to go on from
    await clock.timed(state.steps, async () => {
      const elapsedMs = elapsedBefore + performance.now() - startedAt - (control.waitedMs - waitedBefore);
      const bytes = await encodeCheckpoint({ config, machine: { ...machine, execution: trainer.execution.plan }, planHash: hash, totalSteps: plan.length, evaluated, checksWithoutGain, tokens, elapsedMs, trainer: state, best });
      await hooks.checkpoint!(bytes, state.steps);
    });
  };

  /** What the last update made has not been seen by any loss: whether it is sound shows only in what comes next. */
  const prove = async (done: number) => {
    if (done > 0) await withinMemory(() => trainer.prove(plan[Math.min(done, plan.length - 1)]!.slice(0, 1)));
  };

  const { steps, stopped, enough: endedEarly } = await runLoop({
    totalSteps: plan.length, evaluations: config.evaluations, evaluateEvery: config.evalSteps, control,
    ...(resume ? { from: { done: resume.trainer.steps, evaluated: resume.evaluated, enough: enough() } } : {}),
    pausing: async (done) => {
      if (hooks.checkpoint && evaluated !== done) await prove(done);
      await save();
    },
    step: async (index) => {
      const learningRate = config.learningRate * learningRateFactor(config.lrSchedulerType, index, plan.length, warmup);
      // Before the update: a finite loss has proved that the state so far is sound.
      const result = await withinMemory(() => trainer.step(plan[index]!, learningRate, clock.isDue(index) ? save : undefined));
      tokens += result.tokens;
      await hooks.step?.(index + 1, { ...result, learningRate });
    },
    evaluate: async (done) => {
      let proved = false;
      if (validation.length > 0) {
        const losses = await withinMemory(() => trainer.evaluate(validation, EVALUATION_BATCH));
        const score = poolScore(validation, losses);
        if (!Number.isFinite(score.loss)) throw diverged(`validation loss ${score.loss} after ${done} steps`);
        const better = best === null || score.loss < best.loss;
        if (better) best = { loss: score.loss, adapter: copyTensors(trainer.adapter), step: done, tokens };
        const changeError = bestLosses === null ? undefined : pairedError(bestLosses, losses);
        if (better) bestLosses = losses;
        proved = better;
        checksWithoutGain = better ? 0 : checksWithoutGain + 1;
        await hooks.heldOut?.(done, score, trainer.adapter, better, changeError);
      }
      if (!proved) await prove(done);
      await hooks.evaluated?.(done, trainer.adapter);
      evaluated = done;
      await save();
      return enough();
    },
  });
  return { adapter: best?.adapter ?? copyTensors(trainer.adapter), bestStep: best?.step ?? steps, steps, stopped, endedEarly, tokens };
}

/** Says when a checkpoint is due: at multiples of so many steps, or so seldom that they take no more than their share of the time. */
class CheckpointClock {
  private endedAt = performance.now();
  private costMs = 0;

  constructor(private readonly everySteps: number, private lastStep: number) {}

  /** @param done steps done */
  isDue(done: number): boolean {
    if (done === this.lastStep) return false;
    if (this.everySteps > 0) return done % this.everySteps === 0;
    return performance.now() - this.endedAt >= Math.max(LEAST_CHECKPOINT_INTERVAL_MS, this.costMs / CHECKPOINT_SHARE);
  }

  async timed(done: number, work: () => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    await work();
    this.endedAt = performance.now();
    this.costMs = this.endedAt - startedAt;
    this.lastStep = done;
  }
}
