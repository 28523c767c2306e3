/**
 * The models that are here, and the one that is being brought in. That one
 * belongs to no screen: navigating does not stop it. The reading itself is the
 * models worker's; what a hand is taught to stands in the hand.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { subscribe } from "../../lib/store/changes";
import { deleteDownload, downloadedFiles, listDownloads, type Download } from "../../lib/store/downloads";
import { deleteModelFolder, hasModelStorage } from "../../lib/store/model-files";
import { forgetModel, listModels } from "../../lib/store/models";
import type { StoredModel } from "../../lib/store/types";
import type { Storage } from "../../lib/train/model/held";
import type { EmbeddedModel, KnownModel, ModelOutlook, ModelProgress, ModelSourceFile } from "../../workers/protocol";
import { addModel, cancelModel, closeModels, embeddedModel, inspectModel, knownModels, sweepModels } from "../_engine/models";
import { askToKeep } from "./persist";
import { isActive, run } from "./run";
import { ifNoRun } from "../_engine/run-lock";
import { createStore } from "./store";

/** A folder on its way in. `download`: the model of the hub, `owner/name`, whose downloaded files it is; they go once it is in. */
export type Incoming = { download?: string; licence?: string } & (
  | { state: "looking"; name: string }
  /** Waits for the person to say how it is to be held. */
  | { state: "asking"; name: string; files: readonly ModelSourceFile[]; outlook: ModelOutlook }
  | { state: "adding"; name: string; progress: ModelProgress | null; cancelling: boolean }
);

export interface Models {
  /** Null until they have been read. */
  stored: readonly StoredModel[] | null;
  /** Downloaded from the hub, whole or in part, and not brought in yet. */
  downloads: readonly Download[];
  /** Models of the hub that are known; empty until they have been read. */
  known: readonly KnownModel[];
  /** Null while unknown, as with the network off before the first visit. */
  embedded: EmbeddedModel | null;
  /** Whether this browser has a place for large files; null until it is known. */
  hasStorage: boolean | null;
  incoming: Incoming | null;
  /** Brought in last. */
  addedId: string | null;
  /** The name of one that was stopped on its way in. */
  stopped: string | null;
  error: SerializedError | null;
}

export const models = createStore<Models>({ stored: null, downloads: [], known: [], embedded: null, hasStorage: null, incoming: null, addedId: null, stopped: null, error: null });

let opened = false;
let looked = false;

/** Reads the list and starts to listen; calling it again changes nothing. */
export async function openModels(): Promise<void> {
  if (opened) return;
  opened = true;
  subscribe(({ kind }) => {
    if (kind === "models" || kind === "everything") void readModels();
  });
  await readModels();
}

/** What the models page shows beside the list; it starts the models worker, and clears up what was cut off. */
export async function lookAtModels(): Promise<void> {
  if (looked) return;
  looked = true;
  void embeddedModel().then((embedded) => models.set((m) => ({ ...m, embedded })), () => undefined);
  const hasStorage = await hasModelStorage();
  models.set((m) => ({ ...m, hasStorage }));
  void knownModels().then((known) => models.set((m) => ({ ...m, known })), () => undefined);
  void sweepModels().catch(() => undefined); // tried again at the next visit
}

async function readModels(): Promise<void> {
  try {
    const stored = await listModels((error) => console.warn("A model that is stored cannot be read.", error));
    const downloads = await listDownloads().catch(() => []);
    models.set((m) => ({ ...m, stored, downloads }));
  } catch (error) {
    models.set((m) => ({ ...m, stored: m.stored ?? [], error: serializeError(error) }));
  }
}

/** Looks at what was downloaded of a model of the hub, and asks how it is to be held. */
export async function offerDownload(repo: string): Promise<void> {
  try {
    const { listing, files } = await downloadedFiles(repo);
    const folder = repo.split("/").at(-1) ?? repo;
    await offerModel(files.map((file): ModelSourceFile => ({ path: `${folder}/${file.name}`, file })), { download: repo, ...(listing.licence === null ? {} : { licence: listing.licence }) });
  } catch (error) {
    models.set((m) => ({ ...m, error: serializeError(error) }));
    await readModels();
  }
}

/**
 * Looks at a folder, and asks how it is to be held.
 * @param from where it is no folder that the person has chosen
 */
