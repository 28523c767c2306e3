/**
 * Turns what a run reports into stored records and events for the page: metrics
 * gathered and sent about four times a second, the best adapter kept in the
 * store from the first evaluation on, checkpoints as they come. A store that is
 * full for a while does not end a run: what could not be written is written with
 * what follows, and only the last word, the finished adapter, must be stored.
 */
import { DuctusError, serializeError, type SerializedError } from "../lib/core/errors";
import { packAdapter } from "../lib/train/adapter/file";
import { toLoraAdapter } from "../lib/train/adapter/tensors";
import type { AddedToken, AdapterInfo } from "../lib/train/adapter/types";
import { evaluationPoints, type RunControl } from "../lib/train/loop";
import type { ReadyModel } from "../lib/train/model/embedded";
import type { SftCheckpoint } from "../lib/train/sft/checkpoint";
import type { PreparedData } from "../lib/train/sft/prepare";
import type { SftRunResult } from "../lib/train/sft/run";
import type { StepResult } from "../lib/train/sft/trainer";
import { saveCheckpoint } from "../lib/store/checkpoints";
import { replaceAdapterFile, saveAdapter, saveReport } from "../lib/store/adapters";
import { dropKeptAfter, keepState } from "../lib/store/kept";
import { addSample, appendMetrics, listMetrics, updateRun } from "../lib/store/runs";
import type { AdapterReport, Metric, Run, RunSample, Score } from "../lib/store/types";
import type { RunEvent, RunProgress } from "./protocol";

const FLUSH_MS = 250;
/** Steps whose time says nothing about the rest: buffers are still being made. */
const WARM_UP_STEPS = 1;

export class RunRecorder {
  /** Not sent yet. */
  private pending: Metric[] = [];
  /** Sent, and not stored yet. */
  private unstored: Metric[] = [];
  private unstoredSamples: RunSample[] = [];
  private flushedAt = 0;
  private totalSteps = 0;
  private done = 0;
  private tokens = 0;
  /** Tokens trained on when the best adapter so far was measured. */
  private bestTokens = 0;
  private adapterId: string | null = null;
  private readonly startedAt = performance.now();
  /** In an attempt before this one, as when the device was lost. */
  private readonly waitedBeforeMs: number;
  /** Time and tokens of steps alone, for the estimate of what is left. */
  private stepMs = 0;
  /** Since it began or went on. */
  private stepsHere = 0;
  private timedSteps = 0;
  private timedTokens = 0;
  private otherMs = 0;
  private evaluations = 0;
  /** Checks made before the run was cut. */
  private evaluationsBefore = 0;
  private elapsedBeforeMs = 0;
  /** The last checkpoint found no room. */
  private unguarded = false;
  private markedAt = performance.now();
  private markedWaitMs = 0;

  /** @param control of the run, for the time that it is paused */
  constructor(
    private readonly run: Run,
    private readonly handName: string,
    private readonly model: ReadyModel,
    private readonly control: RunControl,
    private readonly onEvent: (event: RunEvent) => void,
    /** Names of trained tokens that came with the adapter that it began from. */
    private readonly addedTokens: readonly AddedToken[] = [],
  ) {
    this.waitedBeforeMs = this.markedWaitMs = control.waitedMs;
  }

  /** Whether a step has been done. */
  get hasLearned(): boolean {
    return this.done > 0;
  }

  /** @param writingHash of the texts and their split alone */
  async prepared(data: PreparedData, totalSteps: number, writingHash?: string): Promise<void> {
    this.totalSteps = totalSteps;
    const examples = data.epochs.flat();
    await updateRun(this.run.id, {
      totalSteps, dataHash: data.dataHash, trainExamples: examples.length, heldOutExamples: data.validation.length,
      ...(this.run.writing === undefined || writingHash === undefined ? {} : { writing: { ...this.run.writing, hash: writingHash } }),
    });
    this.lap();
  }

