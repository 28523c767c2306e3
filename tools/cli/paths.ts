/**
 * Files of the person who calls: where they are, and reading and writing them
 * with errors in words. Paths are taken from the folder in which `npm run` was
 * called, although npm runs its scripts in the folder of the package.
 */
import { constants } from "node:buffer";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DuctusError } from "../../lib/core/errors";

/** A string holds no more. */
const MAX_TEXT_BYTES = constants.MAX_STRING_LENGTH;
/** What Node 20 reads, and hashes, in one piece. */
export const MAX_BINARY_BYTES = 2 ** 31 - 1;

/** @param path as the person wrote it */
export function resolvePath(path: string): string {
  const { npm_lifecycle_event: script, INIT_CWD: calledIn } = process.env;
  return resolve(script === "ductus" && calledIn !== undefined ? calledIn : process.cwd(), path);
}

const reason = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

/**
 * @param next what to do about a file that is too large
 * @throws DuctusError `file/not-found`, `file/unreadable`, `file/too-large`
 */
export function readBytes(path: string, maxBytes = MAX_TEXT_BYTES, next = "Split it."): Uint8Array {
  try {
    if (statSync(path).size > maxBytes) throw new DuctusError("file/too-large", `“${path}” is larger than ${Math.floor(maxBytes / 1e6).toLocaleString("en")} MB.`, next);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof DuctusError) throw error;
    throw reason(error) === "ENOENT"
      ? new DuctusError("file/not-found", `There is no file “${path}”.`, "Check the path.")
      : new DuctusError("file/unreadable", `“${path}” cannot be read (${reason(error)}).`, "Check the path and its permissions.");
  }
}

/** UTF-8; a byte order mark at the start is dropped. @throws DuctusError as {@link readBytes}, and `file/not-utf8` */
export function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readBytes(path));
  } catch (error) {
    if (error instanceof DuctusError) throw error;
    throw new DuctusError("file/not-utf8", `“${path}” is not text in UTF-8.`, "Save it as UTF-8.");
  }
}

/** undefined where there is nothing, or nothing that may be seen. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

export const isFile = (path: string) => statOf(path)?.isFile() ?? false;
export const isFolder = (path: string) => statOf(path)?.isDirectory() ?? false;

/** With those above it. @throws DuctusError `file/unwritable` */
export function makeFolder(path: string): void {
  // One by one: Node's own `recursive` never ends where a folder exists and takes no new one, as in /proc.
  writing(path, () => {
    if (isFolder(path)) return;
    if (!isFolder(dirname(path))) makeFolder(dirname(path));
    mkdirSync(path);
  });
}

/** Whole or not at all: a process that is killed leaves the old file. @throws DuctusError `file/unwritable` */
export function writeFile(folder: string, name: string, content: string | Uint8Array): void {
  const path = join(folder, name);
  writing(path, () => {
    const handle = openSync(`${path}.part`, "w");
    try {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(`${path}.part`, path);
  });
}

/** @throws DuctusError `file/unwritable` where the work fails */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DuctusError) throw error;
    throw unwritable(path, error);
  }
}

export function unwritable(path: string, error: unknown): DuctusError {
  return new DuctusError("file/unwritable", `“${path}” cannot be written (${reason(error)}).`, "Choose another folder with --out, or free some space.");
}
