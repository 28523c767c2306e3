/** The importing worker, seen from the page: files into a hand, a look over its writing, its training examples. */
import { proxy } from "comlink";
import type { Cut, ImporterApi, ImporterEvent, ImportRequest, ImportResult, ShownExamples } from "../../workers/importer-protocol";
import { importAll } from "./import-watch";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<ImporterApi>(() => new Worker(new URL("../../workers/importer.worker.ts", import.meta.url), { type: "module", name: "ductus-importer" }));

/** Resolves when all has been read and looked over, or it was stopped. */
export function importWriting(request: ImportRequest, onEvent: (event: ImporterEvent) => void): Promise<ImportResult> {
  return importAll({ take: (part, hear) => host.call((importer) => importer.take(part, proxy(hear))), end: () => host.end() }, request, onEvent);
}

export const lookOver = (handId: string): Promise<void> => host.call((importer) => importer.look(handId));
export const showExamples = (handId: string, seed: number, count: number): Promise<ShownExamples> => host.call((importer) => importer.examples(handId, seed, count));
export const cutsOf = (handId: string, documentId: string): Promise<Cut[]> => host.call((importer) => importer.cuts(handId, documentId));
export const stopImport = (): Promise<void> => host.call((importer) => importer.stop());
