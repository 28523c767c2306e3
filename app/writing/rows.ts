/** Which pieces the list shows, and in which order. Pure. */
import type { PartName, Split } from "../../lib/data/split";
import type { StoredDocument } from "../../lib/store/types";
import { remarksOf } from "./remarks";

export type PiecePart = PartName | "cut" | "out";

export interface Row {
  document: StoredDocument;
  remarks: string[];
  part: PiecePart;
}

export const ORDERS = { came: "as they came", name: "by name", longest: "longest first", shortest: "shortest first", remarks: "with remarks first", part: "by what they are for" } as const;
export type Order = keyof typeof ORDERS;
export const FILTERS = { all: "all", used: "used", out: "left out", remarks: "with remarks" } as const;
export type Filter = keyof typeof FILTERS;

const PART_ORDER: readonly PiecePart[] = ["train", "cut", "validation", "test", "out"];
const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** @param split null while there is too little to divide: then all that is used counts as learned from */
export function rowsOf(documents: readonly StoredDocument[], split: Split | null): Row[] {
  const parts = new Map<string, PartName | "cut">();
  for (const { documentId, part } of split?.parts ?? []) parts.set(documentId, (parts.get(documentId) ?? part) === part ? part : "cut");
  const names = new Map(documents.map(({ id, name }) => [id, name]));
  return documents.map((document) => ({
    document, remarks: remarksOf(document, (id) => names.get(id)),
    part: document.excluded !== undefined ? "out" : (parts.get(document.id) ?? "train"),
  }));
}

/** @param query found in names, remarks, reasons and texts, whatever the case */
export function chosenRows(rows: readonly Row[], { query, filter, order }: { query: string; filter: Filter; order: Order }): Row[] {
  const wanted = query.trim().toLowerCase();
  const found = rows.filter(({ document, remarks, part }) => {
    if (filter === "used" ? part === "out" : filter === "out" ? part !== "out" : filter === "remarks" && remarks.length === 0) return false;
    return wanted === "" || [document.name, ...remarks, document.excluded?.reason ?? "", document.path ?? "", document.text].some((text) => text.toLowerCase().includes(wanted));
  });
  switch (order) {
    case "came":
      return found;
    case "name":
      return found.sort((a, b) => byName.compare(a.document.name, b.document.name));
    case "longest":
      return found.sort((a, b) => b.document.words - a.document.words);
    case "shortest":
      return found.sort((a, b) => a.document.words - b.document.words);
    case "remarks":
      return found.sort((a, b) => b.remarks.length - a.remarks.length);
    case "part":
      return found.sort((a, b) => PART_ORDER.indexOf(a.part) - PART_ORDER.indexOf(b.part));
    default:
      return order satisfies never;
  }
}
