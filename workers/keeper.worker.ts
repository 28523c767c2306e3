/**
 * The keeper: counts what is stored, writes all of it into one file, and takes
 * such a file in. Here and not on the page, which packing and reading would hold
 * up. What is in the file is lib/store's.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { listAdapters } from "../lib/store/adapters";
import { exportEverything, takeEverything } from "../lib/store/everything";
import { listHands } from "../lib/store/hands";
import { listModels } from "../lib/store/models";
import type { Hand } from "../lib/store/types";
import { storageUsage } from "../lib/store/usage";
import { loadManifest } from "../lib/train/model/manifest";
import type { KeeperApi, NeededModel, Opened, SavedEverything } from "./keeper-protocol";
import { fetchModelFile } from "./model-files";
import { reportRequests } from "./requests";
import { registerTransferHandlers } from "./transfer";

/** So much is held in memory; what is larger goes into a Blob, which the browser may keep on its disk. */
const PART_BYTES = 8e6;
/** The model that comes with the site, as adapters name it. */
const SITE_MODEL = "ductus-base";

let abort: AbortController | null = null;

/** One thing at a time; null when it was stopped. */
async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  if (abort !== null) throw new DuctusError("app/busy", "Something is being saved or opened already.", "Wait for it to end, or stop it.");
  const mine = (abort = new AbortController());
  try {
    return await work(mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return null;
    throw error;
  } finally {
    abort = null;
  }
}

async function save(onProgress: (bytes: number) => void, signal: AbortSignal): Promise<SavedEverything> {
  const leftOut: SavedEverything["leftOut"] = [];
  const parts: Blob[] = [];
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let waiting = 0, bytes = 0;
  for await (const piece of exportEverything((error) => leftOut.push(error.serialize()))) {
    await new Promise((resolve) => setTimeout(resolve)); // lets stop() in
    signal.throwIfAborted();
    pieces.push(piece as Uint8Array<ArrayBuffer>);
    bytes += piece.byteLength;
    waiting += piece.byteLength;
    if (waiting < PART_BYTES) continue;
    parts.push(new Blob(pieces));
    pieces = [];
    waiting = 0;
    onProgress(bytes);
  }
  return { file: new Blob([...parts, ...pieces], { type: "application/zip" }), hands: (await listHands(() => undefined)).length, leftOut };
}

async function open(file: Blob, onProgress: (done: number, total: number) => void, signal: AbortSignal): Promise<Opened> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new DuctusError("file/unreadable", "This file could not be opened; it may have been moved, or be too large for the memory there is.", "Choose it once more.", { cause });
  }
  const taken = await takeEverything(bytes, signal, onProgress);
  return { ...taken, needed: await neededModels(taken.added) };
}

/** Models that these hands are taught to, or have adapters of, and that are neither here nor the site's own. */
async function neededModels(hands: readonly Hand[]): Promise<NeededModel[]> {
  const here = new Set((await listModels(() => undefined)).map(({ id }) => id));
  const site = await loadManifest(`${self.location.origin}/models`, fetchModelFile).then(({ models }) => models, () => null);
  for (const { sha256 } of site ?? []) here.add(sha256);
  const needed = new Map<string, string>();
  for (const { id, model } of hands) {
    if (model !== undefined) needed.set(model.id, model.name);
    for (const { modelId, modelSha256 } of await listAdapters(id, () => undefined)) needed.set(modelSha256, modelId);
  }
  // Without the list, a name must do.
  return [...needed].filter(([sha256, name]) => !here.has(sha256) && !(site === null && name === SITE_MODEL)).map(([sha256, name]) => ({ sha256, name }));
}

const api: KeeperApi = {
  usage: () => storageUsage(new AbortController().signal),
  save: (onProgress) => stoppable((signal) => save(onProgress, signal)),
  open: (file, onProgress) => stoppable((signal) => open(file, onProgress, signal)),
  stop: () => abort?.abort(new DOMException("stopped", "AbortError")),
};

reportRequests();
registerTransferHandlers();
expose(api);
