/**
 * What both workers load once and keep: a model and the device. A failure is not
 * kept, so that the next call tries again; a lost device is opened anew. One
 * model at a time: another one takes its place, since two large ones do not fit.
 */
import { DuctusError } from "../lib/core/errors";
import { getSetting } from "../lib/store/hands";
import { openModelFolder } from "../lib/store/model-files";
import { getModel, modelGone } from "../lib/store/models";
import { measuredThreads } from "../lib/store/threads";
import type { ModelRef, StoredModel } from "../lib/store/types";
import type { TokenizerFiles } from "../lib/train/model/added-tokens";
import type { ModelConfig } from "../lib/train/model/config";
import { EMBEDDED_MODEL_ID, openModel, type ReadyModel } from "../lib/train/model/embedded";
import { opfsModel } from "../lib/train/model/files";
import type { Storage } from "../lib/train/model/held";
import { openModelFiles, openSettings } from "../lib/train/model/load";
import { loadManifest, loadModelSettings, type ModelEntry, type OnProgress } from "../lib/train/model/manifest";
import { createTokenizer, type TextTokenizer } from "../lib/train/model/tokenizer";
import { openDevice, type OpenedDevice } from "../lib/train/runtime/device";
import { defaultThreads } from "../lib/train/runtime/threads";
import { fetchModelFile } from "./model-files";
import { holdOptions } from "./model-outlook";

const MODELS_URL = `${self.location.origin}/models`;

/** A model with how its weights are held. */
export interface HeldModel extends ReadyModel {
  storage: Storage;
  /** What its tokenizer was made from; read anew where it is large, as few adapters ask for it. */
  tokenizerFiles(): Promise<TokenizerFiles>;
}

/** `folder`: that of a model that was brought in, which is another one when it is brought in anew. */
let kept: { sha256: string; folder: string | null; model: Promise<HeldModel> } | null = null;

/** A model before its weights are read: enough to say what a run with it would take. */
export interface ModelSketch {
  identity: ModelIdentity;
  config: ModelConfig;
  tokenizer: TextTokenizer;
  storage: Storage;
  /** In memory. */
  weightBytes: number;
}

let sketched: { sha256: string; sketch: Promise<ModelSketch> } | null = null;

/** @throws DuctusError `model/gone`, and those of loadModelSettings and openSettings */
export async function sketch(ref: ModelRef | undefined): Promise<ModelSketch> {
  const identity = await identify(ref);
  if (sketched?.sha256 === identity.sha256) return sketched.sketch;
  const mine = (sketched = { sha256: identity.sha256, sketch: ref === undefined ? sketchEmbedded(identity) : sketchStored(identity, ref) });
  mine.sketch.catch(() => {
    if (sketched === mine) sketched = null;
  });
  return mine.sketch;
}

async function sketchEmbedded(identity: ModelIdentity): Promise<ModelSketch> {
  const { config, tokenizerJson, tokenizerConfig } = await loadModelSettings(MODELS_URL, EMBEDDED_MODEL_ID, fetchModelFile);
  return { identity, config, tokenizer: createTokenizer(tokenizerJson, tokenizerConfig), storage: "f32", weightBytes: 4 * identity.parameters };
}

async function sketchStored(identity: ModelIdentity, ref: ModelRef): Promise<ModelSketch> {
  const stored = await getModel(ref.id);
  const folder = stored === null ? null : await openModelFolder(stored.folder);
  if (stored === null || folder === null) throw modelGone(ref.name);
  const { config, tokenizer } = await openSettings(await opfsModel(folder));
  return { identity, config, tokenizer, storage: stored.storage, weightBytes: stored.weightBytes };
}

/** The manifest's entry of the embedded model, without its weights. */
export async function embeddedEntry(): Promise<ModelEntry> {
  const entry = (await loadManifest(MODELS_URL, fetchModelFile)).models.find((m) => m.id === EMBEDDED_MODEL_ID);
  if (!entry) throw new DuctusError("model/missing", "The model that comes with this page is not there.", "Reload the page to try again.");
  return entry;
}

/** Which model it is, before its weights are read. */
export type ModelIdentity = Pick<ModelEntry, "id" | "name" | "parameters" | "sha256">;

