/** What the parts of the split are called. How it was made is said by lib/data/split-words. */
import type { PartName } from "../../lib/data/split";
import type { PiecePart } from "./rows";

export const PART_WORDS: Record<PiecePart, string> = {
  train: "to learn from",
  validation: "kept aside to check while it learns",
  test: "kept aside for the comparison",
  cut: "its end is kept aside",
  out: "left out",
};

/** The same, short, for the key under the bar. */
export const PART_KEYS: Record<PartName, string> = { train: "to learn from", validation: "to check it while it learns", test: "for the comparison" };
