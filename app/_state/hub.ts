/**
 * The page for downloads: what was looked up, what is being downloaded, what lies
 * here of earlier ones. It knows the setting and the folders of downloads, and
 * nothing of what the person has written. What goes on is the worker's
 * (workers/hub.worker.ts); it ends with the page, and is gone on with later.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import { deleteDownload, listDownloads, type Download } from "../../lib/store/downloads";
import { hasModelStorage } from "../../lib/store/model-files";
import type { DownloadProgress, HubOutlook } from "../../workers/hub-protocol";
import { downloadModel, lookUpModel, stopDownload } from "../_engine/hub";
import { keepHubRequest } from "./hub-requests";
import { createStore } from "./store";

export interface Hub {
  /** Null until they have been read. */
  downloads: readonly Download[] | null;
  /** Null until it is known. */
  hasStorage: boolean | null;
  /** The name that is being looked up. */
  looking: string | null;
  found: HubOutlook | null;
  going: { repo: string; progress: DownloadProgress | null; stopping: boolean } | null;
  /** How the last download ended. */
  ended: { repo: string; whole: boolean } | null;
  error: SerializedError | null;
}

export const hub = createStore<Hub>({ downloads: null, hasStorage: null, looking: null, found: null, going: null, ended: null, error: null });

/** Reads what lies here. */
export async function lookAtDownloads(): Promise<void> {
  const hasStorage = await hasModelStorage();
  const downloads = await listDownloads().catch(() => []);
  hub.set((h) => ({ ...h, hasStorage, downloads }));
}

/** Asks the hub for a model. */
export async function lookUp(name: string): Promise<void> {
  const { looking, going } = hub.get();
  if (looking !== null || going !== null || name.trim() === "") return;
  hub.set((h) => ({ ...h, looking: name.trim(), found: null, ended: null, error: null }));
  try {
    const found = await lookUpModel(name, keepHubRequest);
    hub.set((h) => ({ ...h, looking: null, found }));
  } catch (error) {
    hub.set((h) => ({ ...h, looking: null, error: serializeError(error) }));
  }
}

/** Puts away what was looked up. */
export const putAway = (): void => hub.set((h) => ({ ...h, found: null }));

/** Downloads what was looked up, or goes on with what was begun. */
export async function download(repo: string): Promise<void> {
  if (hub.get().going !== null) return;
  hub.set((h) => ({ ...h, going: { repo, progress: null, stopping: false }, ended: null, error: null }));
  const show = (progress: DownloadProgress): void => hub.set((h) => (h.going === null ? h : { ...h, going: { ...h.going, progress } }));
  try {
    const whole = await downloadModel(repo, show, keepHubRequest);
    hub.set((h) => ({ ...h, going: null, found: null, ended: { repo, whole } }));
  } catch (error) {
    hub.set((h) => ({ ...h, going: null, error: serializeError(error) }));
  }
  await lookAtDownloads();
}

/** What has come is kept. */
export function stop(): void {
  if (hub.get().going === null) return;
  hub.set((h) => (h.going === null ? h : { ...h, going: { ...h.going, stopping: true } }));
  stopDownload().catch(() => undefined); // it has ended by itself
}

/** @throws DuctusError `store/busy`, `store/…` */
export async function forget(repo: string): Promise<void> {
  await deleteDownload(repo);
  hub.set((h) => ({ ...h, ended: h.ended?.repo === repo ? null : h.ended }));
  await lookAtDownloads();
}
