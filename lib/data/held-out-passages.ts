/**
 * Passages to go on from, for comparisons: of the test part of a hand's writing,
 * each with what the writer really wrote next. Not the examples of training or
 * of scoring (examples.ts).
 */
import { Random } from "../core/random";
import { chooseKeyWords } from "./forms";
import { cutPassages } from "./passages";
import { partsOf, type Split } from "./split";

export interface HeldOutPassage {
  /** Of the piece it is from. */
  documentId: string;
  text: string;
  /** What the person wrote after it. */
  next: string;
  keyWords: string[];
}

/** Words of a passage; the prompts of training are as long. */
const LENGTH = { low: 25, high: 70, max: 90 } as const;

/** @param seed draws the key words */
export function heldOutPassages(split: Split, seed: number): HeldOutPassage[] {
  const random = new Random(`compare/${seed}`);
  return partsOf(split, "test").flatMap(({ documentId, text: stretch }) => {
    const passages = cutPassages(stretch, () => LENGTH);
    return passages.slice(0, -1).map(({ text }, i) => {
      const next = passages[i + 1]?.text ?? "";
      return { documentId, text, next, keyWords: chooseKeyWords(next, random) ?? [] };
    });
  });
}

/** At most so many of them, by a seed, in the order of the text. */
export function somePassages(passages: readonly HeldOutPassage[], most: number, seed: number | string): HeldOutPassage[] {
  const places = new Random(`passages/${seed}`).shuffle([...passages.keys()]).slice(0, most).sort((a, b) => a - b);
  return places.map((place) => passages[place] as HeldOutPassage);
}
