/**
 * The run that is going on in this tab, as told by its worker. It belongs to no
 * screen: navigating neither stops nor restarts it. The curve's points are kept
 * beside the store and announced by `pointsVersion`, so that no component holds
 * a growing array. Stored runs are in workspace.ts.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { listAdapters, saveAdapter } from "../../lib/store/adapters";
import { deleteCheckpoints } from "../../lib/store/checkpoints";
import { getModel } from "../../lib/store/models";
import { getRun, listMetrics, listSamples, updateRun } from "../../lib/store/runs";
import type { AdapterReport, DeviceReport, ExecutionReport, Metric, Run, RunSample } from "../../lib/store/types";
import type { RunPrediction } from "../../lib/train/sft/predict";
import type { RunEvent, RunPhase, RunProgress, TrainRequest } from "../../workers/protocol";
import { watchMemory } from "../_engine/memory";
import { withRunLock } from "../_engine/run-lock";
import { closeTrainer, goOn, keepAgain, pauseTraining, resumeTraining, stopTraining, train } from "../_engine/trainer";
import { keepAwake } from "../_engine/wake-lock";
import { closeWriter } from "../_engine/writer";
import { askToKeep } from "./persist";
import { createStore } from "./store";
import { refresh, settleRuns, workspace } from "./workspace";

export type Outcome =
  | { status: "finished" | "stopped"; adapterId: string; report: AdapterReport }
  /** Stopped before its first step: there is nothing to keep. */
  | { status: "stopped"; adapterId: null; report: null }
  /** It ended, and there was no room for what it learned; the file is here until the tab is closed. */
  | { status: "unsaved"; stopped: boolean; error: SerializedError; name: string; file: Uint8Array; report: AdapterReport }
  | { status: "failed"; error: SerializedError };

export interface LiveRun {
  handId: string;
  runId: string | null;
  /** A model that was brought in: it does not fit twice into the memory that a tab has. */
  large: boolean;
  phase: RunPhase;
  /** Bytes while loading; null where the phase counts nothing. */
  done: number | null;
  total: number | null;
  device: DeviceReport | null;
  execution: ExecutionReport | null;
  /** From which step it went on, and whether because the device was lost; null where it began at the beginning. */
  resumed: { step: number; afterLoss: boolean; differences: readonly string[] } | null;
  /** Checkpoints find no room. */
  unguarded: boolean;
  progress: RunProgress | null;
  /** What was said of it before it started; null where nothing was. */
  prediction: RunPrediction | null;
  /** The most memory that the page was seen to take; null until the browser has said. */
  peakBytes: number | null;
  /** As the worker confirmed it. */
  paused: boolean;
  /** Asked for, not yet confirmed. */
  asked: "pause" | "resume" | "stop" | null;
  samples: readonly RunSample[];
  pointsVersion: number;
  /** Null while it goes on. */
  outcome: Outcome | null;
}

export const run = createStore<{ live: LiveRun | null }>({ live: null });

let points: Metric[] = [];
/** The live run's points in the order they came; not to be changed. */
export const livePoints = (): readonly Metric[] => points;

export const isActive = (live: LiveRun | null): live is LiveRun & { outcome: null } => live !== null && live.outcome === null;

/** Whether another run would take the place of one that goes on, or of what one has learned and could not keep. */
export const isBusy = (live: LiveRun | null): live is LiveRun => isActive(live) || live?.outcome?.status === "unsaved";

/** Starts a run and returns at once; everything else arrives in the store. @param prediction of this very run */
export function startRun(request: TrainRequest, prediction: RunPrediction | null = null): void {
  if (isBusy(run.get().live)) return;
  points = [];
  void askToKeep();
  const large = workspace.get().hands.find(({ id }) => id === request.handId)?.model !== undefined;
  begin({ handId: request.handId, runId: null, samples: [], large, prediction }, () => train(request, take));
}

/** What could be said of the run that goes on only after it had begun. */
export function foretell(prediction: RunPrediction): void {
  const { live } = run.get();
  if (isActive(live) && live.prediction === null) change({ prediction });
}

