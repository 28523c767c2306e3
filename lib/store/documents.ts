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
import type { Exclusion, StoredDocument } from "./types";

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

/** Leaves pieces out, each with its reason, or takes them in again (null). Those that are gone are passed over. */
export async function excludeDocuments(handId: string, exclusions: ReadonlyMap<string, Exclusion | null>): Promise<void> {
  await transact(["documents"], "readwrite", async (tx) => {
    for (const [id, exclusion] of exclusions) {
      const value = await tx.objectStore("documents").get(id);
      if (value === undefined) continue;
      const { excluded: _, ...document } = readRecord(documentSchema, value, "A piece of writing");
      await tx.objectStore("documents").put(exclusion === null ? document : { ...document, excluded: exclusion });
    }
  }, "strict");
  announce({ kind: "documents", handId });
}

/** Puts a piece's text, as the person has edited it, in the place of the one before. @throws DuctusError `store/missing`, `file/empty` */
export async function editDocument(id: string, text: string): Promise<StoredDocument> {
  const words = countWords(text);
  if (words === 0) throw new DuctusError("file/empty", "There are no words left in this piece.", "Write some, or leave the piece out.");
  const document = await transact(["documents"], "readwrite", async (tx) => {
    const value = await tx.objectStore("documents").get(id);
    if (value === undefined) throw new DuctusError("store/missing", "This piece is no longer here: it was deleted, perhaps in another tab.", "Copy your text, and add it as a new piece.");
    const changed = { ...readRecord(documentSchema, value, "A piece of writing"), text, words };
    await tx.objectStore("documents").put(changed);
    return changed;
  }, "strict");
  announce({ kind: "documents", handId: document.handId });
  return document;
}

export async function removeDocument(handId: string, documentId: string): Promise<void> {
  await transact(["documents"], "readwrite", (tx) => tx.objectStore("documents").delete(documentId), "strict");
  announce({ kind: "documents", handId });
}
