/**
 * How fast this device trains, from the best evidence there is: earlier runs of
 * the same model on it, of another model, a short product that was timed
 * (runtime/calibrate.ts), or a guess by its kind. Works on stored records alone.
 */
import type { DeviceReport, Metric, Run } from "../../store/types";
import type { ModelConfig } from "../model/config";
import { trainFlops } from "./work";

/** Times of an earlier run, pauses and checks left out. */
export interface MeasuredRun {
  modelSha256: string;
  device: Pick<DeviceReport, "kind" | "threads">;
  /** Tokens of prompt and completion, in steps. */
  tokensPerSecond: number;
  /** Mean, a sample with it; null where there was none in the middle of the run. */
  checkSeconds: number | null;
  /** Arithmetic in steps, where the model's shape is known. */
  flopsPerSecond?: number;
}

export interface Speed {
  flopsPerSecond: number;
  /** The true one is likely within this factor, either way. */
  spread: number;
  from: "model" | "device" | "timing" | "guess";
  /** Of a check with its sample, where the same model was seen to take so long. */
  checkSeconds: number | null;
}

/** Fewer intervals say too little. */
const LEAST_INTERVALS = 4;
/** Beyond so many times the usual, the machine slept or did something else. */
const ODD_INTERVAL = 5;
/** Of the past runs the newest count. */
const NEWEST = 5;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/**
 * @param points of the run's curve
 * @param model its shape; absent: the arithmetic is not known
 * @returns null where it was too short, or nothing says what computed it
 */
export function measureRun(run: Pick<Run, "modelSha256" | "device" | "step" | "trainTokens" | "config" | "execution">, points: readonly Metric[], model?: ModelConfig): MeasuredRun | null {
  const byStep = points.filter(({ kind }) => kind === "train").sort((a, b) => a.step - b.step);
  const checked = new Set(points.filter(({ kind }) => kind === "heldout").map(({ step }) => step));
  const scored = byStep.reduce((sum, { tokens }) => sum + tokens, 0);
  if (!run.device || scored === 0 || run.trainTokens === 0) return null;
  const perScored = (run.trainTokens * (byStep.length / Math.max(1, run.step))) / scored; // what is stored of the curve may have gaps
  const intervals = byStep.slice(1).flatMap((point, i) => {
    const before = byStep[i]!;
    return point.step === before.step + 1 && point.atMs > before.atMs ? [{ ms: point.atMs - before.atMs, tokens: point.tokens * perScored, check: checked.has(before.step) }] : [];
  });
  // The first step makes buffers, and is never an interval's end.
  const plain = intervals.filter(({ check }) => !check);
  if (plain.length < LEAST_INTERVALS) return null;
  const usual = median(plain.map(({ ms }) => ms));
  const kept = plain.filter(({ ms }) => ms <= ODD_INTERVAL * usual);
  const seconds = kept.reduce((sum, { ms }) => sum + ms, 0) / 1000, tokens = kept.reduce((sum, one) => sum + one.tokens, 0);
  const checks = intervals.filter(({ check }) => check).map(({ ms }) => Math.max(0, ms - usual) / 1000);
  const tokensPerSecond = tokens / seconds;
  return {
    modelSha256: run.modelSha256, device: { kind: run.device.kind, threads: run.device.threads }, tokensPerSecond,
    checkSeconds: checks.length === 0 ? null : median(checks),
    ...(model ? { flopsPerSecond: tokensPerSecond * flopsPerToken(run, model, scored / run.trainTokens) } : {}),
  };
}

/** Rows are taken to be of a usual length: attention is the smallest part of the work. */
const USUAL_ROW = 128;
const flopsPerToken = (run: Pick<Run, "config" | "execution">, model: ModelConfig, scoredShare: number): number =>
  trainFlops(model, run.config.lora, { tokens: 1, rowTokens: USUAL_ROW, scored: scoredShare }, run.execution?.recompute ?? false);

export interface SpeedEvidence {
  device: Pick<DeviceReport, "kind" | "threads">;
  modelSha256: string;
  /** Newest last. */
  runs?: readonly MeasuredRun[];
  /** Operations a second in a short product on this device, with these threads; see productSpeed. */
  product?: number;
}

/** Of what the product reaches, a step reaches about so much (measured: 0.72 to 0.9 on a processor). */
const STEP_SHARE = 0.7;
/** Operations a second where nothing was measured: of a thread of a processor, and of a graphics processor, in a browser. */
const GUESS = { thread: 12e9, gpu: 300e9, nodeThread: 25e9 };
const SPREAD = { model: 1.2, device: 1.6, timing: 2, guess: 3.5 };

export function speedOf({ device, modelSha256, runs = [], product }: SpeedEvidence): Speed {
  const here = runs.filter((run) => run.device.kind === device.kind && run.device.threads === device.threads && run.flopsPerSecond !== undefined);
  const same = here.filter((run) => run.modelSha256 === modelSha256).slice(-NEWEST);
  const flops = (of: readonly MeasuredRun[]) => median(of.map((run) => run.flopsPerSecond!));
  if (same.length > 0) {
    const checks = same.flatMap(({ checkSeconds }) => (checkSeconds === null ? [] : [checkSeconds]));
    return { flopsPerSecond: flops(same), spread: SPREAD.model, from: "model", checkSeconds: checks.length > 0 ? median(checks) : null };
  }
  if (here.length > 0) return { flopsPerSecond: flops(here.slice(-NEWEST)), spread: SPREAD.device, from: "device", checkSeconds: null };
  if (product !== undefined && product > 0) return { flopsPerSecond: STEP_SHARE * product, spread: SPREAD.timing, from: "timing", checkSeconds: null };
  const guess = device.kind === "webgpu" ? GUESS.gpu : device.threads * (device.kind === "node" ? GUESS.nodeThread : GUESS.thread);
  return { flopsPerSecond: guess, spread: SPREAD.guess, from: "guess", checkSeconds: null };
}

/** What timeBackend's graph computes, two for each multiply-add. */
const TIMED_FLOPS = 2 * 2 * 128 * 256 * 1024;

/** @param ms as timeBackend or calibrateThreads gave it for these threads. @returns operations a second */
export const productSpeed = (ms: number): number => TIMED_FLOPS / (ms / 1000);
