/**
 * What the page and the workers say to one another: types only. Calls go
 * through comlink; a worker reports by the callback it was given. Errors cross
 * as {@link SerializedError}. Workers read and write IndexedDB themselves, so
 * that a run lives in its worker and in no component.
 */
import type { SerializedError } from "../lib/core/errors";
import type { Message, PromptSpec } from "../lib/data/forms";
import type { CompareReport } from "../lib/eval/report";
import type { AdapterReport, DeviceReport, ExecutionReport, Metric, RunSample } from "../lib/store/types";
import type { Storage } from "../lib/train/model/held";
import type { SftConfig } from "../lib/train/sft/config";
import type { RunPrediction } from "../lib/train/sft/predict";

export type { Message, PromptSpec };

/** Phases of a run, in order. */
export type RunPhase = "loading" | "checking" | "preparing" | "training" | "finishing";

export interface RunProgress {
  step: number;
  totalSteps: number;
  /** Tokens (prompt and completion) trained on so far. */
  tokens: number;
  elapsedMs: number;
  /** Null until it can be estimated. */
  remainingMs: number | null;
  tokensPerSecond: number | null;
}

export type RunEvent =
  /** `done` and `total` are bytes while loading, steps while training, else absent. */
  | { type: "phase"; runId: string; phase: RunPhase; done?: number; total?: number }
  | { type: "device"; runId: string; device: DeviceReport }
  | { type: "execution"; runId: string; execution: ExecutionReport }
  /** Batched, about four a second. */
  | { type: "metrics"; runId: string; points: Metric[]; progress: RunProgress }
  | { type: "sample"; runId: string; sample: RunSample }
  | { type: "paused"; runId: string; paused: boolean }
  | { type: "finished"; runId: string; status: "finished" | "stopped"; adapterId: string; report: AdapterReport }
  /** It ended, and this browser has no room for what it learned: the worker keeps it until the next run, and here it is to be saved as a file. */
  | { type: "unsaved"; runId: string; stopped: boolean; error: SerializedError; name: string; file: Uint8Array; report: AdapterReport }
  /**
   * It goes on from a checkpoint, because it was asked to, or because the device was lost and opened anew; what came
   * after that step comes again. `differences`: why its last digits may differ from those of a run that was never cut.
   */
  | { type: "resumed"; runId: string; step: number; afterLoss: boolean; differences: readonly string[] }
  /** Checkpoints find no room: the run goes on, and if the tab is closed, it can go on only from an earlier step. Null: they find room again. */
  | { type: "unguarded"; runId: string; error: SerializedError | null }
  /** It was stopped before its first step: nothing was learned, and there is nothing to keep. */
  | { type: "withdrawn"; runId: string }
  | { type: "failed"; runId: string; error: SerializedError };

export interface TrainRequest {
  handId: string;
  /** Absent: the recipe of the loaded model. */
  config?: Partial<SftConfig>;
  /** An adapter to go on from; rank, scale, layers and trained tokens are then its own, whatever the settings say. */
  startAdapterId?: string;
  /** "auto" takes WebGPU where its self-test passes, else wasm. */
  device: "auto" | "webgpu" | "wasm";
}

/** What is asked before a run: what it would take. */
export interface PredictRequest {
  handId: string;
  config: SftConfig;
  startAdapterId?: string;
  /** What is likely to do the work. */
  device: Pick<DeviceReport, "kind" | "threads">;
}

export interface PredictedRun {
  prediction: RunPrediction;
  /** The settings as they would be trained with: with the shape of the adapter that it goes on from. */
  config: SftConfig;
  /** What the model allows. */
  limits: { maxPositions: number; vocabSize: number };
  /** Of the model. */
  parameters: number;
}

export interface TrainerApi {
  /**
   * What a run would take, from a look at the writing, the model's shape and how fast this device was; reads no weights.
   * @throws DuctusError `store/missing`, `model/…`, `adapter/…`, `data/…`
   */
  predict(request: PredictRequest): Promise<PredictedRun>;
  /** Creates the run, trains, stores everything; resolves with the run's id when it has ended, whichever way. */
  train(request: TrainRequest, onEvent: (event: RunEvent) => void): Promise<string>;
  /** Goes on with a run that was cut off, from its last checkpoint; resolves like train(). */
  goOn(runId: string, device: TrainRequest["device"], onEvent: (event: RunEvent) => void): Promise<string>;
  /** Tries again to store what the last run has learned, after "unsaved"; that run's listener hears "finished". */
  keepAgain(): Promise<void>;
  /** Ends the run as soon as the step in hand is done, and keeps what has been learned; before the first step, at the next phase. */
  stop(): void;
  pause(): void;
  resume(): void;
}

export interface SamplingOptions {
  temperature: number;
  topP: number;
  /** Only the most likely so many; absent or 0: all. */
  topK?: number;
  /** Above 1: words that were written before become less likely (Keskar et al. 2019). */
  repetitionPenalty?: number;
  maxNewTokens: number;
}

/** The model as it came, or with the adapter. */
export type Voice = "base" | "tuned";

/** One text that is wanted. */
export interface WriteRow {
  voice: Voice;
  ask: PromptSpec | { form: "chat"; messages: readonly Message[] };
  seed: number;
}

export interface WriteRequest {
  handId: string;
  /** Null: the hand's model as it came, and no row is "tuned". */
  adapterId: string | null;
  /** Written side by side, at most {@link MAX_ROWS}; what one writes does not depend on the others. */
  rows: readonly WriteRow[];
  sampling: SamplingOptions;
  device: "auto" | "webgpu" | "wasm";
}

