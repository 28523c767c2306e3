/**
 * Zip archives, and the documents that are zip archives inside (docx, odt,
 * epub). Entries are inflated one at a time, when asked for, in pieces, and
 * never beyond the size that was taken from the budget for them, whatever the
 * archive claims. Nothing is written anywhere, so that a path in it can do no
 * harm. The directory is read by lib/core/zip-directory, deflate by fflate.
 */
import { Inflate } from "fflate";
import { crc32 } from "../../core/crc32";
import { DuctusError } from "../../core/errors";
import { readZipDirectory, type ZipEntry } from "../../core/zip-directory";
import { damagedFile, encryptedFile } from "./faults";
import { createPause } from "./pause";
import type { ReaderContext } from "./types";

export { damagedFile };

export interface Archive {
  /** Files, without folders, in the order of the directory; of several with one path the last, as other programs read it. */
  entries: readonly { path: string; bytes: number }[];
  has(path: string): boolean;
  /**
   * Each call takes the entry's bytes from the budget.
   * @throws DuctusError `file/damaged`, `file/encrypted`, `file/not-text` (a compression that is not read), `file/too-large`; the signal's reason
   */
  read(path: string): Promise<Uint8Array>;
}

/** Deflate grows a thousandfold at most, so that one piece makes 16 MB at most before its size is looked at. */
const PIECE_BYTES = 16 * 1024;

/** @throws DuctusError `file/damaged`, `file/too-large` (too many entries) */
export function openArchive(bytes: Uint8Array, context: ReaderContext): Archive {
  const directory = readZipDirectory(bytes, () => context.budget.takeEntries(1));
  if (directory === "in-parts") throw new DuctusError("file/damaged", `“${context.name}” is one part of a divided archive.`, "Put the parts together and unpack them, and drop in the files.");
  if (directory === "none") throw damagedFile(context.name, "its end is missing");
  if (typeof directory === "string") throw damagedFile(context.name, directory === "damaged" ? "its list of contents is broken" : "its parts lie over one another");
  const byPath = new Map<string, ZipEntry>();
  for (const entry of directory) if (!entry.isFolder && entry.path !== "") byPath.set(entry.path, entry);
  const pause = createPause(context.signal);
  return {
    entries: [...byPath.values()].map(({ path, bytes }) => ({ path, bytes })),
    has: (path) => byPath.has(path),
    async read(path) {
      await pause();
      const entry = byPath.get(path);
      if (entry === undefined) throw damagedFile(context.name, "a part of it is missing", { details: `no entry ${path}` });
      return unpack(bytes, entry, context);
    },
  };
}

/** @throws DuctusError as {@link Archive.read} */
function unpack(bytes: Uint8Array, entry: ZipEntry, { name, budget }: ReaderContext): Uint8Array {
  if (entry.encrypted) throw encryptedFile(name);
  const damaged = (why: string, cause?: unknown) => damagedFile(name, "a part of it is broken", { details: `${entry.path}: ${why}`, cause });
  if (entry.packed === null) throw damaged("no header");
  if (entry.method !== 0 && entry.method !== 8) {
    throw new DuctusError("file/not-text", `“${name}” is packed in a way that is not read here.`, "Unpack it with the program that made it, and drop in the files.", { details: `${entry.path}: method ${entry.method}` });
  }
  const packed = bytes.subarray(entry.packed.from, entry.packed.to);
  // 1,032 is the most that deflate can grow (RFC 1951: 258 bytes from 2 bits)
  if (entry.method === 0 ? entry.bytes !== packed.length : entry.bytes > 1032 * packed.length) throw damaged("impossible size");
  budget.takeBytes(entry.bytes);
  const content = entry.method === 0 ? packed.slice() : inflate(packed, entry.bytes, damaged);
  if (crc32(content) !== entry.crc32) throw damaged("wrong checksum");
  return content;
}

function inflate(packed: Uint8Array, bytes: number, damaged: (why: string, cause?: unknown) => DuctusError): Uint8Array {
  const content = new Uint8Array(bytes);
  let filled = 0;
  const inflater = new Inflate((piece) => {
    if (filled + piece.length > bytes) throw damaged("larger than it says");
    content.set(piece, filled);
    filled += piece.length;
  });
  try {
    for (let at = 0; at < packed.length; at += PIECE_BYTES) inflater.push(packed.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= packed.length);
  } catch (error) {
    throw error instanceof DuctusError ? error : damaged("cannot be inflated", error);
  }
  if (filled !== bytes) throw damaged("smaller than it says");
  return content;
}
