/**
 * Reads what a person gives into their hand: one file after another through
 * lib/data, stored in batches, so that a tab that is closed loses no more than
 * the batch in hand, then a look over all of it. Knows nothing of the page.
 */
import { DuctusError, serializeError } from "../lib/core/errors";
import { readFile, sameTextReason, tidyFileName, type LeftOut } from "../lib/data/documents";
import { importFiles, type ImportEvent, type InputFile } from "../lib/data/import/import";
import { SeenTexts } from "../lib/data/import/seen";
import { addDocuments, listDocuments, type NewDocument } from "../lib/store/documents";
import { createHand, deleteHand } from "../lib/store/hands";
import type { ImporterEvent, ImportProgress, ImportRequest, ImportResult, SourceFile } from "./importer-protocol";
import { lookOver } from "./looking";

/** A batch is stored when it is so large, or so old. */
const BATCH_CHARS = 4_000_000, BATCH_PIECES = 500, BATCH_MS = 1500;
const PROGRESS_MS = 250;
/** Before this, a rate says nothing. */
const ESTIMATE_AFTER_MS = 1500;
/** A name that was given by a file is kept short; one typed by the person may be longer. */
const MAX_GIVEN_NAME = 48;
export const PASTED = "Pasted text";

type Emit = (event: ImporterEvent) => void;

/** Never throws for what was given: that is said in events and in the result. */
export async function takeIn(request: ImportRequest, stop: { reading: AbortSignal; looking: AbortSignal }, emit: Emit): Promise<ImportResult> {
  const store = new BatchStore(request.handId, request.pasted === undefined ? "My writing" : "Pasted writing", emit);
  const result: ImportResult = { handId: request.handId, added: 0, stopped: false, error: null, unlooked: null };
  try {
    const existing = request.handId === null ? [] : await listDocuments(request.handId, () => undefined);
    const known = existing.flatMap(({ name, text, original }) => [text, ...(original === undefined ? [] : [original])].map((t) => ({ name, text: t })));
    if (request.pasted !== undefined) await takePasted(request.pasted, known, store, emit);
    if (request.files.length > 0) await takeFiles(request.files, known, store, stop.reading, emit);
    await store.flush();
  } catch (error) {
    if (stop.reading.aborted) {
      result.stopped = true;
      await store.flush().catch((fault: unknown) => (result.error = serializeError(fault)));
    } else result.error = serializeError(error);
  }
  result.handId = store.handId;
  result.added = store.pieces;
  if (store.handId === null || (store.pieces === 0 && request.look !== true)) return result;
  const startedAt = performance.now();
  const report = every(PROGRESS_MS, (done: number, total: number) => {
    emit({ type: "progress", progress: { phase: "looking", name: "", done, total, filesDone: request.files.length, files: request.files.length, pieces: store.pieces, remainingMs: estimate(startedAt, done, total) } });
  });
  try {
    report(0, Infinity);
    await lookOver(store.handId, stop.looking, report);
  } catch (error) {
    if (stop.looking.aborted) result.stopped = true;
    else result.unlooked = serializeError(error);
  }
  return result;
}

async function takePasted(text: string, known: { name: string; text: string }[], store: BatchStore, emit: Emit): Promise<void> {
  try {
    const { documents, leftOut } = readFile(PASTED, new TextEncoder().encode(text));
    const seen = new SeenTexts();
    for (const document of known) await seen.add(document.name, document.text);
    const same: LeftOut[] = [];
    for (const { encoding: _, ...document } of documents) {
      const twin = await seen.add(document.name, document.text);
      if (twin !== undefined) same.push({ name: document.name, reason: sameTextReason(twin) });
      else {
        await store.add(document);
        known.push(document);
      }
    }
    if (leftOut.length + same.length > 0) emit({ type: "said", leftOut: [...leftOut, ...same], faults: [], unwrapped: [] });
  } catch (error) {
    emit({ type: "said", leftOut: [], faults: [{ name: PASTED, error: serializeError(error) }], unwrapped: [] });
  }
}

async function takeFiles(files: readonly SourceFile[], existing: readonly { name: string; text: string }[], store: BatchStore, signal: AbortSignal, emit: Emit): Promise<void> {
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  const startedAt = performance.now();
  const said = new Sayings(emit);
  const inputs = files.map(({ path, file }, index): InputFile => ({
    path, bytes: file.size,
    read: async () => {
      await store.flush(); // this one may end the worker
      emit({ type: "file", index });
      return bytesOf(file);
    },
  }));
  for await (const event of importFiles(inputs, { signal, existing })) {
    if (store.failure !== null) throw store.failure; // it came out as a fault of the file that was next
    if (event.type === "document") {
      const { source, ...document } = event.document;
      await store.add({ ...document, path: source }, event.document.source);
    } else if (event.type === "progress") {
      said.send();
      await store.flushOld();
      emit({ type: "progress", progress: reading(event, files.length, total, store.pieces, estimate(startedAt, event.bytesDone, total)) });
    } else said.note(event);
  }
  said.send();
}

