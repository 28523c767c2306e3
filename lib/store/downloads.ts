/**
 * Models on their way from the hub: for each a folder of the origin private file
 * system, under `downloads`, with the files as they come (a note beside each that
 * is not whole yet: lib/train/model/hub-sink.ts) and a file that says what is to
 * come. They can be had again, and go when the model has been brought in; what is
 * known of that one is models.ts'. Writing is begin-download.ts'.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { PART_NOTE } from "../train/model/part-note";
import type { HubListing } from "../train/model/hub";
import { announce } from "./changes";
import { storeError } from "./db";

const ROOT = "downloads";
/** Says what is to come. */
export const DOWNLOAD_NOTE = "download.json";
const MAX_NOTE_BYTES = 1024 * 1024;
/** The hub allows no two hyphens side by side in a name, so a folder's name leads back to the repository's. */
const BETWEEN = "--";

/** What is to come: the files that are needed, all of one commit. */
const noteSchema: z.ZodType<HubListing> = z.strictObject({
  repo: z.string().max(200),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  licence: z.string().max(200).nullable(),
  files: z.array(z.strictObject({
    name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/),
    bytes: z.int().nonnegative(),
    hash: z.strictObject({ kind: z.enum(["sha256", "git"]), hex: z.string().regex(/^[0-9a-f]{40,64}$/) }),
  })).max(1000),
});

export interface Download {
  /** `owner/name` */
  repo: string;
  /** Null where it is no longer known; then it can only be begun anew. */
  listing: HubListing | null;
  doneBytes: number;
  totalBytes: number;
  /** All files are there, and have been checked. */
  whole: boolean;
}

/** Of a model's folder. */
export const folderOf = (repo: string): string => repo.replace("/", BETWEEN);

/** Null where there is none, or no such file system. */
export async function downloadsRoot(create: boolean): Promise<FileSystemDirectoryHandle | null> {
  const storage = (typeof navigator === "undefined" ? undefined : navigator.storage) as { getDirectory?: () => Promise<FileSystemDirectoryHandle> } | undefined;
  try {
    return typeof storage?.getDirectory !== "function" ? null : await (await storage.getDirectory()).getDirectoryHandle(ROOT, { create });
  } catch {
    return null;
  }
}

/** By name. What cannot be read is listed without what is known of it, so that it can be deleted. */
export async function listDownloads(): Promise<Download[]> {
  const top = await downloadsRoot(false);
  if (top === null) return [];
  const found: Download[] = [];
  for await (const [name, handle] of top.entries()) {
    if (handle.kind === "directory") found.push(await describeDownload(name.replace(BETWEEN, "/"), handle));
  }
  return found.sort((a, b) => (a.repo < b.repo ? -1 : 1));
}

/** Null where nothing of this model is here. */
export async function getDownload(repo: string): Promise<Download | null> {
  const directory = await openDownload(repo);
  return directory === null ? null : describeDownload(repo, directory);
}

/** Exported for its test. */
export async function describeDownload(repo: string, directory: FileSystemDirectoryHandle): Promise<Download> {
  const listing = await readDownloadNote(directory);
  const files = await Promise.all((listing?.files ?? []).map(async (file) => ({ file, size: await sizeOf(directory, file.name), begun: (await sizeOf(directory, file.name + PART_NOTE)) !== null })));
  return {
    repo,
    listing,
    doneBytes: files.reduce((sum, { file, size }) => sum + Math.min(file.bytes, size ?? 0), 0),
    totalBytes: files.reduce((sum, { file }) => sum + file.bytes, 0),
    whole: listing !== null && files.every(({ file, size, begun }) => size === file.bytes && !begun),
  };
}

async function sizeOf(directory: FileSystemDirectoryHandle, name: string): Promise<number | null> {
  try {
    return (await (await directory.getFileHandle(name)).getFile()).size;
  } catch {
    return null;
  }
}

/** Null where there is none, or none that can be read. */
export async function readDownloadNote(directory: FileSystemDirectoryHandle): Promise<HubListing | null> {
  try {
    const file = await (await directory.getFileHandle(DOWNLOAD_NOTE)).getFile();
    if (file.size > MAX_NOTE_BYTES) return null;
    return noteSchema.safeParse(JSON.parse(await file.text())).data ?? null;
  } catch {
    return null;
  }
}

async function openDownload(repo: string): Promise<FileSystemDirectoryHandle | null> {
  try {
    return (await (await downloadsRoot(false))?.getDirectoryHandle(folderOf(repo))) ?? null;
  } catch {
    return null;
  }
}

/** The files of a download that is whole, as if they had been chosen from a disk; their names are the listing's. @throws DuctusError `store/gone` */
export async function downloadedFiles(repo: string): Promise<{ listing: HubListing; files: File[] }> {
  const directory = await openDownload(repo);
  const download = directory === null ? null : await describeDownload(repo, directory);
  if (directory === null || download?.listing == null || !download.whole) throw new DuctusError("store/gone", `What was downloaded of ${repo} is no longer whole in this browser.`, "Download it again.");
  const { listing } = download;
  return { listing, files: await Promise.all(listing.files.map(async ({ name }) => (await directory.getFileHandle(name)).getFile())) };
}

/** @throws DuctusError `store/busy` where it is just being downloaded, `store/…` */
export async function deleteDownload(repo: string): Promise<void> {
  try {
    await (await downloadsRoot(false))?.removeEntry(folderOf(repo), { recursive: true });
    announce({ kind: "models" });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw downloadFault(error);
  }
}

/** A fault of the file system in words. */
export function downloadFault(error: unknown): DuctusError {
  if (!(error instanceof DOMException) || error.name !== "NoModificationAllowedError") return storeError(error);
  return new DuctusError("store/busy", "This model is being downloaded in another tab.", "Wait for it there, or close that tab and try again.", { cause: error });
}
