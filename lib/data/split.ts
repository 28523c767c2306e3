/**
 * Divides a hand's documents into training (80 % of the words unless other
 * shares are asked for), validation (10) and test (10): by whole document, so
 * that no piece is learned and checked at once. Documents that repeat one
 * another (groups) fall into one part together. A document that holds more than
 * 30 % of the words is cut into contiguous blocks in order (its first 80 %, next
 * 10, last 10), never into shuffled passages: neighbouring passages of one text
 * share too much. The same happens to all documents where there are too few to
 * deal whole ones. What is said of it on the page is in split-words.ts.
 */
import { DuctusError } from "../core/errors";
import { Random } from "../core/random";
import { DisjointSets } from "./disjoint-sets";
import { countWords, lineSpans, paragraphSpans, sentenceSpans, type Span, spacedWordSpans } from "./words";

export type PartName = "train" | "validation" | "test";
export const PART_NAMES: readonly PartName[] = ["train", "validation", "test"];
/** Shares of the words; together 1. */
export type Shares = Readonly<Record<PartName, number>>;
/** The shares of a new hand. */
export const SHARES: Shares = { train: 0.8, validation: 0.1, test: 0.1 };
/** What a part's share may be: less than half leaves too little to learn from, less than 2 % says nothing when checked. */
export const SHARE_BOUNDS: Readonly<Record<PartName, readonly [least: number, most: number]>> = { train: [0.5, 0.96], validation: [0.02, 0.3], test: [0.02, 0.3] };
/** A document with a larger share of all words is cut into blocks. */
export const DOMINANT_SHARE = 0.3;
/** The seed of a new hand. */
export const DEFAULT_SEED = 1;

/** Dealing whole documents must come within these parts of the shares, else all are cut into blocks: 60, 4 and 4 % of the words for 80/10/10. */
const LEAST_TRAIN = 0.6 / SHARES.train, LEAST_HELD_OUT = 0.04 / SHARES.test;
/** A large group is learned from whole if what it leaves can be held out from without giving more than this share of itself. */
const MOST_HELD_OUT_OF_REST = 0.5;
/** How far from its place a block may end to end with a paragraph, as a share of the document's words. */
const CUT_TOLERANCE = 0.03;
const TRIES = 16;

export interface SplitDocument {
  id: string;
  text: string;
}

/** A stretch of a document in one part; `text` is the document's text from `start` to `end` (characters, end exclusive). */
export interface SplitPart {
  part: PartName;
  documentId: string;
  text: string;
  start: number;
  end: number;
}

export interface SplitOptions {
  /** Default 80/10/10. */
  shares?: Shares;
  /** Ids of documents that repeat one another, as near-duplicates are found; groups that have a document in common are one. */
  groups?: readonly (readonly string[])[];
}

/** How the split was made, for the page to say. */
export interface SplitRule {
  /** The shares that were asked for. */
  shares: Shares;
  /** Every document is whole in one part. */
  byDocument: boolean;
  /** The documents that were cut into blocks. */
  blocks: string[];
  /** All were cut because there are too few to deal whole ones. */
  tooFewDocuments: boolean;
  /** Groups of two or more documents that repeat one another, each wholly in one part. */
  groupsTogether: string[][];
  /** Such groups that had to be cut: what one document teaches, another may hold aside. */
  groupsCut: string[][];
  words: Record<PartName, number>;
  /** Documents that are wholly or partly in each part. */
  documents: Record<PartName, number>;
}

export interface Split {
  /** In the order of the documents, blocks in the order of their text. */
  parts: SplitPart[];
  rule: SplitRule;
}

/** What is wrong with shares, as a sentence; null where they will do. */
export function shareFault(shares: Shares): string | null {
  const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
  const parts: readonly [PartName, string][] = [["train", "to learn from"], ["validation", "to check it while it learns"], ["test", "for the comparison"]];
  for (const [part, what] of parts) {
    const [least, most] = SHARE_BOUNDS[part], share = shares[part];
    if (!Number.isFinite(share)) return `The share ${what} is not a number.`;
    if (share < least - 1e-9) return `The share ${what} is ${percent(share)}; at least ${percent(least)} are needed, ${part === "train" ? "or there is too little to learn from" : "or the check says nothing"}.`;
    if (share > most + 1e-9) return `The share ${what} is ${percent(share)}; at most ${percent(most)} make sense, ${part === "train" ? "so that something is left to check against" : "so that enough is left to learn from"}.`;
  }
  const sum = PART_NAMES.reduce((total, part) => total + shares[part], 0);
  return Math.abs(sum - 1) > 1e-6 ? `The three shares make ${percent(sum)} together; they must make 100 %.` : null;
}

