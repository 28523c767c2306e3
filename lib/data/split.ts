/**
 * Divides a hand's documents into training (80 % of the words), validation (10)
 * and test (10): by whole document, so that no piece is learned and checked at
 * once. A document that holds more than 30 % of the words is cut into contiguous
 * blocks in order (its first 80 %, next 10, last 10), never into shuffled
 * passages: neighbouring passages of one text share too much. The same happens
 * to all documents where there are too few to deal whole ones.
 */
import { Random } from "../core/random";
import { countWords, lineSpans, paragraphSpans, sentenceSpans, type Span, spacedWordSpans } from "./words";

export type PartName = "train" | "validation" | "test";
export const PART_NAMES: readonly PartName[] = ["train", "validation", "test"];
/** Shares of the words. */
export const SHARES: Readonly<Record<PartName, number>> = { train: 0.8, validation: 0.1, test: 0.1 };
/** A document with a larger share of all words is cut into blocks. */
export const DOMINANT_SHARE = 0.3;
/** The seed of a new hand. */
export const DEFAULT_SEED = 1;

/** Dealing whole documents must come within these shares, else all are cut into blocks. */
const LEAST_TRAIN = 0.6, LEAST_HELD_OUT = 0.04;
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

/** How the split was made, for the page to say. */
export interface SplitRule {
  /** Every document is whole in one part. */
  byDocument: boolean;
  /** The documents that were cut into blocks. */
  blocks: string[];
  /** All were cut because there are too few to deal whole ones. */
  tooFewDocuments: boolean;
  words: Record<PartName, number>;
  /** Documents that are wholly or partly in each part. */
  documents: Record<PartName, number>;
}

export interface Split {
  /** In the order of the documents, blocks in the order of their text. */
  parts: SplitPart[];
  rule: SplitRule;
}

/** Depends on the documents' texts and order and on the seed alone, not on their ids. */
export function splitDocuments(documents: readonly SplitDocument[], seed: number): Split {
  const words = documents.map((d) => countWords(d.text));
  const total = words.reduce((a, b) => a + b, 0);
  const dominant = words.map((n) => n > DOMINANT_SHARE * total);
  const dealt = documents.map((_, i) => i).filter((i) => !dominant[i]);
  const given = new Map<number, PartName>();
  let tooFewDocuments = false;
  if (dealt.length > 0) {
    const deal = bestDeal(dealt, words, seed);
    const dealtTotal = dealt.reduce((sum, i) => sum + (words[i] as number), 0);
    const share = (part: PartName): number => deal[part].reduce((sum, i) => sum + (words[i] as number), 0) / dealtTotal;
    const even = share("train") >= LEAST_TRAIN && share("validation") >= LEAST_HELD_OUT && share("test") >= LEAST_HELD_OUT;
    if (even) for (const part of PART_NAMES) for (const i of deal[part]) given.set(i, part);
    // Beside a document in blocks a few small ones may all be learned from; on their own they are cut as well.
    else if (dealt.length < documents.length && dealtTotal <= 0.2 * total) for (const i of dealt) given.set(i, "train");
    else tooFewDocuments = true;
  }

  const parts: SplitPart[] = [];
  const rule: SplitRule = { byDocument: true, blocks: [], tooFewDocuments, words: { train: 0, validation: 0, test: 0 }, documents: { train: 0, validation: 0, test: 0 } };
  documents.forEach(({ id, text }, i) => {
    const part = given.get(i);
    const stretches = part !== undefined ? [{ part, start: 0, end: text.length }] : cutIntoBlocks(text, words[i] as number);
    if (stretches.length > 1) rule.blocks.push(id);
    for (const { part, start, end } of stretches) {
      const slice = text.slice(start, end);
      parts.push({ part, documentId: id, text: slice, start, end });
      rule.words[part] += stretches.length === 1 ? (words[i] as number) : countWords(slice);
      rule.documents[part]++;
    }
  });
  rule.byDocument = rule.blocks.length === 0;
  return { parts, rule };
}

/** The stretches of one part. */
export function partsOf(split: Split, part: PartName): SplitPart[] {
  return split.parts.filter((p) => p.part === part);
}

type Deal = Record<PartName, number[]>;

/** Deals shuffled documents until the shares come within two points of 80/10/10, at most 16 times; else the nearest deal. */
function bestDeal(indices: readonly number[], words: readonly number[], seed: number): Deal {
  const random = new Random(`split/${seed}`);
  const total = indices.reduce((sum, i) => sum + (words[i] as number), 0);
  let best: Deal = { train: [...indices], validation: [], test: [] };
  let bestMiss = Infinity;
  for (let attempt = 0; attempt < TRIES && bestMiss > 0.02; attempt++) {
    const deal: Deal = { train: [], validation: [], test: [] };
    const sum: Record<PartName, number> = { train: 0, validation: 0, test: 0 };
    for (const i of random.shuffle([...indices])) {
      const n = words[i] as number;
      const nearer = (part: "validation" | "test"): boolean => Math.abs(sum[part] + n - SHARES[part] * total) < Math.abs(sum[part] - SHARES[part] * total);
      const part = nearer("test") ? "test" : nearer("validation") ? "validation" : "train";
      deal[part].push(i);
      sum[part] += n;
    }
    const miss = Math.max(...PART_NAMES.map((part) => Math.abs(sum[part] / total - SHARES[part]))) + (sum.test === 0 || sum.validation === 0 ? 1 : 0);
    if (miss < bestMiss) [best, bestMiss] = [deal, miss];
  }
  return best;
}

/** First 80 %, next 10, last 10 of the words; a block that would have no words is not made. */
function cutIntoBlocks(text: string, words: number): { part: PartName; start: number; end: number }[] {
  const validation = cutNear(text, words, SHARES.train);
  const test = cutNear(text, words, SHARES.train + SHARES.validation);
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
