/**
 * What this site keeps in the browser, by kind, counted record by record: the
 * browser itself tells one number for all (room.ts), in which its own
 * bookkeeping and compression are. Reads everything once, so it belongs in a
 * worker. Nothing is stored here.
 */
import { type StoreName, STORE_NAMES, transact } from "./db";
import { listDownloads } from "./downloads";
import { listModels } from "./models";

/** "site": the site's own files, kept for use without a network. */
export const USAGE_KINDS = ["writing", "runs", "adapters", "checkpoints", "models", "site"] as const;
export type UsageKind = (typeof USAGE_KINDS)[number];
export type StorageUsage = Record<UsageKind, number>;

const KIND_OF: Record<StoreName, UsageKind> = {
  hands: "writing", documents: "writing",
  runs: "runs", metrics: "runs", samples: "runs", conversations: "runs", judgings: "runs", measurements: "runs", settings: "runs",
  adapters: "adapters", adapterFiles: "adapters",
  checkpoints: "checkpoints", keptStates: "checkpoints", keptFiles: "checkpoints",
  models: "models",
};
/** Stores whose records are large files: one is held at a time. */
const OF_FILES: ReadonlySet<StoreName> = new Set<StoreName>(["adapterFiles", "checkpoints", "keptFiles"]);
const AT_ONCE = 200;

/** Where the workers keep the site's model, and where public/sw.js keeps the site. */
export const MODEL_CACHE = "ductus-models";
export const SITE_CACHES = "ductus-site-";

/** Bytes by kind. What cannot be read counts nothing. */
export async function storageUsage(signal: AbortSignal): Promise<StorageUsage> {
  const usage: StorageUsage = { writing: 0, runs: 0, adapters: 0, checkpoints: 0, models: 0, site: 0 };
  for (const store of STORE_NAMES) usage[KIND_OF[store]] += await bytesOfStore(store, signal);
  for (const { fileBytes } of await listModels(() => undefined)) usage.models += fileBytes;
  for (const { doneBytes } of await listDownloads()) usage.models += doneBytes;
  for (const [name, bytes] of await bytesOfCaches(signal)) {
    if (name === MODEL_CACHE) usage.models += bytes;
    else if (name.startsWith(SITE_CACHES)) usage.site += bytes;
  }
  return usage;
}

async function bytesOfStore(store: StoreName, signal: AbortSignal): Promise<number> {
  const count = OF_FILES.has(store) ? 1 : AT_ONCE;
  let bytes = 0;
  for (let after: IDBKeyRange | null = null; ; ) {
    signal.throwIfAborted();
    const [keys, values]: [IDBValidKey[], unknown[]] = await transact([store], "readonly", (tx) => {
      const all = tx.objectStore(store) as { getAllKeys(range: IDBKeyRange | null, count: number): Promise<IDBValidKey[]>; getAll(range: IDBKeyRange | null, count: number): Promise<unknown[]> };
      return Promise.all([all.getAllKeys(after, count), all.getAll(after, count)]);
    });
    for (const value of values) bytes += sizeOf(value);
    const last = keys.at(-1);
    if (last === undefined || keys.length < count) return bytes;
    after = IDBKeyRange.lowerBound(last, true);
  }
}

const encoder = new TextEncoder();

/** Text as UTF-8, numbers as eight bytes; names of fields are the browser's affair. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return encoder.encode(value).byteLength;
  if (typeof value === "number") return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + sizeOf(item), 0);
  if (typeof value === "object" && value !== null) return Object.values(value).reduce((sum: number, item) => sum + sizeOf(item), 0);
  return 1;
}

async function bytesOfCaches(signal: AbortSignal): Promise<[name: string, bytes: number][]> {
  const found: [string, number][] = [];
  try {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      let bytes = 0;
      for (const request of await cache.keys()) {
        signal.throwIfAborted();
        const response = await cache.match(request);
        if (response !== undefined) bytes += await bytesOfAnswer(response);
      }
      found.push([name, bytes]);
    }
  } catch {
    signal.throwIfAborted(); // some private windows have no caches
  }
  return found;
}

async function bytesOfAnswer(response: Response): Promise<number> {
  const said = response.headers.get("content-length");
  // A packed answer lies here unpacked.
  if (said !== null && !response.headers.has("content-encoding")) return Number(said);
  return (await response.blob()).size;
}
