/**
 * Everything of the person's as one zip, to keep or to open on another device: a
 * folder for each hand, with JSON lines for each kind of record and the files of
 * its adapters and checkpoints. Models are not in it, since they can be had
 * again; which ones are needed is said. Reading takes in hands that are not here
 * yet, each with all that is under it or not at all; what is here is never changed.
 */
import { Zip, ZipDeflate, ZipPassThrough } from "fflate";
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { type Archive, openArchive } from "../data/import/archive";
import { FileBudget, LIMITS } from "../data/import/budget";
import { getAdapter, listAdapters } from "./adapters";
import { announce } from "./changes";
import { listCheckpoints } from "./checkpoints";
import { listConversations } from "./conversations";
import { type StoreName, transact } from "./db";
import { listDocuments } from "./documents";
import { listHands } from "./hands";
import { listJudgings } from "./judgings";
import { keptFile, listKept } from "./kept";
import { getMeasurement } from "./measurements";
import { listMetrics, listRuns, listSamples } from "./runs";
import { adapterInfoSchema, conversationSchema, documentSchema, handSchema, judgingSchema, keptSchema, measurementSchema, metricSchema, runSchema, sampleSchema } from "./schema";
import type { Hand } from "./types";

const FORMAT = "ductus-everything";
const VERSION = 1;
const headSchema = z.object({ format: z.literal(FORMAT), version: z.int().positive(), createdAt: z.number() });

/** The stores that are files of lines in a hand's folder, with what their records are. */
const LINES = {
  documents: documentSchema, runs: runSchema, metrics: metricSchema, samples: sampleSchema, keptStates: keptSchema, adapters: adapterInfoSchema, conversations: conversationSchema, judgings: judgingSchema, measurements: measurementSchema,
} as const satisfies Partial<Record<StoreName, z.ZodType>>;
type LineStore = keyof typeof LINES;
const LINE_STORES = Object.keys(LINES) as LineStore[];

/** JSON has no NaN and no infinities, and a loss may be either. */
const toLine = (value: unknown): string => JSON.stringify(value, (_, v: unknown) => (typeof v === "number" && !Number.isFinite(v) ? { number: String(v) } : v));
const fromLine = (line: string): unknown =>
  JSON.parse(line, (_, v: unknown) => {
    const text = typeof v === "object" && v !== null && Object.keys(v).length === 1 ? (v as { number?: unknown }).number : undefined;
    return text === "NaN" || text === "Infinity" || text === "-Infinity" ? Number(text) : v;
  });

