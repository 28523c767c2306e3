/**
 * What a person does with the pieces of a hand: leaves them out, takes them in,
 * edits them, divides them otherwise. Each is stored before it is shown; after a
 * change of a text all pieces are looked over again, in the worker. Edits that
 * are not kept yet are held here, so that turning to another page costs none.
 */
import { countWords } from "../../lib/data/words";
import type { Shares } from "../../lib/data/split";
import { editDocument, excludeDocuments, removeDocument, restoreText } from "../../lib/store/documents";
import { chooseSplit } from "../../lib/store/hands";
import type { Exclusion, Hand, StoredDocument } from "../../lib/store/types";
import { lookOver } from "../_engine/importer";
import { createStore } from "./store";
import { refresh } from "./workspace";

export interface Draft {
  text: string;
  /** The piece's text when the edit began. */
  before: string;
}

/** Edits that are not kept yet, by piece. */
export const drafts = createStore<Readonly<Record<string, Draft>>>({});

/** Null lets it go. */
export function setDraft(id: string, draft: Draft | null): void {
  const { [id]: _, ...others } = drafts.get();
  drafts.set(draft === null ? others : { ...others, [id]: draft });
  // They are lost with the tab, so the browser asks before it closes it.
  const unkept = Object.values(drafts.get()).some(({ text, before }) => text !== before);
  if (unkept) addEventListener("beforeunload", askFirst);
  else removeEventListener("beforeunload", askFirst);
}

const askFirst = (event: BeforeUnloadEvent): void => event.preventDefault();

const BY_PERSON: Exclusion = { reason: "You left it out.", by: "person" };

export async function leaveOut(handId: string, ids: readonly string[]): Promise<void> {
  await excludeDocuments(handId, new Map(ids.map((id) => [id, BY_PERSON])));
  await refresh();
}

export async function takeIn(handId: string, ids: readonly string[]): Promise<void> {
  await excludeDocuments(handId, new Map(ids.map((id) => [id, null])));
  await refresh();
}

/** For good. */
export async function deletePiece(document: StoredDocument): Promise<void> {
  await removeDocument(document.handId, document.id);
  setDraft(document.id, null);
  await refresh();
}

/** @throws DuctusError `file/empty`, `store/…`; the draft stays then */
export async function keepEdit(document: StoredDocument, text: string): Promise<void> {
  await editDocument(document.id, tidy(text));
  setDraft(document.id, null);
  await refresh();
  lookAgain(document.handId);
}

/** @param before the piece as it was */
export async function undoEdit(before: StoredDocument): Promise<void> {
  await restoreText(before.handId, before.id, before);
  await refresh();
  lookAgain(before.handId);
}

/** What was taken off is put back, and what was edited is undone; @param asItIs nothing is taken off any more */
export async function putBackAsRead(document: StoredDocument, asItIs: boolean): Promise<void> {
  const { original } = document;
  if (original === undefined) return;
  if (asItIs) await editDocument(document.id, original);
  else await restoreText(document.handId, document.id, { text: original, words: countWords(original) });
  await refresh();
  lookAgain(document.handId);
}

/** @param shares null: the usual ones */
export async function divide(hand: Hand, shares: Shares | null, seed: number): Promise<void> {
  await chooseSplit(hand.id, shares, seed);
  await refresh();
}

/** What it finds is heard of like any change. */
function lookAgain(handId: string): void {
  lookOver(handId).catch((error: unknown) => console.warn("The pieces could not be looked over.", error));
}

/** As the importers leave texts: "\n" line ends, and none at the end. */
const tidy = (text: string): string => text.replace(/\r\n?/g, "\n").trimEnd();
