/** The keeper, seen from the page: what is stored, all of it as one file and back. */
import { proxy } from "comlink";
import type { KeeperApi, Opened, SavedEverything, StorageUsage } from "../../workers/keeper-protocol";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<KeeperApi>(() => new Worker(new URL("../../workers/keeper.worker.ts", import.meta.url), { type: "module", name: "ductus-keeper" }));

export const countStorage = (): Promise<StorageUsage> => host.call((keeper) => keeper.usage());
/** Null when it was stopped. */
export const saveEverything = (onProgress: (bytes: number) => void): Promise<SavedEverything | null> => host.call((keeper) => keeper.save(proxy(onProgress)));
/** Null when it was stopped. */
export const openEverything = (file: Blob, onProgress: (done: number, total: number) => void): Promise<Opened | null> => host.call((keeper) => keeper.open(file, proxy(onProgress)));
export const stopKeeper = (): Promise<void> => host.call((keeper) => keeper.stop());
/** Loads the worker's script ahead of its first use. */
export const warmKeeper = (): void => host.warm();