/** The zip in pieces, in order. What is damaged is left out, and told of. */
export async function* exportEverything(onDamaged: (error: DuctusError) => void): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    pieces.push(piece);
  });
  const add = function* (name: string, content: Uint8Array, shrink: boolean): Generator<Uint8Array> {
    const entry = shrink ? new ZipDeflate(name, { level: 6 }) : new ZipPassThrough(name);
    // fflate writes local time; this date is the same everywhere
    entry.mtime = new Date(1980, 0, 1);
    zip.add(entry);
    entry.push(content, true);
    yield* pieces.splice(0);
  };
  const encoder = new TextEncoder();
  yield* add("ductus.json", encoder.encode(JSON.stringify({ format: FORMAT, version: VERSION, createdAt: Date.now() })), true);
  for (const hand of await listHands(onDamaged)) {
    const folder = `hands/${hand.id}/`;
    yield* add(`${folder}hand.json`, encoder.encode(JSON.stringify(hand)), true);
    const runs = await listRuns(hand.id, onDamaged);
    const ofRuns = async <T>(list: (runId: string, onDamaged: (error: DuctusError) => void) => Promise<T[]>): Promise<T[]> => (await Promise.all(runs.map((run) => list(run.id, onDamaged)))).flat();
    // One whose file cannot be read is nothing.
    const adapters = await whole(await listAdapters(hand.id, onDamaged), ({ id }) => getAdapter(id), onDamaged);
    const kept = await whole(await ofRuns(listKept), ({ runId, step }) => keptFile(runId, step), onDamaged);
    const adapterIds = new Set(adapters.map(({ id }) => id));
    const records: Record<LineStore, readonly unknown[]> = {
      documents: await listDocuments(hand.id, onDamaged),
      // Nobody runs them on the other device.
      runs: runs.map(({ adapterId, ...run }) => ({ ...run, ...(run.status === "running" ? { status: "interrupted" } : {}), ...(adapterId !== undefined && adapterIds.has(adapterId) ? { adapterId } : {}) })),
      metrics: await ofRuns(listMetrics),
      samples: await ofRuns(listSamples),
      keptStates: kept,
      adapters,
      conversations: await listConversations(hand.id, onDamaged),
      judgings: await listJudgings(hand.id, onDamaged),
      measurements: (await Promise.all(adapters.map(({ id }) => getMeasurement(id, onDamaged)))).filter((measurement) => measurement !== null),
    };
    for (const store of LINE_STORES) yield* add(`${folder}${store}.jsonl`, encoder.encode(records[store].map((record) => `${toLine(record)}\n`).join("")), true);
    for (const { id } of adapters) {
      const adapter = await getAdapter(id);
      // Deleted in another tab meanwhile: then the file that this makes would be refused, so it ends here.
      if (adapter === null) throw changedMeanwhile();
      yield* add(`${folder}adapters/${id}`, adapter.file, false);
    }
    for (const { runId, step } of kept) {
      const file = await keptFile(runId, step);
      if (file === null) throw changedMeanwhile();
      yield* add(`${folder}kept/${runId}/${step}`, file, false);
    }
    for (const { id } of runs) for (const { step, savedAt, file } of await listCheckpoints(id, onDamaged)) yield* add(`${folder}checkpoints/${id}/${step}/${savedAt}`, file, false);
  }
  zip.end();
  yield* pieces.splice(0);
}

const changedMeanwhile = () => new DuctusError("store/missing", "Something was deleted in another tab while it was being saved.", "Save everything again.");

/** Those whose file can be read. */
async function whole<T>(infos: readonly T[], file: (info: T) => Promise<unknown>, onDamaged: (error: DuctusError) => void): Promise<T[]> {
  const readable: T[] = [];
  for (const info of infos) {
    try {
      if ((await file(info)) !== null) readable.push(info);
    } catch (error) {
      if (!(error instanceof DuctusError)) throw error;
      onDamaged(error);
    }
  }
  return readable;
}

export interface TakenIn {
  added: Hand[];
  /** Those that were here already, and were left as they are. */
  kept: Hand[];
}

/**
 * @param bytes of a zip that exportEverything wrote
 * @param onHand before each hand: how many are done, of how many
 * @throws DuctusError `store/archive` for what is no such zip, or a damaged one; `store/full`; hands before the fault stay
 */
export async function takeEverything(bytes: Uint8Array, signal: AbortSignal, onHand: (done: number, total: number) => void = () => undefined): Promise<TakenIn> {
  const budget = new FileBudget("this file", bytes.length, LIMITS);
  const open = await refused(async () => {
    const archive = openArchive(bytes, { name: "this file", budget, signal });
    return { archive, head: headSchema.parse(await readJson(archive, "ductus.json")) };
  });
  if (open.head.version > VERSION) throw new DuctusError("store/archive", "A newer version of this app has written this file.", "Reload the page to get the newer version, and try again.");
  const taken: TakenIn = { added: [], kept: [] };
  const folders = open.archive.entries.flatMap(({ path }) => /^(hands\/[^/]+\/)hand\.json$/.exec(path)?.[1] ?? []);
  try {
    for (const [done, folder] of folders.entries()) {
      signal.throwIfAborted();
      onHand(done, folders.length);
      const { hand, records } = await refused(() => readHand(open.archive, folder));
      ((await storeHand(hand, records)) ? taken.added : taken.kept).push(hand);
    }
  } finally {
    if (taken.added.length > 0) announce({ kind: "everything" });
  }
  return taken;
}