  /** The run goes on where a checkpoint was made. */
  async resumed(checkpoint: SftCheckpoint, afterLoss: boolean, differences: readonly string[]): Promise<void> {
    const { trainer: { steps }, tokens, best, elapsedMs } = checkpoint;
    this.done = steps;
    this.tokens = tokens;
    this.bestTokens = best?.tokens ?? 0;
    // The checkpoint's clock began a little later than that of the points; time does not run backwards on the curve.
    const points = await listMetrics(this.run.id, () => undefined).catch(() => []);
    this.elapsedBeforeMs = points.reduce((latest, { step, atMs }) => (step <= steps ? Math.max(latest, atMs) : latest), elapsedMs);
    this.evaluationsBefore = checkpoint.evaluated < 0 ? 0 : 1 + evaluationPoints(this.totalSteps, this.run.config.evaluations, this.run.config.evalSteps).filter((point) => point <= checkpoint.evaluated).length;
    // The adapter kept before the cut may have been deleted since; then a new one is stored.
    this.adapterId = this.run.adapterId ?? null;
    await dropKeptAfter(this.run.id, steps).catch(passing);
    this.onEvent({ type: "resumed", runId: this.run.id, step: steps, afterLoss, differences });
    this.onEvent({ type: "phase", runId: this.run.id, phase: "training", done: steps, total: this.totalSteps });
    this.onEvent({ type: "metrics", runId: this.run.id, points: [], progress: this.progress() });
    await updateRun(this.run.id, { step: steps, trainTokens: tokens }).catch(passing);
    this.lap();
  }

  /** A checkpoint that finds no room does not end the run: the one before it stays, and the page is told. */
  async checkpoint(bytes: Uint8Array, done: number): Promise<void> {
    const error = await saveCheckpoint(this.run.id, done, bytes).then(() => null, (cause: unknown): SerializedError => {
      passing(cause);
      return serializeError(cause);
    });
    if ((error !== null) !== this.unguarded) this.onEvent({ type: "unguarded", runId: this.run.id, error });
    this.unguarded = error !== null;
  }

  async step(done: number, result: StepResult & { learningRate: number }): Promise<void> {
    this.done = done;
    this.tokens += result.tokens;
    const spent = this.lap();
    if (++this.stepsHere > WARM_UP_STEPS) {
      this.stepMs += spent;
      this.timedSteps++;
      this.timedTokens += result.tokens;
    }
    this.pending.push({
      runId: this.run.id, kind: "train", step: done, loss: result.loss, tokens: result.completionTokens,
      learningRate: result.learningRate, gradNorm: result.gradNorm, atMs: this.elapsedMs(),
    });
    if (performance.now() - this.flushedAt >= FLUSH_MS) await this.flush();
  }

  async heldOut(done: number, score: Score, adapter: ReadonlyMap<string, Float32Array>, best: boolean, changeError?: number): Promise<void> {
    this.pending.push({
      runId: this.run.id, kind: "heldout", step: done, loss: score.loss, tokens: score.tokens, examples: score.examples,
      ...(changeError === undefined ? {} : { changeError }), atMs: this.elapsedMs(),
    });
    if (done === 0) this.onEvent({ type: "phase", runId: this.run.id, phase: "training", done: 0, total: this.totalSteps });
    await this.flush();
    if (best) this.bestTokens = this.tokens;
    if (done === 0) return; // as it began
    // The best is kept by the run as well, and stored at the latest when it ends.
    if (best) await this.keep(adapter, done).catch(passing);
    const file = this.pack(adapter, done, this.tokens);
    await keepState(this.run.id, { step: done, tokens: this.tokens, loss: score.loss, file }).catch(passing);
  }

  async sample(done: number, prompt: string, text: string): Promise<void> {
    const sample = { runId: this.run.id, step: done, prompt, text };
    this.onEvent({ type: "sample", runId: this.run.id, sample });
    this.unstoredSamples.push(sample);
    await this.store().catch(passing);
    this.otherMs += this.lap();
    this.evaluations++;
  }

  /** @throws DuctusError `store/…` where the adapter cannot be stored */
  async finished(result: SftRunResult): Promise<void> {
    await this.flush();
    await this.store().catch(passing); // what found no room before
    const adapterId = await this.keep(result.adapter, result.bestStep, result.report);
    await saveReport(adapterId, result.report);
    const status = result.stopped ? "stopped" : "finished";
    await updateRun(this.run.id, { status, adapterId, step: result.steps, trainTokens: result.tokens, elapsedMs: this.elapsedMs() });
    this.onEvent({ type: "finished", runId: this.run.id, status, adapterId, report: result.report });
  }

