/**
 * What lives in IndexedDB. Everything here is the person's own; model weights,
 * which can be had again, are not kept here. Times are Unix milliseconds.
 */
import type { SerializedError } from "../core/errors";
import type { Shares } from "../data/split";
import type { Storage } from "../train/model/held";
import type { SftConfig } from "../train/sft/config";

/** One writer's project: their documents, runs and adapters. */
export interface Hand {
  id: string;
  name: string;
  source: "sample" | "own";
  /** Which sample writer, when source is "sample". */
  sampleId?: string;
  createdAt: number;
  /** Fixes the train / validation / test split and the examples. */
  seed: number;
  /** Which model it is taught to; absent: the one that comes with the site. */
  model?: ModelRef;
  /** Shares of the split; absent: those of lib/data/split. */
  shares?: Shares;
  /** Ids of documents that repeat one another, as the last look found them; they stay in one part of the split. */
  groups?: string[][];
}

/** A model that was brought in, as hands remember it: it may be gone by the time it is wanted. */
export interface ModelRef {
  /** Of its {@link StoredModel}. */
  id: string;
  /** In words, to say which one is gone. */
  name: string;
}

/** A model that was brought in, without its weights. */
export interface StoredModel {
  /** sha256 (hex) that identifies the weights it came with, whatever they are held as here. */
  id: string;
  /** As its folder was called; fit for `base_model_name_or_path`. */
  name: string;
  /** `model_type` of its config.json. */
  family: string;
  parameters: number;
  /** How its matrices are held. */
  storage: Storage;
  /** What its files take on the disk, and its weights in memory. */
  fileBytes: number;
  weightBytes: number;
  /** As its folder says; absent where it says nothing. */
  licence?: string;
  addedAt: number;
  /** In the origin private file system, see model-files.ts. */
  folder: string;
}

export interface StoredDocument {
  id: string;
  handId: string;
  /** Position in the hand; documents are kept in the order they came. */
  order: number;
  name: string;
  text: string;
  words: number;
  /** Encoding the bytes were read in, e.g. "utf-8", "windows-1252"; absent for samples and pasted text. */
  encoding?: string;
  /** What its file was, e.g. "docx"; absent for samples and pasted text. */
  format?: string;
  /** Where it lay: folders and archives before the file's name, with slashes. */
  path?: string;
  /** Left out of training, with the reason as a sentence; absent: it is used. */
  excluded?: Exclusion;
  /** The person uses it, whatever a look at the writing suggests. */
  kept?: boolean;
  /** As it was read, where `text` is another: freed of what is not the writer's, or edited. */
  original?: string;
  /** The text is as the person wants it: nothing is taken off it any more. */
  edited?: boolean;
  /** What the last look at the writing found; absent: it was not looked at. */
  look?: DocumentLook;
  addedAt: number;
}

/** What lib/data/hygiene has to say of a document. */
export interface DocumentLook {
  /** ISO 639-1, largest share first; empty: too short to tell. */
  languages: { language: string; share: number }[];
  /** What speaks against it, each a sentence. */
  warnings: { kind: string; sentence: string }[];
  /** What it has in common with an earlier piece. */
  repeats?: { kind: string; earlierId: string; sentence: string };
  /** What was taken off the original, with its place in it (characters). */
  removed: { what: string; start: number; end: number }[];
  /** Why it is suggested to leave it out; absent: it is not. */
  suggests?: string;
}

export interface Exclusion {
  reason: string;
  /** The person's own choice stands, whatever a later look at the writing suggests. */
  by: "person" | "inspection";
}

export type RunStatus = "running" | "finished" | "stopped" | "failed" | "interrupted";

export interface DeviceReport {
  kind: "webgpu" | "wasm" | "node";
  threads: number;
  /** Why this device and not a quicker one, in words; empty when it was the first choice. */
  reason: string;
  /** What the browser said, for a bug report. */
  details?: string;
}

/** How the model was executed, for the person to read and for a run to go on in the same way. */
export interface ExecutionReport {
  kind: "whole" | "streamed";
  recompute: boolean;
  /** How the weights were held. */
  storage: Storage;
}