export const MAX_ROWS = 8;

export type WriteEvent =
  | { type: "loading"; done: number; total: number }
  | { type: "device"; device: DeviceReport }
  /** Text so far, whole (never a half character). */
  | { type: "text"; row: number; text: string; tokens: number }
  /** `forgotten`: messages of a conversation that had no room before the model any more, from its beginning. */
  | { type: "done"; row: number; text: string; tokens: number; stop: "end" | "length" | "stopped"; forgotten: number };

export type MeasurePhase = "scoring" | "writing";

export type MeasureEvent =
  | { type: "loading"; done: number; total: number }
  /** `done` and `total` are passages while scoring, texts while writing; `remainingMs` is that of the phase, null until it can be estimated. */
  | { type: "progress"; phase: MeasurePhase; done: number; total: number; remainingMs: number | null };

/** What was measured of adapters, set against one another. */
export interface Compared {
  report: CompareReport;
  /** Of the first one's adapter and model in the report. */
  adapterId: string;
  baseId: string;
  measuredAt: number;
  /** Every passage was scored and every text written; else it was stopped on the way. */
  whole: boolean;
  /** The writing, and how it is divided, is still what it was measured on. */
  current: boolean;
  /** Of those that were asked for, they were measured on other writing or not at all, and are not in the report. */
  leftOut: string[];
}

export interface ImportedAdapter {
  id: string;
  /** The model that it was checked against. */
  model: string;
  /** What its folder calls the model it was made for, where that is another name: only the shapes are known to fit. */
  otherBase?: string;
}

export interface WriterApi {
  /**
   * Streams the rows; resolves when all have ended, stop() was called, or another call has taken its place.
   * @throws DuctusError `store/missing`, `model/gone`, `generate/too-long`
   */
  write(request: WriteRequest, onEvent: (event: WriteEvent) => void): Promise<void>;
  /**
   * Scores the hand's test part with base and adapter, passage by passage, and lets both write on from some of it; stores
   * what it has with the adapter as it comes, and goes on where an earlier call was stopped. stop(), and any other call
   * that writes or measures, ends it.
   * @returns whether it came to its end
   * @throws DuctusError `store/missing`, `model/gone`, `data/too-little`, `data/scores`
   */
  measure(handId: string, adapterId: string, onEvent: (event: MeasureEvent) => void): Promise<boolean>;
  /** From what was measured before; null where the first one was not. @throws DuctusError `data/damaged-measurement` */
  compareReport(handId: string, adapterIds: readonly string[]): Promise<Compared | null>;
  /**
   * Reads an adapter file (one-file form, or a zip of a PEFT folder), checks it
   * against the model it was made for where that is here, else the hand's, and
   * stores it in the hand.
   */
  importAdapter(handId: string, name: string, bytes: Uint8Array): Promise<ImportedAdapter>;
  /** The adapter as one file, under the name that it has now. */
  exportFile(adapterId: string): Promise<Uint8Array>;
  /** The adapter as a zip of a PEFT folder. @param withTexts puts what it wrote into its card, and the lines it was asked with */
  exportPeft(adapterId: string, withTexts: boolean): Promise<Uint8Array>;
  stop(): void;
}

export interface ThreadsApi {
  /** Milliseconds for a short sum with so many threads. */
  time(threads: number): Promise<number>;
}

/** A file of a model's folder, as the browser hands it over: its bytes are read by slices, in the worker. */
export interface ModelSourceFile {
  /** Inside the folder, with slashes; a name alone where files were picked one by one. */
  path: string;
  file: File;
}

/** What a folder holds, found by its small files and the headers of its large ones. */
export interface ModelOutlook {
  name: string;
  family: string;
  parameters: number;
  /** Of the weight files. */
  sourceBytes: number;
  licence?: string;
  /** Largest first; one alone where it was quantised before, and stays as it is. */
  choices: { storage: Storage; weightBytes: number }[];
  /** By the model's size and the device's memory. */
  recommended: Storage;
  /** What the device will hardly bear, in words; absent where all is well. */
  warning?: string;
}

export type ModelPhase = "reading" | "storing";

export interface ModelProgress {
  phase: ModelPhase;
  done: number;
  /** Bytes. */
  total: number;
  /** Null until it can be estimated. */
  remainingMs: number | null;
}

/** The model that comes with the site, as the list shows it. */
export interface EmbeddedModel {
  id: string;
  name: string;
  parameters: number;
  fileBytes: number;
  licence: string;
  sha256: string;
}

/** A model of the hub that is known, as the list shows it before the hub is asked for anything. */
export interface KnownModel {
  /** `owner/name` */
  repo: string;
  about: string;
  parameters: number;
  /** Of the files to be fetched, about. */
  downloadBytes: number;
  licence: string;
  /** The form that suits this device, and what it takes in memory then. */
  recommended: Storage;
  weightBytes: number;
  warning?: string;
}

export interface ModelsApi {
  embedded(): Promise<EmbeddedModel>;
  known(): KnownModel[];
  /**
   * @param licence where it is known from elsewhere than the files
   * @throws DuctusError `model/…` for what is no model, or none that is computed here
   */
  inspect(files: readonly ModelSourceFile[], licence?: string): Promise<ModelOutlook>;
  /** Reads, converts and keeps a model; resolves with its id, or with null when it was cancelled. */
  add(files: readonly ModelSourceFile[], storage: Storage, onProgress: (progress: ModelProgress) => void, licence?: string): Promise<string | null>;
  cancel(): void;
  /** Deletes what an interrupted `add` has left behind. */
  sweep(): Promise<void>;
}
