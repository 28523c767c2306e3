/**
 * What the readers of file formats share: what they are given, what they give
 * back, and how much they may take. A reader turns the bytes of one format into
 * pieces of writing and says what it left out and why; recognising formats,
 * cleaning text and counting words are done for all of them in one place
 * (import.ts).
 */
import type { LeftOut } from "../documents";

export const FORMATS = ["text", "markdown", "html", "docx", "odt", "rtf", "pdf", "epub", "email", "mbox", "csv", "json", "jsonl", "zip"] as const;
export type FormatName = (typeof FORMATS)[number];

/** A piece of writing as a reader found it. */
export interface Extract {
  /** Its title, or its path inside the file; null where it has none: a file that is one piece gives it its own name, pieces of several are numbered. */
  name: string | null;
  /** "\n" line ends. */
  text: string;
  /**
   * "plain": as in a text file, where lines may be broken at a fixed width and
   * rules may part pieces. "paragraphs": blank lines part paragraphs, and a line
   * end inside one is meant (verse, addresses).
   */
  form: "plain" | "paragraphs";
  encoding?: string;
}

export interface Reading {
  extracts: Extract[];
  leftOut: LeftOut[];
}

/**
 * What one import may take, over all its files together: archives and documents
 * claim what they like of their sizes. Taking more than is left throws
 * `file/too-large`.
 */
export interface Budget {
  takeBytes(bytes: number): void;
  takeEntries(entries: number): void;
}

export interface ReaderContext {
  /** The file's name as it is shown. */
  name: string;
  budget: Budget;
  /** Aborted when the person stops the import. Readers look at it between entries and pages. */
  signal: AbortSignal;
}

/** @throws DuctusError `file/damaged`, `file/encrypted`, `file/too-large`, `file/empty`, `file/not-text`, `file/chat`; the signal's reason */
export type Reader = (bytes: Uint8Array, context: ReaderContext) => Promise<Reading>;