const reading = ({ name, bytesDone, filesDone }: Extract<ImportEvent, { type: "progress" }>, files: number, total: number, pieces: number, remainingMs: number | null): ImportProgress => ({ phase: "reading", name, done: bytesDone, total, filesDone, files, pieces, remainingMs });

function estimate(startedAt: number, done: number, total: number): number | null {
  const spent = performance.now() - startedAt;
  return spent < ESTIMATE_AFTER_MS || done === 0 ? null : (spent / done) * (total - done);
}

/** What is to be said of the files, sent with the progress. */
class Sayings {
  private next: Extract<ImporterEvent, { type: "said" }> = { type: "said", leftOut: [], faults: [], unwrapped: [] };

  constructor(private readonly emit: Emit) {}

  note(event: Extract<ImportEvent, { type: "file" | "left-out" | "fault" }>): void {
    if (event.type === "left-out") this.next.leftOut.push({ name: event.name, reason: event.reason });
    else if (event.type === "fault") this.next.faults.push({ name: event.name, error: event.error });
    else if (event.unwrapped) this.next.unwrapped.push(tidyFileName(event.source));
  }

  send(): void {
    const { leftOut, faults, unwrapped } = this.next;
    if (leftOut.length + faults.length + unwrapped.length === 0) return;
    this.emit(this.next);
    this.next = { type: "said", leftOut: [], faults: [], unwrapped: [] };
  }
}

/** Pieces on their way into the hand, which is made when the first are stored. */
class BatchStore {
  /** Stored by now. */
  pieces = 0;
  /** Why a batch could not be stored. */
  failure: Error | null = null;
  private waiting: NewDocument[] = [];
  private chars = 0;
  private since = performance.now();
  private firstFile: string | undefined;

  constructor(public handId: string | null, private readonly fallbackName: string, private readonly emit: Emit) {}

  async add(document: NewDocument, source?: string): Promise<void> {
    if (source !== undefined) this.firstFile ??= tidyFileName(source);
    this.waiting.push(document);
    this.chars += document.text.length;
    if (this.chars >= BATCH_CHARS || this.waiting.length >= BATCH_PIECES) await this.flush();
    else await this.flushOld();
  }

  async flushOld(): Promise<void> {
    if (performance.now() - this.since >= BATCH_MS) await this.flush();
  }

  /** @throws DuctusError `store/full`, `store/missing`; the batch is given up then */
  async flush(): Promise<void> {
    this.since = performance.now();
    if (this.failure !== null) throw this.failure;
    if (this.waiting.length === 0) return;
    const batch = this.waiting;
    this.waiting = [];
    this.chars = 0;
    try {
      await this.store(batch);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  private async store(batch: readonly NewDocument[]): Promise<void> {
    if (this.handId === null) {
      const hand = await createHand({ name: nameFor(this.firstFile, this.fallbackName), source: "own" });
      await addDocuments(hand.id, batch).catch(async (error: unknown) => {
        await deleteHand(hand.id).catch(() => undefined);
        throw error;
      });
      this.handId = hand.id;
    } else await addDocuments(this.handId, batch);
    this.pieces += batch.length;
    this.emit({ type: "stored", handId: this.handId, pieces: this.pieces });
  }
}

async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new DuctusError("file/unreadable", `“${tidyFileName(file.name)}” could not be opened; it may be a folder, or have been moved.`, "Choose the file again.", { cause });
  }
}

/** A hand's name from a file's: no ending, and cut at a word where it is long. */
export function nameFor(fileName: string | undefined, fallback: string): string {
  const stem = (fileName ?? "").replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/_+/g, " ").trim();
  if (stem.length <= MAX_GIVEN_NAME) return stem || fallback;
  const cut = stem.slice(0, MAX_GIVEN_NAME);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), MAX_GIVEN_NAME / 2)).replace(/[\s,;:.–—-]+$/, "")}…`;
}

/** Calls at most so often, and for the last of all. */
function every(ms: number, call: (done: number, total: number) => void): (done: number, total: number) => void {
  let at = -Infinity;
  return (done, total) => {
    const now = performance.now();
    if (now - at < ms && done < total) return;
    at = now;
    call(done, total);
  };
}
