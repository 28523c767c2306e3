/**
 * The folders of models in the origin private file system: one for each model,
 * under `models`, written once and then only read. What the files hold is
 * lib/train/model's; which folder belongs to which model, models.ts'. Runs in
 * pages and workers; writing in workers only, by the synchronous handles that
 * every browser with such a file system has.
 */
import { DuctusError } from "../core/errors";
import { storeError } from "./db";

const ROOT = "models";

/** Whether this browser has such a file system and lets this page use it. */
export async function hasModelStorage(): Promise<boolean> {
  try {
    await root(true);
    return true;
  } catch {
    return false;
  }
}

/** @throws DuctusError `store/no-files`, `store/…` */
async function root(create: boolean): Promise<FileSystemDirectoryHandle> {
  const storage = (typeof navigator === "undefined" ? undefined : navigator.storage) as { getDirectory?: () => Promise<FileSystemDirectoryHandle> } | undefined;
  if (typeof storage?.getDirectory !== "function") throw noFiles();
  let top: FileSystemDirectoryHandle;
  try {
    top = await storage.getDirectory();
  } catch (cause) {
    throw noFiles(cause);
  }
  return top.getDirectoryHandle(ROOT, { create });
}

function noFiles(cause?: unknown): DuctusError {
  return new DuctusError("store/no-files", "This browser gives this page no place for large files, so a model of your own cannot be kept here. Private windows and pages without https are often refused one.",
    "Open the page over https, or on this machine itself, in an ordinary window; the embedded model works here all the same.", cause === undefined ? {} : { cause });
}

/** A new, empty folder. */
export async function createModelFolder(folder: string): Promise<FileSystemDirectoryHandle> {
  return (await root(true)).getDirectoryHandle(folder, { create: true });
}

/** The folder of a model; null where it is not there (any more). */
export async function openModelFolder(folder: string): Promise<FileSystemDirectoryHandle | null> {
  try {
    return await (await root(false)).getDirectoryHandle(folder);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error instanceof DuctusError ? error : storeError(error);
  }
}

export async function deleteModelFolder(folder: string): Promise<void> {
  try {
    await (await root(false)).removeEntry(folder, { recursive: true });
  } catch (error) {
    if (!isNotFound(error)) throw error instanceof DuctusError ? error : storeError(error);
  }
}

/** Deletes the folders that belong to no model: what an import that was cut off left behind. @param keep folders that do */
export async function sweepModelFolders(keep: ReadonlySet<string>): Promise<void> {
  let folder: FileSystemDirectoryHandle;
  try {
    folder = await root(false);
  } catch {
    return; // there is none
  }
  for await (const name of folder.keys()) {
    if (!keep.has(name)) await folder.removeEntry(name, { recursive: true }).catch(() => undefined); // another tab may be writing it
  }
}

/** Deletes all that lies there, listed or not. @throws DuctusError `store/…` where something is in use, as while another tab brings a model in */
export async function emptyFileSystem(): Promise<void> {
  const storage = (typeof navigator === "undefined" ? undefined : navigator.storage) as { getDirectory?: () => Promise<FileSystemDirectoryHandle> } | undefined;
  let top: FileSystemDirectoryHandle;
  try {
    if (typeof storage?.getDirectory !== "function") return;
    top = await storage.getDirectory();
  } catch {
    return; // there is none
  }
  const names: string[] = [];
  for await (const name of top.keys()) names.push(name);
  try {
    for (const name of names) await top.removeEntry(name, { recursive: true });
  } catch (error) {
    if (!isNotFound(error)) throw storeError(error);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
