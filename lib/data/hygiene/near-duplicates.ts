/**
 * Documents that nearly repeat an earlier one (drafts, reposts), stand in
 * another, or share a long passage with it (quoted letters). Such documents must
 * fall into one part of the split: a near-copy on both sides would let the model
 * be checked on what it has learned by heart. Candidates come from MinHash with
 * locality-sensitive hashing (Broder 1997; Indyk and Motwani 1998) and from
 * shared fingerprints; each is then measured exactly on the shingles. Which of
 * them stay is decided in which-stays.ts.
 */
import { DisjointSets } from "../disjoint-sets";
import { fingerprints, has, inCommon, PERMUTATIONS, setOf, shinglesOf, SHINGLE_WORDS, signer } from "./shingles";

/** Documents nearly repeat each other when they have this share of all their shingles in common: with single words changed here and there, nine words in ten. */
export const NEAR_RESEMBLANCE = 0.5;
/** From this share on they share text, as an early draft and a late one do: four words in five. Two texts of one writer have 3 % at most by chance. */
export const SHARED_RESEMBLANCE = 0.25;
/** A document stands in another when this share of its shingles does: with single words changed here and there, 93 words in 100. */
export const CONTAINED_SHARE = 0.75;
/** Shorter ones stand in others by chance; they are found only where they are the same. */
export const MIN_CONTAINED_WORDS = 12;
/** A passage is long from this number of words in a row on. */
export const PASSAGE_WORDS = 30;
/** Documents whose lengths differ by less than this share are of one length. */
const SAME_LENGTH = 0.1;
export const areOfOneLength = (a: number, b: number): boolean => Math.abs(a - b) < SAME_LENGTH * Math.max(a, b);

/** 42 bands of 3: a resemblance of 0.5 is found in 996 of 1,000 cases, of 0.25 in every second; most of the others share a fingerprint. */
const ROWS = 3, BANDS = Math.floor(PERMUTATIONS / ROWS);
/** At most so many earlier documents are remembered for one band or fingerprint, and measured for one document. */
const MAX_BUCKET = 16, MAX_CANDIDATES = 16;
/** What stands in more documents than this share, and this number, is a formula and joins none. */
const COMMON_SHARE = 0.05, MIN_COMMON = 8;
/** What documents share must be more than a chance or two. */
const MIN_SHARED = 10, MIN_RARE = 2;

export type Likeness =
  /** The same words. */
  | "same"
  | "near"
  /** Nearly all of the document stands in the earlier one. */
  | "contained"
  /** Nearly all of the earlier one stands in the document. */
  | "contains"
  /** They share a long passage, or much in small pieces. */
  | "shares";

/** A document and an earlier one that is like it, by their places. */
export interface NearDuplicate {
  document: number;
  earlier: number;
  kind: Likeness;
  /** Shingles in common as a share of those of both (Jaccard). */
  resemblance: number;
  /** Share of the document's shingles that the earlier one has. */
  contained: number;
  /** Share of the earlier one's shingles that the document has. */
  contains: number;
  /** The longest run of words in the document that the earlier one has too, by its characters. */
  passage: { start: number; end: number; words: number };
}

export interface NearDuplicates {
  /** For each document the earlier one most like it; null where none is. */
  nearest: (NearDuplicate | null)[];
  /** All that were found alike; of many copies each with a few of the first. The passage is only measured where it decided, and of the nearest. */
  pairs: NearDuplicate[];
  /** Sets of two or more that belong in one part of a split, by their places. */
  groups: number[][];
}

export interface NearDuplicateOptions {
  seed?: number | string;
  /** Awaited between documents, so that a stop can be heard; what it throws ends the work. */
  breathe?: () => Promise<void>;
}

interface Sketch {
  set: Float64Array;
  words: number;
  prints: Set<number>;
  signature: Uint32Array;
}

