/**
 * A hand's documents: the cleaned text of what the person dropped in, in the
 * order it came. Where they are split and cut, see lib/data.
 */
import { DuctusError } from "../core/errors";
import { countWords } from "../data/words";
import { announce } from "./changes";
import { newId, startingWith, transact } from "./db";
import { requireHand } from "./hands";
import { documentSchema, type OnDamaged, readRecord, readRecords } from "./schema";
import type { DocumentLook, Exclusion, StoredDocument } from "./types";

export type NewDocument = Pick<StoredDocument, "name" | "text" | "words"> & Partial<Pick<StoredDocument, "encoding" | "format" | "path" | "excluded">>;

/** Adds all or none, after those that are there. @throws DuctusError `store/missing`, `store/full` */
export async function addDocuments(handId: string, documents: readonly NewDocument[]): Promise<StoredDocument[]> {
  const stored = await transact(["hands", "documents"], "readwrite", async (tx) => {
    await requireHand(tx, handId);
    const store = tx.objectStore("documents");
    const last = await store.index("byHand").openKeyCursor(startingWith(handId), "prev");
    const first = last === null ? 0 : last.key[1] + 1;
    const addedAt = Date.now();
    const added = documents.map((document, i): StoredDocument => ({ ...document, id: newId(), handId, order: first + i, addedAt }));
    for (const document of added) await store.add(document);
    return added;
  }, "strict");
  announce({ kind: "documents", handId });
  return stored;
}

/** In their order. */
export async function listDocuments(handId: string, onDamaged?: OnDamaged): Promise<StoredDocument[]> {
  const values = await transact(["documents"], "readonly", (tx) => tx.objectStore("documents").index("byHand").getAll(startingWith(handId)));
  return readRecords(documentSchema, values, "A piece of writing", onDamaged);
}

/** Those that are trained and measured on. */
export const usedDocuments = (documents: readonly StoredDocument[]): StoredDocument[] => documents.filter(({ excluded }) => excluded === undefined);

/**
 * Leaves pieces out, each with its reason, or takes them in again (null), which then stands against whatever a look at
 * the writing suggests. Those that are gone are passed over.
 */
export async function excludeDocuments(handId: string, exclusions: ReadonlyMap<string, Exclusion | null>): Promise<void> {
  await transact(["documents"], "readwrite", async (tx) => {
    for (const [id, exclusion] of exclusions) {
      const value = await tx.objectStore("documents").get(id);
      if (value === undefined) continue;
      const { excluded: _, kept: __, ...document } = readRecord(documentSchema, value, "A piece of writing");
      await tx.objectStore("documents").put(exclusion === null ? { ...document, kept: true } : { ...document, excluded: exclusion });
    }
  }, "strict");
  announce({ kind: "documents", handId });
}

/**
 * Puts a piece's text, as the person has edited it, in the place of the one before; what was read is kept beside it.
 * @throws DuctusError `store/missing`, `file/empty`
 */
export async function editDocument(id: string, text: string): Promise<StoredDocument> {
  const words = countWords(text);
  if (words === 0) throw new DuctusError("file/empty", "There are no words left in this piece.", "Write some, or leave the piece out.");
  const document = await transact(["documents"], "readwrite", async (tx) => {
    const value = await tx.objectStore("documents").get(id);
    if (value === undefined) throw new DuctusError("store/missing", "This piece is no longer here: it was deleted, perhaps in another tab.", "Copy your text, and add it as a new piece.");
    const { original, look, ...before } = readRecord(documentSchema, value, "A piece of writing");
    const read = original ?? before.text;
    // Where things were taken off is a place in what was read, which is no longer what the text was made from.
    const changed: StoredDocument = { ...before, text, words, edited: true, ...(read === text ? {} : { original: read }), ...(look === undefined ? {} : { look: { ...look, removed: [] } }) };
    await tx.objectStore("documents").put(changed);
    return changed;
  }, "strict");
  announce({ kind: "documents", handId: document.handId });
  return document;
}

/** Puts a piece's text back as it was: before an edit, or as it was read. Passed over where the piece is gone. */
export async function restoreText(handId: string, id: string, before: Pick<StoredDocument, "text" | "words" | "original" | "edited" | "look">): Promise<void> {
  await transact(["documents"], "readwrite", async (tx) => {
    const value = await tx.objectStore("documents").get(id);
    if (value === undefined) return;
    const { original: _, edited: __, look: ___, ...rest } = readRecord(documentSchema, value, "A piece of writing");
    const { text, words, original, edited, look } = before;
    await tx.objectStore("documents").put({ ...rest, text, words, ...(original === undefined ? {} : { original }), ...(edited === undefined ? {} : { edited }), ...(look === undefined ? {} : { look }) } satisfies StoredDocument);
  }, "strict");
  announce({ kind: "documents", handId });
}

/** What a look at a hand's writing found of one document. */
export interface Found {
  id: string;
  /** The text that was looked at; one that has changed since is passed over. */
  read: string;
  /** Freed of what is not the writer's. */
  text: string;
  words: number;
  look: DocumentLook;
}

/** The text that a look begins with: as it was read, unless the person has decided on another. */
export const textToLookAt = ({ text, original, edited }: Pick<StoredDocument, "text" | "original" | "edited">): string => (edited === true ? text : (original ?? text));

/** Keeps what a look at the writing found. What the person has decided, of a text or of leaving out, stands. */
export async function keepLooks(handId: string, found: readonly Found[]): Promise<void> {
  await transact(["documents"], "readwrite", async (tx) => {
    for (const { id, read, text, words, look } of found) {
      const value = await tx.objectStore("documents").get(id);
      if (value === undefined) continue;
      const before = readRecord(documentSchema, value, "A piece of writing");
      if (textToLookAt(before) !== read) continue;
      const { excluded, original, ...rest } = before;
      const bySuggestion: Exclusion | null = look.suggests === undefined || before.kept === true ? null : { reason: look.suggests, by: "inspection" };
      const left = excluded?.by === "person" ? excluded : bySuggestion;
      const changed = rest.edited === true ? { ...rest, ...(original === undefined ? {} : { original }) } : { ...rest, text, words, ...(text === read ? {} : { original: read }) };
      await tx.objectStore("documents").put({ ...changed, look, ...(left === null ? {} : { excluded: left }) } satisfies StoredDocument);
    }
  }, "strict");
  announce({ kind: "documents", handId });
}

export async function removeDocument(handId: string, documentId: string): Promise<void> {
  await transact(["documents"], "readwrite", (tx) => tx.objectStore("documents").delete(documentId), "strict");
  announce({ kind: "documents", handId });
}
