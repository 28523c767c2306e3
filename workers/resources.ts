/**
 * What both workers load once and keep: the model and the device. A failure is
 * not kept, so that the next call tries again; a lost device is opened anew.
 */
import { EMBEDDED_MODEL_ID, openModel, type ReadyModel } from "../lib/train/model/embedded";
import { loadManifest, type ModelEntry, type OnProgress } from "../lib/train/model/manifest";
import { openDevice, type OpenedDevice } from "../lib/train/runtime/device";
import { DuctusError } from "../lib/core/errors";
import { fetchModelFile } from "./model-files";

const MODELS_URL = `${self.location.origin}/models`;

let model: Promise<ReadyModel> | null = null;

/** The manifest's entry of the embedded model, without its weights unless they are here already. */
export async function embeddedEntry(): Promise<ModelEntry> {
  if (model) return (await model).entry;
  const entry = (await loadManifest(MODELS_URL, fetchModelFile)).models.find((m) => m.id === EMBEDDED_MODEL_ID);
  if (!entry) throw new DuctusError("model/missing", "The model that comes with this page is not there.", "Reload the page to try again.");
  return entry;
}

export function embeddedModel(onProgress?: OnProgress): Promise<ReadyModel> {
  model ??= openModel(MODELS_URL, EMBEDDED_MODEL_ID, fetchModelFile, onProgress).catch((error: unknown) => {
    model = null;
    throw error;
  });
  return model;
}

const devices = new Map<string, Promise<OpenedDevice>>();

export function device(preference: "auto" | "webgpu" | "wasm"): Promise<OpenedDevice> {
  const known = devices.get(preference);
  if (known) return known;
  const opened = openDevice(preference);
  const forget = () => {
    if (devices.get(preference) === opened) devices.delete(preference);
  };
  devices.set(preference, opened);
  opened.then(({ backend }) => backend.lost.then(forget), forget);
  return opened;
}
