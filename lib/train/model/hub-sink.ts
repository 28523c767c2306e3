/**
 * A file of the origin private file system as a download's sink. While it is
 * not whole, a note stands beside it (`NAME.part`) that says what it is a part
 * of; a file without one is whole, though it may be another commit's. For workers: the synchronous handles are
 * what every browser with such a file system has.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import type { HubFile } from "./hub";
import { isAsListed, type PartNote, type ResumableSink } from "./hub-download";
import { PART_NOTE } from "./part-note";

const noteSchema = z.strictObject({ hash: z.string(), etag: z.string().nullable() });
const MAX_NOTE_BYTES = 10_000;

/**
 * @returns null where the file is there already, and is what the hub lists
 * @throws DuctusError `store/busy` where another tab is writing it
 */
export async function opfsSink(directory: FileSystemDirectoryHandle, file: Pick<HubFile, "name" | "bytes" | "hash">): Promise<ResumableSink | null> {
  const noteName = file.name + PART_NOTE;
  const noted = await find(directory, noteName);
  const existing = await find(directory, file.name);
  if (existing && !noted && await holds(existing, file)) return null;
  // The note first: a file without one passes for whole.
  if (!noted) await writeNote(directory, noteName, { hash: "", etag: null });
  const handle = await open(await directory.getFileHandle(file.name, { create: true }));
  let size = handle.getSize();
  let note = noted ? await readNote(noted) : null;
  return {
    get size() {
      return size;
    },
    get note() {
      return note;
    },
    begin: async (next) => {
      // In this order no note ever stands beside bytes of another content.
      handle.truncate(0);
      handle.flush();
      size = 0;
      await writeNote(directory, noteName, next);
      note = next;
    },
    append: (bytes) => {
      const written = handle.write(bytes, { at: size });
      size += written;
      return written === bytes.byteLength ? Promise.resolve() : Promise.reject(new DOMException("a part was not written", "QuotaExceededError"));
    },
    read: (start, end) => {
      const bytes = new Uint8Array(end - start);
      const got = handle.read(bytes, { at: start });
      return Promise.resolve(bytes.subarray(0, got));
    },
    finish: async () => {
      handle.flush();
      await directory.removeEntry(noteName);
    },
    close: () => {
      handle.close();
      return Promise.resolve();
    },
  };
}

async function find(directory: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle | null> {
  try {
    return await directory.getFileHandle(name);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}

async function holds(handle: FileSystemFileHandle, file: Pick<HubFile, "bytes" | "hash">): Promise<boolean> {
  const blob = await handle.getFile();
  return blob.size === file.bytes && isAsListed(file, async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()));
}

async function open(file: FileSystemFileHandle): Promise<FileSystemSyncAccessHandle> {
  try {
    return await file.createSyncAccessHandle();
  } catch (cause) {
    if (!(cause instanceof DOMException) || cause.name !== "NoModificationAllowedError") throw cause;
    throw new DuctusError("store/busy", "This model is being downloaded in another tab.", "Wait for it there, or close that tab and try again.", { cause });
  }
}

/** A note that cannot be read is as good as none: the file is begun anew. */
async function readNote(file: FileSystemFileHandle): Promise<PartNote | null> {
  const blob = await file.getFile();
  if (blob.size > MAX_NOTE_BYTES) return null;
  try {
    return noteSchema.safeParse(JSON.parse(await blob.text())).data ?? null;
  } catch {
    return null;
  }
}

async function writeNote(directory: FileSystemDirectoryHandle, name: string, note: PartNote): Promise<void> {
  const handle = await open(await directory.getFileHandle(name, { create: true }));
  try {
    handle.truncate(0);
    handle.write(new TextEncoder().encode(JSON.stringify(note)), { at: 0 });
    handle.flush();
  } finally {
    handle.close();
  }
}
