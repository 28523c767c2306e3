/** Passages to go on from: of the test part of the hand's writing, each with what really came next. */
import { chooseKeyWords } from "../../lib/data/forms";
import { cutPassages } from "../../lib/data/passages";
import { partsOf, splitDocuments } from "../../lib/data/split";
import { Random } from "../../lib/core/random";
import { splitOptions } from "../../lib/store/hands";
import type { Hand, StoredDocument } from "../../lib/store/types";

export interface HeldOutPassage {
  /** Of the piece it is from. */
  name: string;
  text: string;
  /** What the person wrote after it. */
  next: string;
  keyWords: string[];
}

/** Words of a passage; the prompts of training are as long. */
const LENGTH = { low: 25, high: 70, max: 90 } as const;

export function heldOutPassages(hand: Hand, documents: readonly StoredDocument[]): HeldOutPassage[] {
  const names = new Map(documents.map((d) => [d.id, d.name]));
  const random = new Random(`compare/${hand.seed}`);
  return partsOf(splitDocuments(documents, hand.seed, splitOptions(hand)), "test").flatMap((part) => {
    const passages = cutPassages(part.text, () => LENGTH);
    return passages.slice(0, -1).map(({ text }, i) => {
      const next = passages[i + 1]?.text ?? "";
      return { name: names.get(part.documentId) ?? "", text, next, keyWords: chooseKeyWords(next, random) ?? [] };
    });
  });
}