/** Goes on with a run that was cut off, from its last checkpoint; returns at once, as startRun. */
export async function continueRun({ id, handId, modelSha256 }: Run): Promise<void> {
  if (isBusy(run.get().live)) return;
  // What cannot be read is not shown; whether the run can go on all the same, the worker says.
  const none = () => [];
  const [metrics, samples, model] = await Promise.all([listMetrics(id, passOver).catch(none), listSamples(id, passOver).catch(none), getModel(modelSha256).catch(() => null)]);
  if (isBusy(run.get().live)) return;
  points = metrics.sort((a, b) => a.step - b.step);
  // A fresh worker can have as many threads as the run had.
  closeTrainer();
  begin({ handId, runId: id, samples, large: model !== null, prediction: null }, () => goOn(id, "auto", take));
}

const passOver = (): void => undefined;

function begin({ handId, runId, samples, large, prediction }: Pick<LiveRun, "handId" | "runId" | "samples" | "large" | "prediction">, call: () => Promise<string>): void {
  run.set({ live: { handId, runId, large, phase: "loading", done: null, total: null, device: null, execution: null, resumed: null, unguarded: false, progress: null, prediction, peakBytes: null, paused: false, asked: null, samples, pointsVersion: 0, outcome: null } });
  const release = keepAwake();
  const unwatch = watchMemory((peakBytes) => change({ peakBytes }));
  addEventListener("beforeunload", guard);
  const begun = (): Promise<string> => {
    if (large) closeWriter();
    const ended = call();
    // Asked while the lock was waited for: the worker had nothing to stop yet.
    if (run.get().live?.asked === "stop") stopRun();
    return ended;
  };
  withRunLock(begun)
    .then(settleFromStore)
    .catch((error: unknown) => settle({ status: "failed", error: serializeError(error) }))
    .finally(() => {
      const outcome = run.get().live?.outcome;
      // What the worker still holds is all there is of it.
      if (outcome?.status !== "unsaved") {
        removeEventListener("beforeunload", guard);
        if (large) closeTrainer();
      }
      release();
      unwatch();
      // A worker that died could not say so in the database.
      void settleRuns().then(refresh).catch(() => undefined);
    });
}

export function stopRun(): void {
  ask("stop", stopTraining);
}

export function togglePause(): void {
  if (run.get().live?.paused) ask("resume", resumeTraining);
  else ask("pause", pauseTraining);
}

/** Tries again to store what could not be stored. @throws what went wrong this time */
export async function keepUnsaved(): Promise<void> {
  try {
    await keepAgain();
  } catch (error) {
    if (!(error instanceof DuctusError) || !WORKER_GONE.has(error.code)) throw error;
    await keepFile();
  }
  const { live } = run.get();
  if (live?.large && live.outcome !== null && !isBusy(live)) closeTrainer();
  await refresh();
}

/** The worker that learned it is no more, and a fresh one knows nothing of it. */
const WORKER_GONE: ReadonlySet<string> = new Set(["train/nothing-unsaved", "app/worker-died", "app/worker-ended"]);

/** Stores the file that is here. */
async function keepFile(): Promise<void> {
  const { live } = run.get();
  if (live?.outcome?.status !== "unsaved" || live.runId === null) return;
  const { name, file, report, stopped } = live.outcome;
  const status = stopped ? "stopped" : "finished";
  const stored = await getRun(live.runId);
  if (stored === null) throw new DuctusError("store/missing", "This run is no longer here: it was deleted, perhaps in another tab.", "Download what it learned; it can be brought in again under Take away.");
  const { id: adapterId } = await saveAdapter({ handId: live.handId, runId: stored.id, name, modelId: stored.modelId, modelSha256: stored.modelSha256, file, report });
  await updateRun(stored.id, { status, adapterId });
  settle({ status, adapterId, report });
  await deleteCheckpoints(stored.id).catch(() => undefined); // they go with the run, at the latest
}