export async function offerModel(files: readonly ModelSourceFile[], from: Pick<Incoming, "download" | "licence"> = {}): Promise<void> {
  const { incoming } = models.get();
  if (incoming !== null && incoming.state !== "asking") return;
  const name = nameOf(files);
  models.set((m) => ({ ...m, incoming: { ...from, state: "looking", name }, error: null, addedId: null, stopped: null }));
  try {
    if (!(await hasModelStorage())) throw new DuctusError("store/no-files", "This browser gives this page no place for large files, so a model of your own cannot be kept here.", "Open the page over https, or on this machine itself, in an ordinary window; the embedded model works here all the same.");
    const outlook = await inspectModel(files, from.licence);
    models.set((m) => ({ ...m, incoming: { ...from, state: "asking", name: outlook.name, files, outlook } }));
  } catch (error) {
    models.set((m) => ({ ...m, incoming: null, error: serializeError(error) }));
  }
}

/** Puts a folder away that was only looked at. */
export const declineModel = (): void => models.set((m) => (m.incoming?.state === "asking" ? { ...m, incoming: null } : m));

/** Brings in the folder that was offered. */
export async function takeModel(storage: Storage): Promise<void> {
  const { incoming } = models.get();
  if (incoming?.state !== "asking") return;
  const { name, files, download, licence } = incoming;
  models.set((m) => ({ ...m, incoming: { ...(download === undefined ? {} : { download }), state: "adding", name, progress: null, cancelling: false }, error: null }));
  const show = (progress: ModelProgress): void => models.set((m) => (m.incoming?.state === "adding" ? { ...m, incoming: { ...m.incoming, progress } } : m));
  try {
    // Asked now, when there is something large to lose; where it is refused the browser may clear the model when room gets scarce.
    await askToKeep();
    // Until now there was nothing that could be told to stop.
    const addedId = isCancelling() ? null : await addModel(files, storage, show, licence);
    // They can be had again, and what was made of them is what is used.
    if (addedId !== null && download !== undefined) await deleteDownload(download).catch(() => undefined);
    await readModels();
    models.set((m) => ({ ...m, incoming: null, addedId, stopped: addedId === null ? name : null }));
  } catch (error) {
    models.set((m) => ({ ...m, incoming: null, error: serializeError(error) }));
  }
  closeModels();
}

function isCancelling(): boolean {
  const { incoming } = models.get();
  return incoming?.state === "adding" && incoming.cancelling;
}

export function cancelIncoming(): void {
  models.set((m) => (m.incoming?.state === "adding" ? { ...m, incoming: { ...m.incoming, cancelling: true } } : m));
  cancelModel().catch(() => undefined); // it has ended by itself
}

/** @throws DuctusError `app/busy`, `store/…` */
export async function deleteModel(model: StoredModel): Promise<void> {
  if (isActive(run.get().live)) throw new DuctusError("app/busy", "A training run is going on.", "Stop it first.");
  // Another tab's run would end well, but could not go on where it is cut off.
  const done = await ifNoRun(async () => {
    const folder = await forgetModel(model.id);
    if (folder !== null) await deleteModelFolder(folder);
  });
  if (!done) throw new DuctusError("app/busy", "A training run is going on in another tab of this browser.", "Wait for it to end, or stop it in that tab.");
  await readModels();
}

/** Deletes what was downloaded of a model and not brought in. @throws DuctusError `store/busy`, `store/…` */
export async function forgetDownload(repo: string): Promise<void> {
  const { incoming } = models.get();
  if (incoming?.download === repo && incoming.state === "adding") throw new DuctusError("app/busy", "This model is being brought in.", "Stop that first.");
  if (incoming?.download === repo) models.set((m) => ({ ...m, incoming: null }));
  await deleteDownload(repo);
  await readModels();
}

/** Deletes every model with its files, and what was downloaded. @throws DuctusError `app/busy`, `store/…` */
export async function deleteAllModels(): Promise<void> {
  if (models.get().incoming?.state === "adding") throw new DuctusError("app/busy", "A model is being brought in.", "Stop that first, on the Models page.");
  for (const model of await listModels(() => undefined)) await deleteModel(model);
  for (const { repo } of await listDownloads()) await deleteDownload(repo);
  await readModels();
}

/** Whether dropped files are meant as a model: on the models page all are, elsewhere a settings file beside weights is. */
export function isModel(files: readonly ModelSourceFile[], path: string): boolean {
  if (path === "/models") return true;
  return files.some(({ file }) => file.name === "config.json") && files.some(({ file }) => /\.safetensors(\.index\.json)?$/.test(file.name));
}

/** The folder's, as the person knows it. */
function nameOf(files: readonly ModelSourceFile[]): string {
  const folder = files[0]?.path.split("/").at(-2);
  return folder ?? files[0]?.file.name ?? "";
}
