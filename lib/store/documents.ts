/**
 * A hand's documents: the cleaned text of what the person dropped in, in the
 * order it came. Where they are split and cut, see lib/data.
 */
import { announce } from "./changes";
import { newId, startingWith, transact } from "./db";
import { requireHand } from "./hands";
import { documentSchema, type OnDamaged, readRecords } from "./schema";
import type { StoredDocument } from "./types";

export type NewDocument = Pick<StoredDocument, "name" | "text" | "words"> & { encoding?: string };

/** Adds all or none, after those that are there. @throws DuctusError `store/missing`, `store/full` */
export async function addDocuments(handId: string, documents: readonly NewDocument[]): Promise<StoredDocument[]> {
  const stored = await transact(["hands", "documents"], "readwrite", async (tx) => {
    await requireHand(tx, handId);
    const store = tx.objectStore("documents");
    const last = await store.index("byHand").openKeyCursor(startingWith(handId), "prev");
    const first = last === null ? 0 : last.key[1] + 1;
    const addedAt = Date.now();
    const added = documents.map(({ name, text, words, encoding }, i): StoredDocument => ({ id: newId(), handId, order: first + i, name, text, words, ...(encoding === undefined ? {} : { encoding }), addedAt }));
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

export async function removeDocument(handId: string, documentId: string): Promise<void> {
  await transact(["documents"], "readwrite", (tx) => tx.objectStore("documents").delete(documentId), "strict");
  announce({ kind: "documents", handId });
}
