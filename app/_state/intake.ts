/**
 * Takes writing in: files, folders, pasted text, a sample writer. The reading is
 * done by a worker (app/_engine/importer.ts), which stores it as it goes; here is
 * what is to be said of it until the next time. What is given while something is
 * being read waits its turn.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import { loadSampleWriter, sampleDocuments, type SampleId } from "../../lib/data/samples";
import { addDocuments } from "../../lib/store/documents";
import { createHand, deleteHand } from "../../lib/store/hands";
import type { Hand } from "../../lib/store/types";
import type { ImporterEvent, ImportProgress, ImportRequest, Said, SourceFile } from "../../workers/importer-protocol";
import { importWriting, stopImport } from "../_engine/importer";
import { askToKeep } from "./persist";
import { createStore } from "./store";
import { chooseHand, holdChanges, refresh, workspace } from "./workspace";

export interface Intake {
  busy: boolean;
  /** Null where nothing is known yet, and for a sample writer. */
  progress: ImportProgress | null;
  stopping: boolean;
  /** Given meanwhile, and not begun. */
  waiting: number;
  /** Whose the report is; null: of a new hand, which nothing came of. */
  handId: string | null;
  added: number;
  leftOut: readonly Said[];
  faults: readonly { name: string; error: SerializedError }[];
  /** Files whose lines had been broken at a fixed width. */
  unwrapped: readonly string[];
  /** What more there was to say than is kept. */
  unsaid: number;
  stopped: boolean;
  /** What went wrong with all of it, as when the storage is full. */
  error: SerializedError | null;
  /** Why the pieces could not be looked over. */
  unlooked: SerializedError | null;
}

/** Lines of the report that are kept; a mail archive may give a hundred thousand. */
const MAX_SAID = 5000;
const EMPTY: Intake = { busy: false, progress: null, stopping: false, waiting: 0, handId: null, added: 0, leftOut: [], faults: [], unwrapped: [], unsaid: 0, stopped: false, error: null, unlooked: null };
export const intake = createStore<Intake>(EMPTY);

export const clearIntake = (): void => intake.set((i) => (i.busy ? i : EMPTY));

/** @param hand where they go; null starts a new hand, named after the first file. @returns whether anything was added */
export function takeFiles(files: readonly (File | SourceFile)[], hand: Hand | null): Promise<boolean> {
  return enqueue({ handId: hand?.id ?? null, files: files.map((file) => (file instanceof File ? { path: file.webkitRelativePath || file.name, file } : file)) });
}

/** @returns whether anything was added */
export const takeText = (text: string, hand: Hand | null): Promise<boolean> => enqueue({ handId: hand?.id ?? null, files: [], pasted: text });

/** What was read by then is kept. What waits is not begun. */
export function stopIntake(): void {
  if (!intake.get().busy) return;
  stops++;
  intake.set((i) => ({ ...i, stopping: true }));
  stopImport().catch(() => undefined); // it has ended by itself
}

let last: Promise<unknown> = Promise.resolve();
/** Of the import before. */
let lastHandId: string | null = null;
let stops = 0;

function enqueue(request: ImportRequest): Promise<boolean> {
  const waits = intake.get().busy;
  const stopsBefore = stops;
  if (waits) intake.set((i) => ({ ...i, waiting: i.waiting + 1 }));
  else intake.set({ ...EMPTY, busy: true, handId: request.handId });
  const mine = last.then(() => {
    if (waits) intake.set((i) => ({ ...i, waiting: i.waiting - 1 }));
    if (stops !== stopsBefore) return settle(false);
    // What is dropped while a new hand is made belongs to that hand.
    return carryOut({ ...request, handId: request.handId ?? (waits ? lastHandId : null) });
  });
  last = mine.catch(() => undefined);
  return mine;
}

async function carryOut(request: ImportRequest): Promise<boolean> {
  const release = holdChanges();
  intake.set((i) => ({ ...i, progress: null, handId: request.handId }));
  try {
    const { handId, added, stopped, error, unlooked } = await importWriting(request, hear);
    lastHandId = handId;
    intake.set((i) => ({ ...i, handId, added: i.added + added, stopped: i.stopped || stopped, error: error ?? i.error, unlooked }));
    if (handId === null || added === 0) return settle(false);
    void askToKeep();
    await show(handId);
    return settle(true);
  } catch (error) {
    intake.set((i) => ({ ...i, error: serializeError(error) }));
    await refresh().catch(() => undefined); // a batch may have been stored
    return settle(false);
  } finally {
    release();
  }
}

const show = (handId: string): Promise<void> => (workspace.get().hand?.id === handId ? refresh() : chooseHand(handId));

/** Busy until nothing waits. */
function settle<T>(result: T): T {
  intake.set((i) => (i.waiting > 0 ? i : { ...i, busy: false, progress: null, stopping: false }));
  return result;
}

function hear(event: ImporterEvent): void {
  switch (event.type) {
    case "progress":
      return intake.set((i) => ({ ...i, progress: event.progress }));
    case "said":
      return intake.set((i) => {
        const room = MAX_SAID - i.leftOut.length - i.faults.length - i.unwrapped.length;
        const said = event.leftOut.length + event.faults.length + event.unwrapped.length;
        if (said > room) return { ...i, unsaid: i.unsaid + said };
        return { ...i, leftOut: [...i.leftOut, ...event.leftOut], faults: [...i.faults, ...event.faults], unwrapped: [...i.unwrapped, ...event.unwrapped] };
      });
    case "stored":
    case "file":
    case "alive":
      return;
    default:
      return event satisfies never;
  }
}

/** Opens a sample writer as a hand of its own. */
export async function takeSample(id: SampleId): Promise<boolean> {
  if (intake.get().busy) return false;
  intake.set({ ...EMPTY, busy: true });
  try {
    const sample = await loadSampleWriter(id);
    const hand = await createHand({ name: sample.name, source: "sample", sampleId: sample.id });
    try {
      await addDocuments(hand.id, sampleDocuments(sample));
    } catch (error) {
      await deleteHand(hand.id);
      throw error;
    }
    await chooseHand(hand.id);
    intake.set((i) => ({ ...i, handId: hand.id, added: sample.pieces.length }));
    return settle(true);
  } catch (error) {
    intake.set((i) => ({ ...i, error: serializeError(error) }));
    return settle(false);
  }
}
