/** The writing worker, seen from the page: texts, scores, adapters in and out. */
import { proxy } from "comlink";
import type { Compared, ImportedAdapter, MeasureEvent, WriteEvent, WriteRequest, WriterApi } from "../../workers/protocol";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<WriterApi>(() => new Worker(new URL("../../workers/writer.worker.ts", import.meta.url), { type: "module", name: "ductus-writer" }));

export function write(request: WriteRequest, onEvent: (event: WriteEvent) => void): Promise<void> {
  return host.call((writer) => writer.write(request, proxy(onEvent)));
}

export function measure(handId: string, adapterId: string, onEvent: (event: MeasureEvent) => void): Promise<boolean> {
  return host.call((writer) => writer.measure(handId, adapterId, proxy(onEvent)));
}

export const compareReport = (handId: string, adapterIds: readonly string[]): Promise<Compared | null> => host.call((writer) => writer.compareReport(handId, adapterIds));

export function importAdapter(handId: string, name: string, bytes: Uint8Array): Promise<ImportedAdapter> {
  return host.call((writer) => writer.importAdapter(handId, name, bytes));
}

/** The adapter as one file, under the name that it has now. */
export const exportFile = (adapterId: string): Promise<Uint8Array> => host.call((writer) => writer.exportFile(adapterId));

/** The adapter as a zip of a PEFT folder. */
export function exportPeft(adapterId: string, withTexts: boolean): Promise<Uint8Array> {
  return host.call((writer) => writer.exportPeft(adapterId, withTexts));
}

export const stopWriting = (): Promise<void> => host.call((writer) => writer.stop());
/** Loads the worker's script ahead of its first use. */
export const warmWriter = (): void => host.warm();
/** Gives back the memory of a large model, before the trainer needs as much; what is being written ends. */
export const closeWriter = (): void => host.end();