export async function findNearDuplicates(texts: readonly string[], { seed = 1, breathe = () => Promise.resolve() }: NearDuplicateOptions = {}): Promise<NearDuplicates> {
  const sign = signer(seed);
  const sketches: Sketch[] = [];
  const counts = new Map<number, number>(); // documents a fingerprint stands in
  for (const text of texts) {
    await breathe();
    const { keys, words } = shinglesOf(text);
    const set = setOf(keys), prints = fingerprints(keys);
    sketches.push({ set, words, prints, signature: sign(set) });
    for (const print of prints) counts.set(print, (counts.get(print) ?? 0) + 1);
  }

  const common = Math.max(MIN_COMMON, COMMON_SHARE * texts.length);
  const isCommon = (key: number): boolean => (counts.get(key) ?? 0) > common;
  const byBand = new Buckets(), byPrint = new Buckets();
  const sets = new DisjointSets(texts.length);
  const nearest: (NearDuplicate | null)[] = [], pairs: NearDuplicate[] = [];
  for (const [i, sketch] of sketches.entries()) {
    await breathe();
    const hits = new Map<number, { all: number; rare: number }>();
    const meet = (earlier: number, weight: number, rare: boolean): void => {
      const hit = hits.get(earlier);
      if (hit === undefined) hits.set(earlier, { all: weight, rare: rare ? 1 : 0 });
      else {
        hit.all += weight;
        if (rare) hit.rare++;
      }
    };
    if (sketch.words > 0) {
      for (const key of bands(sketch.signature)) for (const earlier of byBand.add(key, i)) meet(earlier, sketch.prints.size / BANDS, false);
      for (const print of sketch.prints) for (const earlier of byPrint.add(print, i)) meet(earlier, 1, !isCommon(print));
    }
    const candidates = [...hits].sort(([a, x], [b, y]) => y.all - x.all || a - b).slice(0, MAX_CANDIDATES);
    let best: NearDuplicate | null = null;
    for (const [earlier, { rare }] of candidates) {
      const found = compare(texts[i] as string, sketches, i, earlier, rare >= MIN_RARE || sketch.prints.size < 2 * MIN_RARE ? isCommon : null);
      if (found === null) continue;
      sets.join(i, earlier);
      pairs.push(found);
      if (best === null || rank(found) > rank(best)) best = found;
    }
    if (best !== null && best.passage.words === 0) best.passage = longestPassage(texts[i] as string, (sketches[best.earlier] as Sketch).set);
    nearest.push(best);
  }
  return { nearest, pairs, groups: sets.all().filter((group) => group.length > 1) };
}

/**
 * What two documents are to each other; null where nothing much.
 * @param isCommon tells formulas, which make no passage; null where the two share nothing else, so that none need be looked for
 */
function compare(text: string, sketches: readonly Sketch[], document: number, earlier: number, isCommon: ((key: number) => boolean) | null): NearDuplicate | null {
  const a = sketches[document] as Sketch, b = sketches[earlier] as Sketch;
  const shared = inCommon(a.set, b.set);
  const resemblance = shared / (a.set.length + b.set.length - shared);
  const contained = shared / a.set.length, contains = shared / b.set.length;
  const found = (kind: Likeness, passage = { start: 0, end: 0, words: 0 }): NearDuplicate => ({ document, earlier, kind, resemblance, contained, contains, passage });
  if (resemblance === 1 && a.words === b.words) return found("same");
  if (Math.min(a.words, b.words) >= MIN_CONTAINED_WORDS) {
    const near = resemblance >= NEAR_RESEMBLANCE;
    if (near && areOfOneLength(a.words, b.words)) return found("near");
    if (contained >= CONTAINED_SHARE && a.words <= b.words) return found("contained");
    if (contains >= CONTAINED_SHARE) return found("contains");
    if (near) return found("near");
  }
  if (isCommon === null || shared < MIN_SHARED) return null;
  const passage = longestPassage(text, b.set, isCommon);
  return passage.words >= PASSAGE_WORDS || resemblance >= SHARED_RESEMBLANCE ? found("shares", passage) : null;
}

const rank = ({ kind, resemblance, contained, contains }: NearDuplicate): number => (kind === "shares" ? 0 : 1) + Math.max(resemblance, contained, contains) + 0.5 * resemblance;

/** The longest run of shingles that a set has too. A formula's fingerprints break it: there is one among any 13 shingles. */
function longestPassage(text: string, set: Float64Array, isCommon: (key: number) => boolean = () => false): NearDuplicate["passage"] {
  const { keys, words, starts, ends } = shinglesOf(text, true);
  let from = 0, longest = 0, run = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as number;
    run = has(set, key) && !isCommon(key) ? run + 1 : 0;
    if (run > longest) [longest, from] = [run, i - run + 1];
  }
  if (longest === 0) return { start: 0, end: 0, words: 0 };
  const length = longest + Math.min(words, SHINGLE_WORDS) - 1;
  return { start: starts[from] as number, end: ends[from + length - 1] as number, words: length };
}

function* bands(signature: Uint32Array): Generator<number> {
  for (let band = 0; band < BANDS; band++) {
    let a = band + 1, b = band + 1;
    for (let row = 0; row < ROWS; row++) {
      const value = signature[band * ROWS + row] as number;
      a = Math.imul(a ^ value, 0x01000193) ^ (a >>> 15);
      b = Math.imul(b + value, 0x85ebca6b) ^ (b >>> 13);
    }
    yield (a >>> 0) * 2 ** 21 + (b >>> 11);
  }
}

/** Which documents have a key; of many only the first, so that a thousand copies cost no more than a few. */
class Buckets {
  private readonly members = new Map<number, number[]>();

  /** @returns those that were there before */
  add(key: number, document: number): readonly number[] {
    const members = this.members.get(key);
    if (members === undefined) {
      this.members.set(key, [document]);
      return [];
    }
    const before = members.slice();
    if (members.length < MAX_BUCKET && members.at(-1) !== document) members.push(document);
    return before;
  }
}