/**
 * Depends on the documents' texts, order and groups, the shares and the seed
 * alone, not on the ids.
 * @throws DuctusError `data/shares` where the shares are out of bounds
 */
export function splitDocuments(documents: readonly SplitDocument[], seed: number, { shares = SHARES, groups = [] }: SplitOptions = {}): Split {
  const fault = shareFault(shares);
  if (fault !== null) throw new DuctusError("data/shares", fault, "Change the shares.");
  const words = documents.map((d) => countWords(d.text));
  const total = sum(words);
  const units = unitsOf(documents, groups).map((indices): Unit => ({ indices, words: sum(indices.map((i) => words[i] as number)) }));
  const large = units.filter((unit) => unit.words > DOMINANT_SHARE * total);
  const small = units.filter((unit) => unit.words <= DOMINANT_SHARE * total);
  const smallTotal = sum(small.map((unit) => unit.words));

  // A large group is learned from whole if the rest can stand for all in what is held out.
  const largeGroups = large.filter((unit) => unit.indices.length > 1);
  const groupTotal = sum(largeGroups.map((unit) => unit.words));
  const stretch = groupTotal === 0 ? 1 : (groupTotal + smallTotal) / smallTotal;
  const keep = groupTotal > 0 && (shares.validation + shares.test) * stretch <= MOST_HELD_OUT_OF_REST;
  const dealtShares = keep ? { train: 1 - (shares.validation + shares.test) * stretch, validation: shares.validation * stretch, test: shares.test * stretch } : shares;

  const given = new Map<number, PartName>();
  const give = (unit: Unit, part: PartName): void => unit.indices.forEach((i) => given.set(i, part));
  let tooFewDocuments = false;
  if (small.length > 0) {
    const deal = bestDeal(small, dealtShares, seed);
    const least = (part: PartName): number => dealtShares[part] * (part === "train" ? LEAST_TRAIN : LEAST_HELD_OUT);
    const even = PART_NAMES.every((part) => sum(deal[part].map((unit) => unit.words)) / smallTotal >= least(part));
    if (even) {
      for (const part of PART_NAMES) for (const unit of deal[part]) give(unit, part);
      if (keep) for (const unit of largeGroups) give(unit, "train");
    }
    // Beside a document in blocks a few small ones may all be learned from; on their own they are cut as well.
    else if (large.length > 0 && smallTotal <= 0.2 * total) for (const unit of small) give(unit, "train");
    else tooFewDocuments = true;
  }

  const parts: SplitPart[] = [];
  const rule: SplitRule = { shares, byDocument: true, blocks: [], tooFewDocuments, groupsTogether: [], groupsCut: [], words: { train: 0, validation: 0, test: 0 }, documents: { train: 0, validation: 0, test: 0 } };
  const cut = new Set<number>();
  documents.forEach(({ id, text }, i) => {
    const part = given.get(i);
    const stretches = part !== undefined ? [{ part, start: 0, end: text.length }] : cutIntoBlocks(text, words[i] as number, shares);
    if (stretches.length > 1) {
      rule.blocks.push(id);
      cut.add(i);
    }
    for (const { part, start, end } of stretches) {
      const slice = text.slice(start, end);
      parts.push({ part, documentId: id, text: slice, start, end });
      rule.words[part] += stretches.length === 1 ? (words[i] as number) : countWords(slice);
      rule.documents[part]++;
    }
  });
  rule.byDocument = rule.blocks.length === 0;
  for (const { indices } of units) {
    if (indices.length > 1) (indices.some((i) => cut.has(i)) ? rule.groupsCut : rule.groupsTogether).push(indices.map((i) => (documents[i] as SplitDocument).id));
  }
  return { parts, rule };
}

