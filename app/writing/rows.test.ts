import { describe, expect, it } from "vitest";
import { splitDocuments } from "../../lib/data/split";
import { prose } from "../../lib/data/testing/prose";
import type { DocumentLook, StoredDocument } from "../../lib/store/types";
import { chosenRows, rowsOf } from "./rows";

const piece = (id: string, words: number, extra: Partial<StoredDocument> = {}): StoredDocument => ({ id, handId: "h", order: 0, name: `Piece ${id}`, text: `text of ${id}`, words, addedAt: 0, ...extra });
const look = (extra: Partial<DocumentLook>): DocumentLook => ({ languages: [{ language: "en", share: 1 }], warnings: [], removed: [], ...extra });
const documents = [
  piece("10", 50),
  piece("2", 900, { look: look({ repeats: { kind: "near", earlierId: "10", sentence: "…" } }), excluded: { reason: "It is nearly repeated by “x”.", by: "inspection" } }),
  piece("3", 200, { edited: true, look: look({ languages: [{ language: "de", share: 0.8 }, { language: "en", share: 0.2 }], removed: [{ what: "signature", start: 0, end: 4 }, { what: "signature", start: 9, end: 12 }], warnings: [{ kind: "quotation", sentence: "…" }, { kind: "from-another-version", sentence: "…" }] }) }),
  piece("4", 1, { look: look({ repeats: { kind: "near", earlierId: "gone", sentence: "…" } }) }),
];
const all = { query: "", filter: "all", order: "came" } as const;
const ids = (choice: Partial<Parameters<typeof chosenRows>[1]>): string[] => chosenRows(rowsOf(documents, null), { ...all, ...choice }).map(({ document }) => document.id);

describe("rowsOf", () => {
  it("says of each piece what there is to say", () => {
    expect(rowsOf(documents, null).map(({ remarks }) => remarks)).toEqual([[], ["near-copy of “Piece 10”"], ["mostly quotation", "mostly German, a fifth English", "a signature taken off", "edited by you"], []]);
  });

  it("knows which part each piece is in, and what is cut or left out", () => {
    const pieces = Array.from({ length: 20 }, (_, i) => piece(String(i), 0, { text: prose(`t${i}`, 4) }));
    const out = piece("out", 5, { excluded: { reason: "", by: "person" } });
    const split = splitDocuments(pieces, 1);
    const parts = new Map(rowsOf([...pieces, out], split).map(({ document, part }) => [document.id, part]));
    expect(parts.get("out")).toBe("out");
    for (const { documentId, part } of split.parts) expect(parts.get(documentId)).toBe(part);
    const one = piece("one", 0, { text: prose("whole", 40) });
    expect(rowsOf([one], splitDocuments([one], 1))[0]!.part).toBe("cut");
  });
});

describe("chosenRows", () => {
  it("searches names, remarks, reasons and texts", () => {
    expect(ids({ query: "GERMAN" })).toEqual(["3"]);
    expect(ids({ query: "repeated by" })).toEqual(["2"]);
    expect(ids({ query: "text of 4" })).toEqual(["4"]);
    expect(ids({ query: "nowhere" })).toEqual([]);
  });

  it("filters and orders", () => {
    expect(ids({ filter: "used" })).toEqual(["10", "3", "4"]);
    expect(ids({ filter: "out" })).toEqual(["2"]);
    expect(ids({ filter: "remarks" })).toEqual(["2", "3"]);
    expect(ids({ order: "name" })).toEqual(["2", "3", "4", "10"]);
    expect(ids({ order: "longest" })).toEqual(["2", "3", "10", "4"]);
    expect(ids({ order: "shortest" })).toEqual(["4", "10", "3", "2"]);
    expect(ids({ order: "remarks" })).toEqual(["3", "2", "10", "4"]);
    expect(ids({ order: "part" })).toEqual(["10", "3", "4", "2"]);
  });
});
