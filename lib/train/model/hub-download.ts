/**
 * Downloads files of a hub repository into sinks that remember how far they
 * are: a connection that breaks, a closed tab or an abort costs nothing but
 * what was on the way. Every file is taken from one commit; a part of another
 * content (the hash that the hub lists, or its ETag, has changed) is thrown
 * away. At the end the whole file is read back from the sink and its hash
 * compared.
 */
import { sha1 } from "@noble/hashes/legacy";
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import { DuctusError } from "../../core/errors";
import { ask, HUB, offline, refused, type HubAccess, type HubFile, type HubListing } from "./hub";

/** What a part was begun from, kept beside it. */
export interface PartNote {
  /** Of the whole file, as the hub lists it. */
  hash: string;
  /** Null where the server did not say. */
  etag: string | null;
}

/** A file that is being written, and can be gone on with later. */
export interface ResumableSink {
  /** Bytes that are safely there. */
  readonly size: number;
  /** Of the last {@link begin}; null for a file that was not begun, or whose note is lost. */
  readonly note: PartNote | null;
  /** Empties the file and notes what it is a part of. */
  begin(note: PartNote): Promise<void>;
  append(bytes: Uint8Array): Promise<void>;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Marks the file as whole. Nothing but close is called after it. */
  finish(): Promise<void>;
  /** Gives the file free, whole or not. */
  close(): Promise<void>;
}

export interface DownloadOptions extends HubAccess {
  /** Of all files together; what was there already counts as done. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** A connection on which nothing arrives for this long counts as broken. */
  idleTimeoutMs?: number;
  /** Waiting times before a request is made again, after as many failures without a byte in between. */
  retryDelaysMs?: readonly number[];
}

const IDLE_TIMEOUT_MS = 60_000;
const RETRY_DELAYS_MS = [1000, 3000, 10_000] as const;
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Downloads the files of a listing, one after another. Call it again to go on.
 * @param openSink for a file by its name; null where that file is there already and whole
 * @throws DuctusError `model/offline`, `model/hub-…` (see hub.ts), `model/corrupt` (what arrived is not what the hub
 *   lists; the part is thrown away), `store/full`; the signal's reason where it aborts
 */
export async function downloadFiles(listing: HubListing, files: readonly HubFile[], openSink: (name: string) => Promise<ResumableSink | null>, options: DownloadOptions): Promise<void> {
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const file of files) {
    options.signal?.throwIfAborted();
    const sink = await stored(() => openSink(file.name));
    try {
      if (sink) await downloadFile(listing, file, sink, { ...options, onProgress: (done) => options.onProgress?.(before + done, totalBytes) });
    } finally {
      await sink?.close();
    }
    before += file.bytes;
    options.onProgress?.(before, totalBytes);
  }
}

/** One file; see {@link downloadFiles}. The sink is left open. */
export async function downloadFile(listing: HubListing, file: HubFile, sink: ResumableSink, options: DownloadOptions): Promise<void> {
  const { signal, onProgress, retryDelaysMs = RETRY_DELAYS_MS } = options;
  let failures = 0, farthest = sink.size;
  if (sink.note?.hash !== file.hash.hex || sink.size > file.bytes) await stored(() => sink.begin({ hash: file.hash.hex, etag: null }));
  while (sink.size < file.bytes) {
    onProgress?.(sink.size, file.bytes);
    let failure: DuctusError;
    try {
      await fetchRest(listing, file, sink, options);
      if (sink.size >= file.bytes) break;
      failure = offline(new Error("the connection ended early"));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof DuctusError) || (error.code !== "model/offline" && error.code !== "model/hub-fault")) throw error;
      failure = error;
    }
    // Only what was never reached before counts as getting on, so that a server that starts over again and again is left.
    failures = sink.size > farthest ? 0 : failures + 1;
    farthest = Math.max(farthest, sink.size);
    const delayMs = retryDelaysMs[failures === 0 ? 0 : failures - 1];
    if (delayMs === undefined) throw failure;
    await sleep(delayMs, signal);
  }
  await verify(file, sink, signal);
  await stored(() => sink.finish());
}

/**
 * A small file, checked, into memory. The caller has looked at its size.
 * @throws DuctusError as {@link downloadFiles}
 */
export async function downloadSmall(listing: HubListing, file: HubFile, options: DownloadOptions): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.bytes);
  let size = 0;
  let note: PartNote | null = null;
  await downloadFile(listing, file, {
    get size() {
      return size;
    },
    get note() {
      return note;
    },
    begin: (next) => {
      size = 0;
      note = next;
      return Promise.resolve();
    },
    append: (more) => {
      bytes.set(more, size);
      size += more.byteLength;
      return Promise.resolve();
    },
    read: (start, end) => Promise.resolve(bytes.slice(start, Math.min(end, size))),
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }, options);
  return bytes;
}

