/** The models worker, seen from the page: what a folder holds, bringing it in, clearing up. */
import { proxy } from "comlink";
import type { Storage } from "../../lib/train/model/held";
import type { EmbeddedModel, KnownModel, ModelOutlook, ModelProgress, ModelsApi, ModelSourceFile } from "../../workers/protocol";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<ModelsApi>(() => new Worker(new URL("../../workers/models.worker.ts", import.meta.url), { type: "module", name: "ductus-models" }));

export const embeddedModel = (): Promise<EmbeddedModel> => host.call((models) => models.embedded());
export const knownModels = (): Promise<KnownModel[]> => host.call((models) => models.known());
export const inspectModel = (files: readonly ModelSourceFile[], licence?: string): Promise<ModelOutlook> => host.call((models) => models.inspect(files, licence));

/** @returns the model's id; null when it was cancelled */
export function addModel(files: readonly ModelSourceFile[], storage: Storage, onProgress: (progress: ModelProgress) => void, licence?: string): Promise<string | null> {
  return host.call((models) => models.add(files, storage, proxy(onProgress), licence));
}

export const cancelModel = (): Promise<void> => host.call((models) => models.cancel());
export const sweepModels = (): Promise<void> => host.call((models) => models.sweep());
/** Gives back what the worker holds; the next call starts a fresh one. */
export const closeModels = (): void => host.end();
