/** Which part of the split each document is in, and the split in a sentence. */
import type { PartName, Split } from "../../lib/data/split";
import type { StoredDocument } from "../../lib/store/types";
import { plural } from "../_components/format";

/** The part of a document that is whole in one; "cut" for one that lies in several. */
export function partOf(split: Split, documentId: string): PartName | "cut" {
  const parts = new Set(split.parts.filter((p) => p.documentId === documentId).map((p) => p.part));
  const [first] = parts;
  return parts.size > 1 || first === undefined ? "cut" : first;
}

export const PART_WORDS: Record<PartName | "cut", string> = {
  train: "to learn from",
  validation: "kept aside to check while it learns",
  test: "kept aside for the comparison",
  cut: "its end is kept aside",
};

/** The same, short, for the key under the bar. */
export const PART_KEYS: Record<PartName, string> = { train: "to learn from", validation: "to check it while it learns", test: "for the comparison" };

/** How the writing was divided and why so, in plain words. */
export function splitSentence({ rule }: Split, documents: readonly StoredDocument[]): string {
  const { train, validation, test } = rule.documents;
  if (rule.byDocument) {
    return `The model will learn from ${plural(train, "piece")}. ${validation === 1 ? "One is" : `${validation} are`} kept aside to check it while it learns, and ${test === 1 ? "one" : test} for the comparison at the end; it never learns from those.`;
  }
  const cut = "the model learns from the first eight tenths; the next tenth is kept aside to check it while it learns, and the last for the comparison at the end";
  if (documents.length === 1) return `This is one piece, so it is cut in order: ${cut}.`;
  if (rule.tooFewDocuments || rule.blocks.length === documents.length) return `There are too few pieces to keep whole ones aside, so each is cut in order: ${cut}.`;
  const names = rule.blocks.map((id) => `“${documents.find((d) => d.id === id)?.name ?? ""}”`);
  const many = names.length > 1;
  return `${names.join(" and ")} ${many ? "hold" : "holds"} much of the writing, so ${many ? "they are" : "it is"} cut in order: ${cut}. The other pieces stay whole.`;
}
