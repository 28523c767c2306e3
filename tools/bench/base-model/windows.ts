/**
 * Bits per UTF-8 byte of held-out documents under the model: every token of a
 * document and its end, each scored once. A document begins after the end token
 * of the one before, as it did in training; a long one is read in windows, each
 * of which scores what no window before it has.
 */
import type { TextScore, TextToScore } from "../../../lib/train/generate/score-texts";
import type { Kind } from "./corpus";
import type { Subject } from "./subject";

export interface HeldDocument {
  kind: Kind;
  source: string;
  text: string;
  /** Without the end token. */
  ids: number[];
  /** UTF-8 bytes of the text (of the tokens, where it was cut). */
  bytes: number;
}

/** Of a document: bits, and what they are spread over. */
export interface Coded {
  kind: Kind;
  bits: number;
  bytes: number;
  tokens: number;
}

/**
 * The windows of a document, in order: prompts are context only.
 *
 * @param context tokens of a window
 * @param stride between the beginnings of two windows; every token but those of the first window sees at least context − stride
 */
export function windowsOf(ids: readonly number[], endId: number, context: number, stride: number): TextToScore[] {
  const all = [endId, ...ids, endId];
  const windows: TextToScore[] = [];
  for (let start = 0; ; start += stride) {
    const begin = start === 0 ? 1 : start + context - stride;
    if (begin >= all.length) return windows;
    windows.push({ promptIds: all.slice(start, begin), completionIds: all.slice(begin, start + context), completionBytes: 0 });
  }
}

export async function codeDocuments(subject: Pick<Subject, "score" | "endId">, documents: readonly HeldDocument[], context: number, stride: number): Promise<Coded[]> {
  const windows = documents.map(({ ids }) => windowsOf(ids, subject.endId, context, stride));
  const scores = await subject.score(windows.flat(), context);
  let at = 0;
  return documents.map(({ kind, bytes }, i) => {
    const own = scores.slice(at, (at += windows[i]!.length));
    const sum = (value: (score: TextScore) => number): number => own.reduce((total, score) => total + value(score), 0);
    return { kind, bytes, bits: -sum(({ logProb }) => logProb) / Math.LN2, tokens: sum(({ tokens }) => tokens) };
  });
}

/** Pooled: a byte of a short document weighs what one of a long document does. */
export function bitsPerByte(coded: readonly Pick<Coded, "bits" | "bytes">[]): number {
  const sum = (value: (one: Pick<Coded, "bits" | "bytes">) => number): number => coded.reduce((total, one) => total + value(one), 0);
  return sum(({ bits }) => bits) / sum(({ bytes }) => bytes);
}

/** Where the buckets of {@link byPosition} begin: tokens that stand before the one that is scored. */
export const POSITION_EDGES = [1, 16, 32, 64, 128, 256, 512, 768, 1024] as const;

export interface PositionBucket {
  /** Tokens before, from and up to (inclusive). */
  from: number;
  to: number;
  bitsPerByte: number;
}

/** In whole windows one after another, each token by how many stand before it in its window. Documents shorter than a window take no part. */
export async function byPosition(subject: Pick<Subject, "score" | "endId" | "bytesOf">, documents: readonly HeldDocument[]): Promise<{ buckets: PositionBucket[]; windows: number }> {
  const last = POSITION_EDGES.at(-1)!;
  const windows: TextToScore[] = [];
  for (const { ids } of documents) {
    const all = [subject.endId, ...ids];
    for (let start = 0; start + last < all.length; start += last) windows.push({ promptIds: all.slice(start, start + 1), completionIds: all.slice(start + 1, start + 1 + last), completionBytes: 0 });
  }
  const bits = new Float64Array(last + 1), bytes = new Float64Array(last + 1); // by tokens before
  (await subject.score(windows, last + 1)).forEach(({ tokenLogProbs }, w) => tokenLogProbs.forEach((logProb, t) => {
    bits[t + 1]! -= logProb / Math.LN2;
    bytes[t + 1]! += subject.bytesOf[windows[w]!.completionIds[t]!]!;
  }));
  const sum = (values: Float64Array, from: number, to: number): number => values.subarray(from, to + 1).reduce((a, b) => a + b, 0);
  const buckets = POSITION_EDGES.slice(0, -1).map((from, i) => {
    const next = POSITION_EDGES[i + 1]!, to = next === last ? last : next - 1;
    return { from, to, bitsPerByte: sum(bits, from, to) / sum(bytes, from, to) };
  });
  return { buckets, windows: windows.length };
}
