import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { closeDatabase, DATABASE_NAME } from "./db";
import { addDocuments, editDocument, excludeDocuments, keepLooks, listDocuments, textToLookAt, usedDocuments } from "./documents";
import { chooseSplit, createHand, getHand, keepGroups, splitOptions } from "./hands";
import { code } from "./testing/records";
import type { DocumentLook, Hand, StoredDocument } from "./types";

let hand: Hand;
let piece: StoredDocument;
const plain: DocumentLook = { languages: [{ language: "en", share: 1 }], warnings: [], removed: [] };
const now = async (): Promise<StoredDocument> => (await listDocuments(hand.id))[0]!;
const looked = (found: { read?: string; text: string; words?: number; look?: Partial<DocumentLook> }): Promise<void> =>
  keepLooks(hand.id, [{ id: piece.id, read: found.read ?? "Dear Ann, it rains.\n-- \nBo", text: found.text, words: found.words ?? 4, look: { ...plain, ...found.look } }]);

beforeEach(async () => {
  hand = await createHand({ name: "A", source: "own" });
  [piece] = await addDocuments(hand.id, [{ name: "letter", text: "Dear Ann, it rains.\n-- \nBo", words: 5 }]) as [StoredDocument];
});
afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

describe("a look at the writing", () => {
  it("frees a text, keeps what was read beside it, and looks at that the next time", async () => {
    await looked({ text: "Dear Ann, it rains.", look: { removed: [{ what: "signature", start: 20, end: 26 }] } });
    expect(await now()).toMatchObject({ text: "Dear Ann, it rains.", original: piece.text, words: 4, look: { removed: [{ what: "signature" }] } });
    expect(textToLookAt(await now())).toBe(piece.text);
    await looked({ text: piece.text, words: 5 });
    expect(await now()).toMatchObject({ text: piece.text, words: 5 });
    expect(await now()).not.toHaveProperty("original");
  });

  it("leaves out what it suggests, and no longer once the suggestion is gone", async () => {
    await looked({ text: piece.text, look: { suggests: "It nearly repeats “B”." } });
    expect(usedDocuments(await listDocuments(hand.id))).toEqual([]);
    expect((await now()).excluded).toEqual({ reason: "It nearly repeats “B”.", by: "inspection" });
    await looked({ text: piece.text });
    expect(usedDocuments(await listDocuments(hand.id))).toHaveLength(1);
  });

  it("changes nothing that the person has decided", async () => {
    await excludeDocuments(hand.id, new Map([[piece.id, null]]));
    await looked({ text: piece.text, look: { suggests: "It looks like a table." } });
    expect(await now()).toMatchObject({ kept: true, look: { suggests: "It looks like a table." } });
    expect((await now()).excluded).toBeUndefined();
    await excludeDocuments(hand.id, new Map([[piece.id, { reason: "You left it out.", by: "person" }]]));
    await looked({ text: piece.text });
    expect((await now()).excluded).toEqual({ reason: "You left it out.", by: "person" });
    await editDocument(piece.id, "It rains.\n-- \nBo");
    await looked({ read: "It rains.\n-- \nBo", text: "It rains." });
    expect(await now()).toMatchObject({ text: "It rains.\n-- \nBo", original: piece.text, edited: true, words: 3 });
  });

  it("passes over a text that has changed meanwhile", async () => {
    await editDocument(piece.id, "Something else.");
    await looked({ text: "Dear Ann, it rains." });
    expect(await now()).toMatchObject({ text: "Something else.", words: 2 });
    expect(await now()).not.toHaveProperty("look");
  });
});

describe("editing", () => {
  it("keeps what was read, until the text is that again", async () => {
    await editDocument(piece.id, "One.");
    await editDocument(piece.id, "One. Two.");
    expect(await now()).toMatchObject({ text: "One. Two.", words: 2, original: piece.text, edited: true });
    await editDocument(piece.id, piece.text);
    expect(await now()).not.toHaveProperty("original");
    expect(await code(editDocument(piece.id, " … "))).toBe("file/empty");
  });
});

describe("the split of a hand", () => {
  it("is stored with it, and refused where it makes no sense", async () => {
    expect(splitOptions(hand)).toEqual({});
    await chooseSplit(hand.id, { train: 0.6, validation: 0.2, test: 0.2 }, 7);
    await keepGroups(hand.id, [["a", "b"]]);
    const stored = (await getHand(hand.id))!;
    expect(stored.seed).toBe(7);
    expect(splitOptions(stored)).toEqual({ shares: { train: 0.6, validation: 0.2, test: 0.2 }, groups: [["a", "b"]] });
    expect(await code(chooseSplit(hand.id, { train: 0.2, validation: 0.4, test: 0.4 }, 7))).toBe("data/shares");
    await chooseSplit(hand.id, null, 1);
    await keepGroups(hand.id, []);
    expect(await getHand(hand.id)).toEqual(hand);
  });
});