/** Gives up what one has learned that could not be kept; its curve stays in the history. */
export async function letUnsavedGo(): Promise<void> {
  const { live } = run.get();
  if (live?.outcome?.status !== "unsaved") return;
  if (live.runId !== null) await deleteCheckpoints(live.runId).catch(() => undefined); // they go with the run, at the latest
  clearRun();
  await settleRuns(); // where there was no room to note how it ended
  await refresh();
}

/** Puts the ended run out of sight, and with it what could not be kept; it stays in the history. @param handId only if it is this hand's */
export function clearRun(handId?: string): void {
  const { live } = run.get();
  if (live === null || isActive(live) || (handId !== undefined && live.handId !== handId)) return;
  removeEventListener("beforeunload", guard);
  if (live.large && isBusy(live)) closeTrainer(); // it was held for another try
  run.set({ live: null });
}

function ask(what: "pause" | "resume" | "stop", call: () => Promise<void>): void {
  if (!isActive(run.get().live)) return;
  change({ asked: what });
  call().catch((error: unknown) => settle({ status: "failed", error: serializeError(error) }));
}

function take(event: RunEvent): void {
  switch (event.type) {
    case "phase":
      return change({ runId: event.runId, phase: event.phase, done: event.done ?? null, total: event.total ?? null });
    case "device":
      return change({ runId: event.runId, device: event.device });
    case "execution":
      return change({ runId: event.runId, execution: event.execution });
    case "resumed": {
      const { step, afterLoss, differences } = event;
      points = points.filter((point) => point.step <= step);
      return change({ resumed: { step, afterLoss, differences }, samples: (run.get().live?.samples ?? []).filter((sample) => sample.step <= step) }, true);
    }
    case "unguarded":
      return change({ unguarded: event.error !== null });
    case "metrics":
      points.push(...event.points);
      return change({ runId: event.runId, progress: event.progress }, event.points.length > 0);
    case "sample":
      return change({ samples: [...(run.get().live?.samples ?? []), event.sample] });
    case "paused":
      return change({ paused: event.paused, asked: run.get().live?.asked === "stop" ? "stop" : null });
    case "finished":
      return settle({ status: event.status, adapterId: event.adapterId, report: event.report });
    case "unsaved":
      return settle({ status: "unsaved", stopped: event.stopped, error: event.error, name: event.name, file: event.file, report: event.report });
    case "withdrawn":
      return settle({ status: "stopped", adapterId: null, report: null });
    case "failed":
      return settle({ status: "failed", error: event.error });
    default:
      return event satisfies never;
  }
}

function change(part: Partial<LiveRun>, newPoints = false): void {
  run.set(({ live }) => ({ live: live === null ? null : { ...live, ...part, pointsVersion: live.pointsVersion + (newPoints ? 1 : 0) } }));
}

/** The worker's last event may come after its answer, or be lost; what was stored says the same. */
async function settleFromStore(runId: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 200));
  if (!isActive(run.get().live)) return;
  const stored = await getRun(runId);
  const adapters = stored === null ? [] : await listAdapters(stored.handId, () => undefined);
  const adapter = adapters.find(({ id }) => id === stored?.adapterId);
  if (stored?.error !== undefined) settle({ status: "failed", error: stored.error });
  else if (adapter?.report !== undefined) settle({ status: stored?.status === "stopped" ? "stopped" : "finished", adapterId: adapter.id, report: adapter.report });
  else if (stored?.status === "stopped" && stored.step === 0) settle({ status: "stopped", adapterId: null, report: null });
  else throw new Error(`The run ended without a result (${stored?.status ?? "not stored"}).`);
}

/** The first word on how it ended holds, but for one that had nowhere to be stored. */
function settle(outcome: Outcome): void {
  const { live } = run.get();
  if (live?.outcome?.status === "unsaved" && (outcome.status === "finished" || outcome.status === "stopped")) removeEventListener("beforeunload", guard);
  else if (!isActive(live)) return;
  change({ outcome, asked: null, paused: false });
}

function guard(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
