/**
 * What the writing page and the importing worker say to one another: types only,
 * as protocol.ts has them for the workers that train and write.
 */
import type { SerializedError } from "../lib/core/errors";
import type { PromptForm } from "../lib/data/forms";
import type { PartName } from "../lib/data/split";
import type { ModelSourceFile } from "./protocol";

/** A file with its folders, as the browser hands it over: it is read when its turn has come. */
export type SourceFile = ModelSourceFile;

export interface ImportRequest {
  /** Null: a new hand, named after the first file that can be read. */
  handId: string | null;
  files: readonly SourceFile[];
  /** Text that was pasted; it comes before the files. */
  pasted?: string;
  /** The hand's pieces are looked over even where nothing is added: an earlier part of the same import was. */
  look?: boolean;
}

/** A piece or a file that is not used, and why. */
export interface Said {
  name: string;
  /** As a sentence. */
  reason: string;
}

export interface ImportProgress {
  /** Files are read, then all pieces of the hand are looked over. */
  phase: "reading" | "looking";
  /** What is being read; "" while looking. */
  name: string;
  /** Bytes while reading, pieces while looking; the total is infinite while it is not known. */
  done: number;
  total: number;
  filesDone: number;
  files: number;
  /** Stored by now. */
  pieces: number;
  /** Null until it can be estimated. */
  remainingMs: number | null;
}

export type ImporterEvent =
  /** About four a second. */
  | { type: "progress"; progress: ImportProgress }
  | { type: "said"; leftOut: Said[]; faults: { name: string; error: SerializedError }[]; unwrapped: string[] }
  /** The file of this place in the request is begun. */
  | { type: "file"; index: number }
  /** So many pieces of this request are in the database. */
  | { type: "stored"; handId: string; pieces: number }
  /** Every few seconds, whatever else: while none come, a file holds the worker fast. */
  | { type: "alive" };

export interface ImportResult {
  /** Null where nothing could be read for a new hand. */
  handId: string | null;
  added: number;
  /** The person stopped it; what was read by then is kept. */
  stopped: boolean;
  /** What ended it before its end: no room, or the hand is gone. What was stored before stays. */
  error: SerializedError | null;
  /** Why the pieces could not be looked over, where that is so. */
  unlooked: SerializedError | null;
}

/** A training example as the model is given it. */
export interface ShownExample {
  documentId: string;
  form: PromptForm;
  /** The person's side of the prompt, without the template. */
  prompt: string;
  completion: string;
  /** The prompt as the model reads it, with the marks of its template. */
  template: string;
  promptTokens: number;
  /** With the token that ends a text. */
  completionTokens: number;
  /** Tokens that an example may have; what is longer is cut. */
  maxTokens: number;
}

export interface ShownExamples {
  /** In a first pass over what is learned from, by form. */
  counts: Record<PromptForm, number>;
  examples: ShownExample[];
}

/** A passage that a piece is cut into, in characters of its text. */
export interface Cut {
  start: number;
  words: number;
  part: PartName;
  form: PromptForm;
}

export interface ImporterApi {
  /** Reads, stores in batches, and looks over all pieces of the hand. */
  take(request: ImportRequest, onEvent: (event: ImporterEvent) => void): Promise<ImportResult>;
  /** Looks over all pieces of a hand anew. @throws DuctusError `store/…` */
  look(handId: string): Promise<void>;
  /** Some of the examples that the hand's writing is made into, drawn by `seed`. @throws DuctusError `model/…`, `data/…` */
  examples(handId: string, seed: number, count: number): Promise<ShownExamples>;
  /** How a piece is cut in a first pass. */
  cuts(handId: string, documentId: string): Promise<Cut[]>;
  stop(): void;
}