  /** Sends and stores what has gathered. @throws DuctusError `store/missing` where the run was deleted */
  async flush(): Promise<void> {
    const points = this.pending;
    if (points.length === 0) return;
    this.pending = [];
    this.unstored.push(...points);
    this.flushedAt = performance.now();
    this.onEvent({ type: "metrics", runId: this.run.id, points, progress: this.progress() });
    await this.store().catch(passing);
  }

  private async store(): Promise<void> {
    await appendMetrics(this.run.id, this.unstored);
    this.unstored = [];
    for (let sample = this.unstoredSamples[0]; sample; sample = this.unstoredSamples[0]) {
      await addSample(sample);
      this.unstoredSamples.shift();
    }
    await updateRun(this.run.id, { step: this.done, trainTokens: this.tokens, elapsedMs: this.elapsedMs() });
  }

  /** The adapter as one file. @param tokens trained on by then; absent: by the best state */
  pack(tensors: ReadonlyMap<string, Float32Array>, step: number, tokens = this.bestTokens, report?: AdapterReport): Uint8Array {
    const { config, entry } = this.model;
    const { lora } = this.run.config;
    const adapter = toLoraAdapter(config, lora, tensors, lora.trainableTokenIndices);
    const info: AdapterInfo = {
      name: this.handName, createdAt: Date.now(), modelId: entry.id, modelSha256: entry.sha256, recipe: this.run.config,
      steps: step, trainTokens: tokens, ...(report ? { report } : {}),
      ...(this.addedTokens.length > 0 ? { addedTokens: this.addedTokens } : {}),
    };
    return packAdapter(adapter, info);
  }

  private async keep(tensors: ReadonlyMap<string, Float32Array>, step: number, report?: AdapterReport): Promise<string> {
    const { entry } = this.model;
    const file = this.pack(tensors, step, this.bestTokens, report);
    if (this.adapterId) {
      const replaced = await replaceAdapterFile(this.adapterId, file).catch((error: unknown) => {
        if (error instanceof DuctusError && error.code === "store/missing") return null; // deleted while the run went on
        throw error;
      });
      if (replaced !== null) return this.adapterId;
    }
    const stored = await saveAdapter({ handId: this.run.handId, runId: this.run.id, name: this.handName, modelId: entry.id, modelSha256: entry.sha256, file });
    return (this.adapterId = stored.id);
  }

  private progress(): RunProgress {
    const left = this.totalSteps - this.done;
    const perStep = this.timedSteps > 0 ? this.stepMs / this.timedSteps : null;
    const checks = evaluationPoints(this.totalSteps, this.run.config.evaluations, this.run.config.evalSteps).length + 1; // and one before the first step
    const checksLeft = Math.max(0, checks - this.evaluationsBefore - this.evaluations);
    const perCheck = this.evaluations > 0 ? this.otherMs / this.evaluations : 0;
    return {
      step: this.done,
      totalSteps: this.totalSteps,
      tokens: this.tokens,
      elapsedMs: this.elapsedMs(),
      remainingMs: perStep === null ? null : left * perStep + checksLeft * perCheck,
      tokensPerSecond: this.stepMs > 0 ? (1000 * this.timedTokens) / this.stepMs : null,
    };
  }

  /** Without pauses, as a checkpoint counts it. */
  private elapsedMs(): number {
    return Math.round(this.elapsedBeforeMs + performance.now() - this.startedAt - (this.control.waitedMs - this.waitedBeforeMs));
  }

  /** Time since the last call, in ms; time in which the run was paused does not count. */
  private lap(): number {
    const now = performance.now();
    const waited = this.control.waitedMs;
    const spent = now - this.markedAt - (waited - this.markedWaitMs);
    this.markedAt = now;
    this.markedWaitMs = waited;
    return spent;
  }
}

/** A fault of the store that may be over the next time; not one that says that the run, or its hand, was deleted. */
export function isPassing(error: unknown): boolean {
  return error instanceof DuctusError && (error.code === "store/full" || error.code === "store/failed");
}

function passing(error: unknown): void {
  if (!isPassing(error)) throw error;
}
