/**
 * Fetches the files of the models from this site and keeps a copy of each in
 * the Cache API, so that once a model has been fetched either worker can open it
 * with the network off, in this visit or a later one. The network comes first:
 * models keep their names when they change, and asking costs little while the
 * browser's own cache holds them. What is read is checked against the manifest's
 * hashes by whoever loads it, a kept copy like any other.
 */
const CACHE_NAME = "ductus-models";

export async function fetchModelFile(url: string, init: { signal?: AbortSignal } = {}): Promise<Response> {
  const cache = await openCache();
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    init.signal?.throwIfAborted();
    const kept = await cache?.match(url).catch(() => undefined);
    if (kept === undefined) throw error;
    return kept;
  }
  // Kept beside the reading; a copy that breaks off, or finds no room, is not kept, and is no fault.
  if (response.ok) void cache?.put(url, response.clone()).catch(() => undefined);
  return response;
}

/** Null where the browser has none, as in some private windows. */
async function openCache(): Promise<Cache | null> {
  try {
    return typeof caches === "undefined" ? null : await caches.open(CACHE_NAME);
  } catch {
    return null;
  }
}
