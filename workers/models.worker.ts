/**
 * The models worker: looks at a folder, reads it by slices into the form in
 * which it is to be held, and keeps that in the origin private file system,
 * where the other two workers open it. A folder is written whole before its
 * model is listed; one that was cut off is swept away at the next visit.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { newId, storeError } from "../lib/store/db";
import { createModelFolder, deleteModelFolder, sweepModelFolders } from "../lib/store/model-files";
import { listModels, saveModel } from "../lib/store/models";
import { requireRoom } from "../lib/store/room";
import { CATALOGUE } from "../lib/train/model/catalogue";
import { countParameters } from "../lib/train/model/config";
import { filesModel, readJson, readSmall, type ModelFiles } from "../lib/train/model/files";
import type { Storage } from "../lib/train/model/held";
import { writeHeldModel } from "../lib/train/model/held-file";
import { openModelFiles, openSettings } from "../lib/train/model/load";
import { openShards, WEIGHTS_FILE } from "../lib/train/model/shards";
import { holdOptions, licenceOf, modelName, outlook, ownForm, recommend, weightBytes } from "./model-outlook";
import type { KnownModel, ModelOutlook, ModelPhase, ModelProgress, ModelsApi, ModelSourceFile } from "./protocol";
import { reportRequests } from "./requests";
import { embeddedEntry } from "./resources";
import { registerTransferHandlers } from "./transfer";

/** Held while a folder is being written, so that no other tab takes it for one that was cut off. */
const LOCK = "ductus-model-import";
/** Copied as they are, where they are there. */
const SMALL_FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
const MAX_SMALL_BYTES = 64 * 1024 * 1024;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Progress is sent this often. */
const PROGRESS_MS = 150;
/** Before this, a rate says nothing. */
const ESTIMATE_AFTER_MS = 1000;

let abort: AbortController | null = null;

async function facts(files: ModelFiles, picked: readonly ModelSourceFile[], known: string | undefined): Promise<{ name: string; licence?: string }> {
  const path = picked.map((file) => file.path).filter((name) => /(^|[/\\])config\.json$/.test(name)).sort((a, b) => a.split("/").length - b.split("/").length)[0] ?? "config.json";
  const licence = known ?? (await licenceOf(files));
  return { name: modelName(path, await readJson(files, "config.json", MAX_CONFIG_BYTES)), ...(licence === null ? {} : { licence }) };
}

/** The readers advise whoever fetched a model from a site; here it came from the person's disk. */
async function advised<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DuctusError) || (error.code !== "model/damaged" && error.code !== "model/not-safetensors")) throw error;
    throw new DuctusError(error.code, error.message, "Get this file once more from where the model came, and bring the folder in again.", { cause: error, ...(error.details === undefined ? {} : { details: error.details }) });
  }
}

const deviceGib = (): number | undefined => (navigator as WorkerNavigator & { deviceMemory?: number }).deviceMemory;

function known(): KnownModel[] {
  return CATALOGUE.map(({ config, ...rest }) => {
    const advice = recommend(config, deviceGib());
    return { ...rest, parameters: countParameters(config), weightBytes: weightBytes(config, advice.recommended), ...advice };
  });
}

async function inspect(picked: readonly ModelSourceFile[], licence?: string): Promise<ModelOutlook> {
  const files = filesModel(picked);
  const { config } = await openSettings(files);
  return outlook(config, await openShards(files), await facts(files, picked, licence), deviceGib());
}

async function add(picked: readonly ModelSourceFile[], storage: Storage, onProgress: (progress: ModelProgress) => void, licence?: string): Promise<string | null> {
  const mine = (abort = new AbortController());
  try {
    return await navigator.locks.request(LOCK, { signal: mine.signal }, () => advised(read(picked, storage, licence, mine.signal, onProgress)));
  } catch (error) {
    if (mine.signal.aborted) return null;
    throw error;
  } finally {
    abort = null;
  }
}

