/** What IndexedDB holds, read past the app's own code, so that a test does not believe the screens about it. */
import type { Page } from "@playwright/test";
import type { AdapterInfo } from "../lib/store/adapters";
import type { Conversation, Hand, Metric, Run, RunSample, StoredDocument } from "../lib/store/types";

export interface Stored {
  hands: Hand[];
  documents: StoredDocument[];
  runs: Run[];
  metrics: Metric[];
  samples: RunSample[];
  adapters: AdapterInfo[];
  /** Without their bytes. */
  adapterFiles: { adapterId: string; bytes: number }[];
  conversations: Conversation[];
}

export function stored(page: Page): Promise<Stored> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("The database refused."));
      });
    const database = await settled(indexedDB.open("ductus"));
    const names = ["hands", "documents", "runs", "metrics", "samples", "adapters", "adapterFiles", "conversations"];
    const transaction = database.transaction(names);
    const all: Record<string, unknown[]> = {};
    for (const name of names) all[name] = await settled(transaction.objectStore(name).getAll() as IDBRequest<unknown[]>);
    database.close();
    // As the app lists them, and not by their random ids.
    for (const [name, key] of [["hands", "createdAt"], ["documents", "order"], ["runs", "createdAt"], ["adapters", "createdAt"]] as const) {
      (all[name] as Record<string, number>[]).sort((a, b) => (a[key] ?? 0) - (b[key] ?? 0));
    }
    all["adapterFiles"] = (all["adapterFiles"] as { adapterId: string; file: Uint8Array }[]).map(({ adapterId, file }) => ({ adapterId, bytes: file.byteLength }));
    return all as unknown as Stored;
  });
}

/** How many records of each kind belong to a hand. Points and samples whose run is gone count, whoever's they were. */
export function countOf(all: Stored, handId: string): Record<keyof Stored, number> {
  const mine = <T extends { handId: string }>(records: T[]) => records.filter((record) => record.handId === handId).length;
  const runs = new Map(all.runs.map((run) => [run.id, run.handId]));
  const adapters = new Map(all.adapters.map((adapter) => [adapter.id, adapter.handId]));
  const under = (owner: string | undefined) => owner === undefined || owner === handId;
  return {
    hands: all.hands.filter((hand) => hand.id === handId).length,
    documents: mine(all.documents),
    runs: mine(all.runs),
    metrics: all.metrics.filter((point) => under(runs.get(point.runId))).length,
    samples: all.samples.filter((sample) => under(runs.get(sample.runId))).length,
    adapters: mine(all.adapters),
    conversations: mine(all.conversations),
    adapterFiles: all.adapterFiles.filter((file) => under(adapters.get(file.adapterId))).length,
  };
}