async function readJson(archive: Archive, path: string): Promise<unknown> {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await archive.read(path)));
}

type Records = [store: StoreName, record: unknown][];

/** Every record is one of this hand's, and every adapter has its file: nothing else is taken in. */
async function readHand(archive: Archive, folder: string): Promise<{ hand: Hand; records: Records }> {
  const hand = handSchema.parse(await readJson(archive, `${folder}hand.json`));
  if (folder !== `hands/${hand.id}/`) throw new Error(`${folder} holds the hand ${hand.id}`);
  const records: Records = [];
  const read: Partial<Record<LineStore, { id?: string; handId?: string; runId?: string }[]>> = {};
  for (const store of LINE_STORES) {
    const lines = archive.has(`${folder}${store}.jsonl`) ? new TextDecoder("utf-8", { fatal: true }).decode(await archive.read(`${folder}${store}.jsonl`)).split("\n") : [];
    const parsed = lines.filter((line) => line !== "").map((line) => LINES[store].parse(fromLine(line)));
    read[store] = parsed;
    for (const record of parsed) records.push([store, record]);
  }
  const runIds = new Set(read.runs?.map(({ id }) => id));
  for (const store of LINE_STORES) {
    for (const { handId, runId } of read[store] ?? []) {
      if (store === "metrics" || store === "samples" || store === "keptStates" ? !runIds.has(runId) : handId !== hand.id) throw new Error(`a record of ${store} belongs to nothing here`);
    }
  }
  for (const adapter of adapterInfoSchema.array().parse(read.adapters ?? [])) {
    const file = await archive.read(`${folder}adapters/${adapter.id}`);
    if (file.length !== adapter.fileBytes) throw new Error(`adapter ${adapter.id} has ${file.length} bytes`);
    records.push(["adapterFiles", { adapterId: adapter.id, file }]);
  }
  for (const { runId, step, fileBytes } of keptSchema.array().parse(read.keptStates ?? [])) {
    const file = await archive.read(`${folder}kept/${runId}/${step}`);
    if (file.length !== fileBytes) throw new Error(`the kept state ${runId}, ${step} has ${file.length} bytes`);
    records.push(["keptFiles", { runId, step, file }]);
  }
  for (const { path } of archive.entries) {
    const [, runId = "", step, savedAt] = path.startsWith(`${folder}checkpoints/`) ? (/([^/]+)\/(\d{1,15})\/(\d{1,15})$/.exec(path) ?? []) : [];
    if (step === undefined || !runIds.has(runId)) continue;
    records.push(["checkpoints", { runId, step: Number(step), savedAt: Number(savedAt), file: await archive.read(path) }]);
  }
  return { hand, records };
}

/** @returns false where it is here already */
async function storeHand(hand: Hand, records: Records): Promise<boolean> {
  const stores: StoreName[] = ["hands", "adapterFiles", "keptFiles", "checkpoints", ...LINE_STORES];
  return transact(stores, "readwrite", async (tx) => {
    if ((await tx.objectStore("hands").count(hand.id)) > 0) return false;
    await tx.objectStore("hands").add(hand);
    // `add` fails where a key is taken, which only a made-up file can bring about; then nothing of the hand is stored.
    for (const [store, record] of records) await tx.objectStore(store).add(record);
    return true;
  }, "strict");
}

/** What cannot be read is one kind of fault to the person, whatever it was inside. */
async function refused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DuctusError && cause.code.startsWith("store/")) throw cause;
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new DuctusError("store/archive", "This is not a file that this app has saved everything in, or it is damaged. Nothing here was changed by it.", "Choose the .zip that “Save everything” gave.", { cause });
  }
}