/** The stretches of one part. */
export function partsOf(split: Split, part: PartName): SplitPart[] {
  return split.parts.filter((p) => p.part === part);
}

/** What is dealt in one piece: a document, or those of a group. */
interface Unit {
  indices: number[];
  words: number;
}
type Deal = Record<PartName, Unit[]>;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Places of the documents, those of a group together, in the order of each one's first. */
function unitsOf(documents: readonly SplitDocument[], groups: readonly (readonly string[])[]): number[][] {
  const place = new Map(documents.map((d, i) => [d.id, i]));
  const sets = new DisjointSets(documents.length);
  for (const group of groups) {
    const members = group.map((id) => place.get(id)).filter((i) => i !== undefined); // one that was taken out belongs to none
    for (const member of members) sets.join(members[0] as number, member);
  }
  return sets.all();
}

/** Deals shuffled units until the shares come within two points of those wanted, at most 16 times; else the nearest deal. */
function bestDeal(units: readonly Unit[], shares: Shares, seed: number): Deal {
  const random = new Random(`split/${seed}`);
  const total = sum(units.map((unit) => unit.words));
  let best: Deal = { train: [...units], validation: [], test: [] };
  let bestMiss = Infinity;
  for (let attempt = 0; attempt < TRIES && bestMiss > 0.02; attempt++) {
    const deal: Deal = { train: [], validation: [], test: [] };
    const dealt: Record<PartName, number> = { train: 0, validation: 0, test: 0 };
    for (const unit of random.shuffle([...units])) {
      const n = unit.words;
      const nearer = (part: "validation" | "test"): boolean => Math.abs(dealt[part] + n - shares[part] * total) < Math.abs(dealt[part] - shares[part] * total);
      const part = nearer("test") ? "test" : nearer("validation") ? "validation" : "train";
      deal[part].push(unit);
      dealt[part] += n;
    }
    const miss = Math.max(...PART_NAMES.map((part) => Math.abs(dealt[part] / total - shares[part]))) + (dealt.test === 0 || dealt.validation === 0 ? 1 : 0);
    if (miss < bestMiss) [best, bestMiss] = [deal, miss];
  }
  return best;
}

/** First 80 %, next 10, last 10 of the words, or by other shares; a block that would have no words is not made. */
function cutIntoBlocks(text: string, words: number, shares: Shares): { part: PartName; start: number; end: number }[] {
  const validation = cutNear(text, words, shares.train);
  const test = cutNear(text, words, shares.train + shares.validation);
  const bounds: [PartName, number, number][] = [["train", 0, validation], ["validation", validation, test], ["test", test, text.length]];
  if (bounds.some(([, start, end]) => end <= start || countWords(text.slice(start, end)) === 0)) return [{ part: "train", start: 0, end: text.length }];
  return bounds.map(([part, start, end]) => ({ part, start, end }));
}

/** Offset after about `share` of the words: at a paragraph's end if one is near, else a line's, a sentence's, a word's. */
function cutNear(text: string, words: number, share: number): number {
  const target = share * words;
  let within: Span = { start: 0, end: text.length };
  let before = 0; // words before `within`
  for (const spansOf of [paragraphSpans, lineSpans, sentenceSpans, spacedWordSpans]) {
    const slice = text.slice(within.start, within.end);
    let at = before;
    let hit: Span | undefined, hitStart = before;
    const spans = spansOf(slice);
    if (spans.length === 1 && spansOf !== spacedWordSpans) continue; // no finer than before; counting is what takes the time
    for (const span of spans) {
      const n = spansOf === spacedWordSpans ? 1 : countWords(slice.slice(span.start, span.end));
      hit = { start: within.start + span.start, end: within.start + span.end };
      hitStart = at;
      at += n;
      if (at >= target) break;
    }
    if (hit === undefined) break;
    const nearStart = target - hitStart, nearEnd = Math.abs(at - target);
    if (Math.min(nearStart, nearEnd) <= CUT_TOLERANCE * words) return nearStart < nearEnd ? hit.start : hit.end;
    within = hit;
    before = hitStart;
  }
  return within.end;
}
