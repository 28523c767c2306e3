/**
 * Which of documents that nearly repeat one another stay, by a rule that can be
 * said in a sentence. Each one that goes has one that stays in its place. It is
 * only a suggestion: the person decides.
 */
import { areOfOneLength, type NearDuplicate } from "./near-duplicates";

/** The rule, for the page. */
export const WHICH_STAYS = "Of pieces that nearly repeat one another, the longest stays; of those about as long, the latest, as the last draft. Of pieces with the very same words, the first stays.";

export interface Candidate {
  words: number;
  /** Unix milliseconds; where it is not known of all that are alike, their order tells which is later. */
  dateMs?: number;
  /** Goes for another reason, and is in nobody's place. */
  excluded?: boolean;
}

/** @returns for each document that goes, by its place, the one that stays in its place */
export function whichGo(candidates: readonly Candidate[], pairs: readonly NearDuplicate[]): Map<number, number> {
  const inPlaceOf = new Map<number, number>();
  const at = (i: number): Candidate => candidates[i] as Candidate;
  const neighbours = new Map<number, { other: number; near: boolean }[]>();
  const link = (from: number, other: number, near: boolean): void => {
    const links = neighbours.get(from);
    if (links === undefined) neighbours.set(from, [{ other, near }]);
    else links.push({ other, near });
  };
  for (const { document, earlier, kind } of pairs) {
    if (kind === "shares" || at(document).excluded === true || at(earlier).excluded === true) continue;
    if (kind === "same") inPlaceOf.set(document, Math.min(earlier, inPlaceOf.get(document) ?? earlier));
    link(document, earlier, kind === "near");
    link(earlier, document, kind === "near");
  }
  const linksOf = (i: number): readonly { other: number; near: boolean }[] => neighbours.get(i) ?? [];
  const undecided = (i: number): boolean => !inPlaceOf.has(i) && !stay.has(i);
  const stay = new Set<number>();
  const isLater = (a: number, b: number): boolean => {
    const [x, y] = [at(a).dateMs, at(b).dateMs];
    return x !== undefined && y !== undefined && x !== y ? x > y : a > b;
  };

  for (const longest of [...neighbours.keys()].sort((a, b) => at(b).words - at(a).words || a - b)) {
    if (!undecided(longest)) continue;
    // A third draft is like the first, but it is a longer second that stays.
    const standing = linksOf(longest).filter(({ near }) => near).map(({ other }) => stays(inPlaceOf, other)).find((other) => stay.has(other) && at(other).words >= at(longest).words);
    if (standing !== undefined) {
      inPlaceOf.set(longest, standing);
      continue;
    }
    // Drafts of one length, each like another of them.
    const drafts = new Set([longest]);
    for (const draft of drafts) for (const { other, near } of linksOf(draft)) if (near && undecided(other) && areOfOneLength(at(other).words, at(longest).words)) drafts.add(other);
    const latest = [...drafts].reduce((best, draft) => (isLater(draft, best) ? draft : best));
    stay.add(latest);
    for (const draft of drafts) {
      if (draft !== latest) inPlaceOf.set(draft, latest);
      for (const { other } of linksOf(draft)) if (undecided(other) && !drafts.has(other)) inPlaceOf.set(other, latest);
    }
  }
  return new Map([...inPlaceOf.keys()].sort((a, b) => a - b).map((i) => [i, stays(inPlaceOf, i)]));
}

function stays(inPlaceOf: ReadonlyMap<number, number>, i: number): number {
  for (let next = inPlaceOf.get(i); next !== undefined; next = inPlaceOf.get(i)) i = next;
  return i;
}
