/**
 * Takes writing in: files, pasted text, a sample writer. Reads each by itself, so
 * that a file that cannot be read costs none of the others, and keeps what is to
 * be said about it until the next time. The reading itself is lib/data's.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { readFile, tidyFileName, withoutDuplicates, type LeftOut } from "../../lib/data/documents";
import type { ImportEvent, InputFile } from "../../lib/data/import/import";
import { loadSampleWriter, sampleDocuments, type SampleId } from "../../lib/data/samples";
import { addDocuments, listDocuments, removeDocument, type NewDocument } from "../../lib/store/documents";
import { createHand, deleteHand } from "../../lib/store/hands";
import type { Hand, StoredDocument } from "../../lib/store/types";
import { askToKeep } from "./persist";
import { createStore } from "./store";
import { chooseHand, refresh } from "./workspace";

export interface Intake {
  busy: boolean;
  /** What is being read, for the screen to say. */
  reading: string;
  handId: string | null;
  added: number;
  leftOut: readonly LeftOut[];
  faults: readonly { name: string; error: SerializedError }[];
  /** Files whose lines had been broken at a fixed width. */
  unwrapped: readonly string[];
  /** What went wrong with all of it, as when the storage is full. */
  error: SerializedError | null;
}

/** A name that was given by a file is kept short; one typed by the person may be longer. */
const MAX_GIVEN_NAME = 48;
const EMPTY: Intake = { busy: false, reading: "", handId: null, added: 0, leftOut: [], faults: [], unwrapped: [], error: null };
export const intake = createStore<Intake>(EMPTY);

export const clearIntake = (): void => intake.set(EMPTY);

/** @param hand where they go; null starts a new hand, named after the first file. @returns whether anything was added */
export function takeFiles(files: readonly File[], hand: Hand | null): Promise<boolean> {
  return take(hand, async (found) => {
    // Its readers are large, and most visits need none of them.
    const { importFiles } = await import("../../lib/data/import/import");
    for await (const event of importFiles(files.map(toInput))) note(found, event);
    return { name: nameFor(found.firstFile), source: "own" };
  });
}

const toInput = (file: File): InputFile => ({ path: file.webkitRelativePath || file.name, bytes: file.size, read: () => bytesOf(file) });

function note(found: Found, event: ImportEvent): void {
  switch (event.type) {
    case "progress":
      if (event.name !== "") intake.set((i) => ({ ...i, reading: event.name }));
      return;
    case "file":
      if (event.documents > 0) found.firstFile ??= tidyFileName(event.source);
      if (event.unwrapped) found.unwrapped.push(tidyFileName(event.source));
      return;
    case "document": {
      const { source, ...document } = event.document;
      found.documents.push({ ...document, path: source });
      return;
    }
    case "left-out":
      found.leftOut.push({ name: event.name, reason: event.reason });
      return;
    case "fault":
      found.faults.push({ name: event.name, error: event.error });
      return;
    default:
      return event satisfies never;
  }
}

/** @returns whether anything was added */
export function takeText(text: string, hand: Hand | null): Promise<boolean> {
  return take(hand, (found) => {
    try {
      const reading = readFile("Pasted text", new TextEncoder().encode(text));
      found.documents.push(...reading.documents.map(({ encoding: _, ...document }) => document));
      found.leftOut.push(...reading.leftOut);
    } catch (error) {
      found.faults.push({ name: "Pasted text", error: serializeError(error) });
    }
    return Promise.resolve({ name: "Pasted writing", source: "own" });
  });
}

/** Opens a sample writer as a hand of its own. */
export function takeSample(id: SampleId): Promise<boolean> {
  return take(null, async (found) => {
    const sample = await loadSampleWriter(id);
    found.documents.push(...sampleDocuments(sample));
    return { name: sample.name, source: "sample", sampleId: sample.id };
  });
}

/** Leaves a piece out for good. */
export async function leaveOut(document: StoredDocument): Promise<void> {
  await removeDocument(document.handId, document.id);
  await refresh();
}

/** Puts back a piece that was left out; it comes last. */
export async function putBack(document: StoredDocument): Promise<void> {
  const { name, text, words, encoding, format, path } = document;
  await addDocuments(document.handId, [{ name, text, words, ...(encoding === undefined ? {} : { encoding }), ...(format === undefined ? {} : { format }), ...(path === undefined ? {} : { path }) }]);
  await refresh();
}

interface Found {
  /** The first file that could be read. */
  firstFile?: string;
  documents: NewDocument[];
  leftOut: LeftOut[];
  unwrapped: string[];
  faults: { name: string; error: SerializedError }[];
}

async function take(hand: Hand | null, read: (found: Found) => Promise<{ name: string; source: Hand["source"]; sampleId?: string }>): Promise<boolean> {
  if (intake.get().busy) return false;
  intake.set({ ...EMPTY, busy: true });
  const found: Found = { documents: [], leftOut: [], unwrapped: [], faults: [] };
  try {
    const plan = await read(found);
    const existing = hand === null ? [] : await listDocuments(hand.id, () => undefined);
    const { documents, leftOut } = withoutDuplicates<NewDocument>(found.documents, existing);
    const rest = { leftOut: [...found.leftOut, ...leftOut], faults: found.faults, unwrapped: found.unwrapped };
    if (documents.length === 0) {
      intake.set(({ error }) => ({ ...EMPTY, ...rest, handId: hand?.id ?? null, error }));
      return false;
    }
    const target = hand ?? (await createHand(plan));
    try {
      await addDocuments(target.id, documents);
    } catch (error) {
      if (hand === null) await deleteHand(target.id);
      throw error;
    }
    if (target.source === "own") void askToKeep();
    await chooseHand(target.id);
    // A fault of something that was dropped meanwhile stays.
    intake.set(({ error }) => ({ ...EMPTY, ...rest, handId: target.id, added: documents.length, error }));
    return true;
  } catch (error) {
    intake.set({ ...EMPTY, faults: found.faults, error: serializeError(error), handId: hand?.id ?? null });
    return false;
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
function nameFor(fileName: string | undefined): string {
  const stem = (fileName ?? "").replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/_+/g, " ").trim();
  if (stem.length <= MAX_GIVEN_NAME) return stem || "My writing";
  const cut = stem.slice(0, MAX_GIVEN_NAME);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), MAX_GIVEN_NAME / 2)).replace(/[\s,;:.–—-]+$/, "")}…`;
}