async function read(picked: readonly ModelSourceFile[], chosen: Storage, known: string | undefined, signal: AbortSignal, onProgress: (progress: ModelProgress) => void): Promise<string> {
  const files = filesModel(picked);
  const { name, licence } = await facts(files, picked, known);
  const { config } = await openSettings(files);
  const shards = await openShards(files);
  const storage = ownForm(config, shards) ?? chosen;
  const bytes = weightBytes(config, storage, shards);
  await requireRoom(bytes, `“${name}”`);
  const model = await openModelFiles(files, { ...holdOptions(storage), onProgress: reporter("reading", onProgress), signal });
  await refuseEmbedded(model.sha256);
  const folder = newId();
  try {
    const fileBytes = await write(folder, files, model, reporter("storing", onProgress), signal);
    const before = await saveModel({
      id: model.sha256, name, family: model.config.family, parameters: countParameters(model.config), storage,
      fileBytes, weightBytes: bytes, ...(licence === undefined ? {} : { licence }), addedAt: Date.now(), folder,
    });
    if (before !== null) await deleteModelFolder(before).catch(() => undefined); // swept at the next visit
    return model.sha256;
  } catch (error) {
    await deleteModelFolder(folder).catch(() => undefined);
    throw signal.aborted ? error : storeError(error);
  }
}

/** In whatever form: what was learned with the one that comes with the site is not to be computed with another. */
async function refuseEmbedded(sha256: string): Promise<void> {
  const embedded = await embeddedEntry().catch(() => null); // with the network off it may be unknown; it is opened before any other of its hash
  if (embedded?.sha256 !== sha256) return;
  throw new DuctusError("model/embedded", "This is the model that comes with the site, so it is here already.", "Choose it in the list above.");
}

/** @returns bytes written */
async function write(folder: string, files: ModelFiles, model: Awaited<ReturnType<typeof openModelFiles>>, onBytes: (done: number, total: number) => void, signal: AbortSignal): Promise<number> {
  const directory = await createModelFolder(folder);
  let fileBytes = 0;
  const writeFile = async (name: string, work: (sink: (part: Uint8Array) => void) => Promise<void> | void): Promise<void> => {
    const handle = await (await directory.getFileHandle(name, { create: true })).createSyncAccessHandle();
    try {
      await work((part) => {
        if (handle.write(part) !== part.byteLength) throw new DOMException("written short", "QuotaExceededError");
        fileBytes += part.byteLength;
      });
      handle.flush();
    } finally {
      handle.close();
    }
  };
  for (const name of SMALL_FILES.filter((small) => files.names().includes(small))) {
    const content = await readSmall(files, name, MAX_SMALL_BYTES);
    await writeFile(name, (sink) => sink(content));
  }
  await writeFile(WEIGHTS_FILE, (sink) => writeHeldModel(model.weights, model.sha256, sink, onBytes, signal));
  return fileBytes;
}

/** Sends progress now and then, the beginning and the end always. */
function reporter(phase: ModelPhase, onProgress: (progress: ModelProgress) => void): (done: number, total: number) => void {
  const startedAt = performance.now();
  let sentAt = -Infinity;
  return (done, total) => {
    const now = performance.now();
    if (now - sentAt < PROGRESS_MS && done < total) return;
    sentAt = now;
    const spent = now - startedAt;
    onProgress({ phase, done, total, remainingMs: spent < ESTIMATE_AFTER_MS || done === 0 ? null : (spent / done) * (total - done) });
  };
}

/** Only while nobody writes: a folder that is being written belongs to no model yet. */
async function sweep(): Promise<void> {
  if ((navigator as { locks?: LockManager }).locks === undefined) return; // then there is no room for models either
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    const damaged: unknown[] = [];
    const models = await listModels((error) => damaged.push(error));
    // A record that cannot be read does not say which folder is its own.
    if (damaged.length === 0) await sweepModelFolders(new Set(models.map((model) => model.folder)));
  });
}

const api: ModelsApi = {
  embedded: async () => {
    const { id, name, parameters, files, licence, sha256 } = await embeddedEntry();
    return { id, name, parameters, fileBytes: files.reduce((sum, file) => sum + file.bytes, 0), licence, sha256 };
  },
  known,
  inspect: (files, licence) => advised(inspect(files, licence)),
  add,
  cancel: () => abort?.abort(new DOMException("cancelled", "AbortError")),
  sweep,
};

reportRequests();
registerTransferHandlers();
expose(api);