/**
 * @param ref of a model that was brought in; absent: the embedded one
 * @throws DuctusError `model/gone`, and those of loadManifest
 */
export async function identify(ref: ModelRef | undefined): Promise<ModelIdentity> {
  if (ref === undefined) return embeddedEntry();
  const stored = await getModel(ref.id);
  if (stored === null) throw modelGone(ref.name);
  return identityOf(stored);
}

/** Whether a model with these weights can be opened here. */
export async function isHere(sha256: string): Promise<boolean> {
  return (await getModel(sha256)) !== null || (await embeddedEntry()).sha256 === sha256;
}

const identityOf = ({ id, name, parameters }: StoredModel): ModelIdentity => ({ id: name, name, parameters, sha256: id });

/**
 * Opens the model with these weights; the one open before is let go.
 * @param name as it was called, for the words where it is gone
 * @param letGo ends what still holds the one open before; called where another takes its place
 * @throws DuctusError `model/gone` where it is neither the embedded one nor stored here, and those of openModel and openModelFiles
 */
export async function openByHash(sha256: string, name: string, onProgress?: OnProgress, letGo?: () => Promise<void>): Promise<HeldModel> {
  const stored = await getModel(sha256);
  const folder = stored?.folder ?? null;
  const isKept = () => kept?.sha256 === sha256 && kept.folder === folder;
  if (!isKept()) await letGo?.();
  if (kept !== null && isKept()) return kept.model; // also where another call has opened it meanwhile
  const model = load(sha256, name, stored, onProgress);
  const mine = (kept = { sha256, folder, model });
  model.catch(() => {
    if (kept === mine) kept = null;
  });
  return model;
}

async function load(sha256: string, name: string, stored: StoredModel | null, onProgress?: OnProgress): Promise<HeldModel> {
  // The embedded one is always that of the site, exact as it is, whatever was brought in. With the network off, what is stored opens all the same.
  const entry = stored === null ? await embeddedEntry() : await embeddedEntry().catch(() => null);
  if (entry?.sha256 !== sha256) {
    if (stored === null) throw modelGone(name);
    return loadStored(stored, onProgress);
  }
  const { tokenizerFiles, ...model } = await openModel(MODELS_URL, EMBEDDED_MODEL_ID, fetchModelFile, onProgress);
  return { ...model, storage: "f32", tokenizerFiles: () => Promise.resolve(tokenizerFiles) };
}

async function loadStored(stored: StoredModel, onProgress?: OnProgress): Promise<HeldModel> {
  const folder = await openModelFolder(stored.folder);
  if (folder === null) throw modelGone(stored.name); // the browser has cleared it
  const files = await opfsModel(folder);
  const { config, weights, tokenizer, stopTokenIds } = await openModelFiles(files, { ...holdOptions(stored.storage), ...(onProgress ? { onProgress } : {}), sha256: stored.id });
  return { config, weights, tokenizer, stopTokenIds, entry: identityOf(stored), storage: stored.storage, tokenizerFiles: () => openSettings(files) };
}

const devices = new Map<string, Promise<OpenedDevice>>();

/**
 * @param wanted "auto": as the person chose in the settings, which is "auto" itself until they do
 * @param threads of the processor path, to repeat a run to the last bit; absent: what this device was measured to do best with
 */
export async function device(wanted: "auto" | "webgpu" | "wasm", threads?: number): Promise<OpenedDevice> {
  const chosen = wanted === "auto" ? await getSetting("device").catch(() => null) : null;
  const opened = await openOnce(chosen ?? wanted, threads);
  if (chosen !== "wasm" || opened.report.reason !== "") return opened;
  return { ...opened, report: { ...opened.report, reason: "The processor was chosen in the settings." } };
}

function openOnce(preference: "auto" | "webgpu" | "wasm", threads?: number): Promise<OpenedDevice> {
  const known = devices.get(preference);
  if (known) return known;
  const opened = (async () => openDevice(preference, threads ?? (await measuredThreads()) ?? defaultThreads()))();
  const forget = () => {
    if (devices.get(preference) === opened) devices.delete(preference);
  };
  devices.set(preference, opened);
  opened.then(({ backend }) => backend.lost.then(forget), forget);
  return opened;
}
