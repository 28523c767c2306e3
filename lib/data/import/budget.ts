/**
 * What one import may take: how large files are that it opens, how much it
 * inflates, how many entries of archives it looks at, how much text it gives
 * back. Inflated bytes are allowed in proportion to the bytes that came in, for
 * each file by itself, so that an archive made to overflow costs no other file.
 * It counts; what runs out is said by whoever asked.
 */
import { DuctusError } from "../../core/errors";
import type { Budget } from "./types";

const MB = 1024 * 1024;

export interface ImportLimits {
  /** Of one file, archives included; plain text has a limit of its own (MAX_FILE_BYTES). */
  maxFileBytes: number;
  /** Inflated from one file whatever its size, and for each byte that it has. Word processors' XML shrinks to a twentieth, text to a third. */
  baseInflatedBytes: number;
  inflatedPerByte: number;
  /** In one file, with the archives in it. */
  maxEntries: number;
  /** Given back by the whole import, in characters: each takes two bytes, and is held until it is stored. */
  maxTextChars: number;
  /** Documents of the whole import. */
  maxDocuments: number;
}

export const LIMITS: ImportLimits = {
  maxFileBytes: 256 * MB,
  baseInflatedBytes: 96 * MB,
  inflatedPerByte: 12,
  maxEntries: 100_000,
  maxTextChars: 256 * MB,
  maxDocuments: 200_000,
};

/** Of the base, for a file in an archive: one alone cannot use up what the archive has. */
const INNER_SHARE = 0.25;

/** The budget of one file, or of a file in an archive, which then takes from the archive's too. */
export class FileBudget implements Budget {
  private bytes: number;
  private entries: number;

  constructor(private readonly name: string, fileBytes: number, private readonly limits: ImportLimits, private readonly outer: FileBudget | null = null) {
    this.bytes = limits.baseInflatedBytes * (outer === null ? 1 : INNER_SHARE) + limits.inflatedPerByte * fileBytes;
    this.entries = limits.maxEntries;
  }

  /** @param name as it is shown @param fileBytes its size in the archive, unpacked */
  inside(name: string, fileBytes: number): FileBudget {
    return new FileBudget(name, fileBytes, this.limits, this);
  }

  /** @throws DuctusError `file/too-large`; nothing is taken then */
  takeBytes(bytes: number): void {
    if (!(bytes <= this.bytesLeft())) throw new DuctusError("file/too-large", `What is packed in “${this.name}” is far larger than what it is packed into.`, "If it is your own, unpack it and drop in the files.");
    this.count(bytes, 0);
  }

  /** @throws DuctusError `file/too-large`; nothing is taken then */
  takeEntries(entries: number): void {
    if (!(entries <= this.entriesLeft())) throw new DuctusError("file/too-large", `“${this.name}” has more than ${this.limits.maxEntries.toLocaleString("en")} files in it.`, "Choose the folders with your writing in them.");
    this.count(0, entries);
  }

  private count(bytes: number, entries: number): void {
    this.bytes -= bytes;
    this.entries -= entries;
    this.outer?.count(bytes, entries);
  }

  private bytesLeft(): number {
    return Math.min(this.bytes, this.outer?.bytesLeft() ?? Infinity);
  }

  private entriesLeft(): number {
    return Math.min(this.entries, this.outer?.entriesLeft() ?? Infinity);
  }
}