export interface Run {
  id: string;
  handId: string;
  createdAt: number;
  /** Last time the worker wrote; a "running" run that is silent was interrupted. */
  updatedAt: number;
  status: RunStatus;
  modelId: string;
  modelSha256: string;
  config: SftConfig;
  /** Hash of documents, split and config: the run is reproducible from it. */
  dataHash: string;
  device?: DeviceReport;
  execution?: ExecutionReport;
  step: number;
  totalSteps: number;
  trainTokens: number;
  trainExamples: number;
  heldOutExamples: number;
  elapsedMs: number;
  adapterId?: string;
  /** What the person calls it; absent: it is named by what it is. */
  name?: string;
  /** What it learned from: words in all, and a hash of the texts and their split alone. */
  writing?: { words: number; hash?: string };
  /** The adapter that it went on from; absent: it began from nothing. */
  start?: { name: string; adapterId?: string };
  /** Steps done at the last checkpoint, from which the run can go on; absent where there is none. */
  checkpointStep?: number;
  error?: SerializedError;
}

/** What a run needs to go on exactly where it was. */
export interface StoredCheckpoint {
  runId: string;
  /** Steps done. */
  step: number;
  savedAt: number;
  /** See lib/train/sft/checkpoint.ts. */
  file: Uint8Array;
}

/** A state of a run that was kept to choose from, without its file, which is an adapter's. */
export interface KeptCheckpoint {
  runId: string;
  /** Steps done, and tokens trained on by then. */
  step: number;
  tokens: number;
  savedAt: number;
  /** Held-out loss, nats a token; null where it was not measured. */
  loss: number | null;
  fileBytes: number;
}

/** A point of a curve. `loss` is nats per completion token. */
export interface Metric {
  runId: string;
  kind: "train" | "heldout";
  step: number;
  loss: number;
  /** Completion tokens the loss was averaged over. */
  tokens: number;
  learningRate?: number;
  gradNorm?: number;
  /** Held out: examples that it was measured on, and the standard error over them of the loss's change since the lowest before it. */
  examples?: number;
  changeError?: number;
  atMs: number;
}

/** What the model wrote during training, always from the same prompt and seed. */
export interface RunSample {
  runId: string;
  step: number;
  prompt: string;
  text: string;
}

/** Loss on the test part's completions for one model. */
export interface Score {
  /** Mean nats per completion token. */
  loss: number;
  perplexity: number;
  bitsPerByte: number;
  tokens: number;
  bytes: number;
  examples: number;
}

export interface AdapterReport {
  base: Score;
  tuned: Score;
}

export interface StoredAdapter {
  id: string;
  handId: string;
  /** Absent for an imported adapter. */
  runId?: string;
  name: string;
  createdAt: number;
  modelId: string;
  modelSha256: string;
  /** The one-file safetensors form. */
  file: Uint8Array;
  /** Measured on the hand's test part; absent until it has been. */
  report?: AdapterReport;
}

/** What one voice wrote: the base alone, or with an adapter. */
export interface Written {
  text: string;
  voice?: "base" | "tuned";
  /** It was stopped, or cut off at its length. */
  unfinished?: boolean;
  /** Why it is unfinished, where that is known. */
  stop?: "length" | "stopped";
  /** Messages of the conversation, from its beginning, that had no room before the model any more. */
  forgotten?: number;
}

/** How a text is drawn: the settings of the field's samplers. */
export interface TurnSampling {
  temperature: number;
  topP: number;
  topK?: number;
  repetitionPenalty?: number;
  maxNewTokens: number;
}

/** One message of a conversation with a model. */
export interface Turn extends Written {
  /** Unique in its conversation. Absent in what an earlier version kept, whose turns follow one another as they are listed. */
  id?: string;
  /** The turn that it follows; null: it begins the conversation. Turns of one role that follow the same one are versions of one another. */
  after?: string | null;
  role: "user" | "assistant";
  /** What the person's turn asks for; absent: an answer. */
  form?: "chat" | "continue" | "keywords";
  /** The model's turn by the other voice, from the same seed. */
  beside?: Written;
  /** What taught the tuned voice; it may be gone by now. */
  adapterId?: string;
  seed?: number;
  sampling?: TurnSampling;
}

/** A conversation that is kept; a turn stands after the one that it follows. */
export interface Conversation {
  id: string;
  handId: string;
  /** Whom it was begun with; absent: the model as it came. It may be gone by now. */
  adapterId?: string;
  createdAt: number;
  updatedAt: number;
  turns: Turn[];
  /** The turn that was on show last: what leads to it is the conversation as it is read. Absent: the newest. */
  showing?: string;
}

/** What was measured of an adapter, passage by passage; what is inside is that of lib/eval/measurement.ts. */
export interface StoredMeasurement {
  adapterId: string;
  handId: string;
  measuredAt: number;
  content: unknown;
}

/** A blind comparison that a person judges; what is inside is that of lib/eval/blind.ts. */
export interface Judging {
  id: string;
  handId: string;
  adapterId: string;
  createdAt: number;
  updatedAt: number;
  state: unknown;
}