/** One request for what is missing. A server that gives the whole file instead, or another content, is taken from the start. */
async function fetchRest(listing: HubListing, file: HubFile, sink: ResumableSink, options: DownloadOptions): Promise<void> {
  const { endpoint = HUB, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const url = `${endpoint}/${listing.repo}/resolve/${listing.commit}/${file.name}`;
  const idle = watchIdle(idleTimeoutMs, options.signal);
  try {
    const from = sink.size;
    const response = await ask(url, options, from > 0 ? { Range: `bytes=${from}-` } : {}, idle.signal);
    idle.alive();
    const etag = response.headers.get("etag");
    const changed = etag !== null && sink.note?.etag != null && etag !== sink.note.etag;
    if (!response.ok && response.status !== 416) throw await refused(response, listing.repo);
    const partial = response.status === 206;
    const usable = partial ? !changed && continues(response, from, file.bytes) : response.status === 200;
    if (!usable) {
      await response.body?.cancel().catch(() => undefined);
      if (from === 0) throw corrupt(file.name);
      await stored(() => sink.begin({ hash: file.hash.hex, etag: null })); // the next request begins anew
      return;
    }
    if (!partial || from === 0) await stored(() => sink.begin({ hash: file.hash.hex, etag }));
    await drain(response, file, sink, idle, options);
  } finally {
    idle.stop();
  }
}

/** Whether a partial answer begins where we stopped, in a file of the length we expect. */
function continues(response: Response, from: number, total: number): boolean {
  const range = response.headers.get("content-range");
  if (range === null) return true; // not shown to other sites by every server; the hash at the end tells
  const parts = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range);
  return parts !== null && Number(parts[1]) === from && (parts[2] === "*" || Number(parts[2]) === total);
}

async function drain(response: Response, file: HubFile, sink: ResumableSink, idle: Idle, { signal, onProgress }: DownloadOptions): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      let step: ReadableStreamReadResult<Uint8Array>;
      try {
        step = await reader.read();
      } catch (cause) {
        signal?.throwIfAborted();
        throw offline(cause);
      }
      if (step.done) return;
      idle.alive();
      const { value } = step;
      if (sink.size + value.byteLength > file.bytes) {
        await stored(() => sink.begin({ hash: file.hash.hex, etag: null }));
        throw corrupt(file.name);
      }
      await stored(() => sink.append(value));
      onProgress?.(sink.size, file.bytes);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Whether what is read has the hash that the hub lists. @param read bytes [start, end) */
export async function isAsListed({ bytes, hash: listed }: Pick<HubFile, "bytes" | "hash">, read: (start: number, end: number) => Promise<Uint8Array>, signal?: AbortSignal): Promise<boolean> {
  const hash = listed.kind === "sha256" ? sha256.create() : sha1.create().update(new TextEncoder().encode(`blob ${bytes}\0`));
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    signal?.throwIfAborted();
    hash.update(await read(at, Math.min(bytes, at + PIECE_BYTES)));
  }
  return bytesToHex(hash.digest()) === listed.hex;
}

/** Reads the file back and compares its hash; a wrong one is thrown away. */
async function verify(file: HubFile, sink: ResumableSink, signal: AbortSignal | undefined): Promise<void> {
  if (await isAsListed(file, (start, end) => stored(() => sink.read(start, end)), signal)) return;
  await stored(() => sink.begin({ hash: file.hash.hex, etag: null }));
  throw corrupt(file.name);
}

interface Idle {
  signal: AbortSignal;
  alive(): void;
  stop(): void;
}

/** A signal that aborts with another one, or where {@link Idle.alive} has not been called for a while. */
function watchIdle(timeoutMs: number, outer: AbortSignal | undefined): Idle {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  outer?.addEventListener("abort", abort);
  const expire = () => controller.abort(new Error(`nothing arrived for ${timeoutMs} ms`));
  let timer = setTimeout(expire, timeoutMs);
  return {
    signal: controller.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(expire, timeoutMs);
    },
    stop: () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}

/** What the sink does, with a full disk in words. */
async function stored<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof DuctusError) throw cause;
    const full = cause instanceof Error && (cause.name === "QuotaExceededError" || (cause as { code?: unknown }).code === "ENOSPC");
    if (full) throw new DuctusError("store/full", "There is no room left for this model.", "Free some disk space, or delete another model here; what has arrived already is kept.", { cause });
    throw new DuctusError("store/write", "The model could not be written to this browser's storage.", "Close other tabs with this page and try again; what has arrived already is kept.", { cause });
  }
}

function corrupt(name: string): DuctusError {
  return new DuctusError("model/corrupt", `The model's file ${name} did not arrive as the hub lists it.`, "Download it again. If it happens again, something on the way changes it.");
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
  });
}
