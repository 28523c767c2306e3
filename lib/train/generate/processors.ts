/**
 * What is done to a row of logits before a token is drawn from it, with the
 * meaning and in the order of transformers' logits processors
 * (GenerationMixin._get_logits_processor): repetition penalty (Keskar et al.
 * 2019), banned sequences, temperature, top-k, top-p (Holtzman et al. 2020),
 * min-p (Nguyen et al. 2024). Rows may be 150,000 wide, so what to keep is found
 * by selection in linear time, never by sorting. It draws nothing: see sampler.ts.
 */
import { DuctusError } from "../../core/errors";

export interface SamplerOptions {
  /** 0 takes the most likely token; top-k, top-p and min-p then have no part in it. */
  temperature: number;
  /** The smallest set of most likely tokens whose probability reaches it; 1 (the default) keeps every token. */
  topP?: number;
  /** As many of the most likely tokens, and those that are as likely as the last of them; 0 (the default) keeps every token. */
  topK?: number;
  /** Tokens at least this many times as likely as the most likely one; 0 (the default) keeps every token. */
  minP?: number;
  /** Above 1 makes tokens of the prompt and of what has been written less likely, below 1 more; 1 (the default) does nothing. */
  repetitionPenalty?: number;
}

/** What is left to draw from: tokens in ascending order, and how likely each is. */
export interface Kept {
  /** [count] */
  ids: Int32Array;
  /** exp((logit − highest) / temperature), not normalised, [count]. */
  weights: Float64Array;
  /** Sum of `weights`. */
  total: number;
}

/** @throws DuctusError `generate/options` for a number that has no meaning */
export function checkSampler({ temperature, topP = 1, topK = 0, minP = 0, repetitionPenalty = 1 }: SamplerOptions): void {
  const wrong = !(temperature >= 0 && temperature < Infinity) ? "The temperature is a number from 0 up."
    : !(topP >= 0 && topP <= 1) ? "Top-p lies between 0 and 1."
    : !(Number.isInteger(topK) && topK >= 0) ? "Top-k is a whole number from 0 up."
    : !(minP >= 0 && minP <= 1) ? "Min-p lies between 0 and 1."
    : !(repetitionPenalty > 0 && repetitionPenalty < Infinity) ? "The repetition penalty is a number above 0."
    : null;
  if (wrong) throw new DuctusError("generate/options", wrong, "Change the setting.");
}

/** Index of the highest value, the first of several. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Makes the tokens in `seen` less likely, each once: logits [vocab] in place. Ids beyond the vocabulary are left out. */
export function penalise(logits: Float32Array, seen: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const id of seen) {
    const value = logits[id];
    if (value !== undefined) logits[id] = value < 0 ? value * penalty : value / penalty;
  }
}

/**
 * Temperature, top-k, top-p and min-p.
 *
 * @param logits [vocab], without NaN, the highest finite
 * @param temperature above 0
 */
export function keep(logits: Float32Array, { temperature, topP = 1, topK = 0, minP = 0 }: SamplerOptions): Kept {
  const top = logits[argmax(logits)]!;
  const lowest = topK > 0 && topK < logits.length ? kthLargest(logits, topK) : -Infinity;
  const ids = new Int32Array(logits.length);
  const weights = new Float64Array(logits.length);
  let count = 0;
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit < lowest) continue;
    const weight = Math.exp((logit - top) / temperature);
    if (weight === 0 && topP >= 1) continue; // of no probability
    ids[count] = i;
    weights[count++] = weight;
    total += weight;
  }
  let kept: Kept = { ids: ids.subarray(0, count), weights: weights.subarray(0, count), total };
  if (topP < 1) kept = nucleus(kept, topP);
  return minP > 0 ? likelyEnough(kept, minP) : kept;
}

/** The k-th largest of the values, 1 ≤ k ≤ length. */
function kthLargest(values: Float32Array, k: number): number {
  const a = values.slice();
  let low = 0, high = a.length - 1;
  const target = a.length - k; // its place in ascending order
  while (low < high) {
    const pivot = a[(low + high) >> 1]!;
    let i = low, j = high;
    while (i <= j) {
      while (a[i]! < pivot) i++;
      while (a[j]! > pivot) j--;
      if (i <= j) {
        const swap = a[i]!;
        a[i++] = a[j]!;
        a[j--] = swap;
      }
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else break;
  }
  return a[target]!;
}

/**
 * The smallest set of highest weights that reaches topP of the total, at least
 * one; of equal weights at its edge, those of the lower ids. Found by halving
 * around pivots, each part being summed once.
 */
function nucleus(kept: Kept, topP: number): Kept {
  const wanted = topP * kept.total;
  const open = kept.weights.slice(); // its first `count` are those at which the edge may lie
  let count = open.length;
  let above = 0; // sum of the weights that are surely in, all of them over `edge`
  let edge = 0;
  while (count > 0) {
    edge = middle(open, count);
    let higher = 0, equal = 0, higherCount = 0, lowerCount = 0;
    for (let i = 0; i < count; i++) {
      const weight = open[i]!;
      if (weight > edge) {
        higher += weight;
        higherCount++;
      } else if (weight < edge) lowerCount++;
      else equal += weight;
    }
    const over = higherCount > 0 && above + higher >= wanted; // the edge lies above the pivot
    if (!over) {
      above += higher;
      if (above + equal >= wanted || lowerCount === 0) break;
      above += equal;
    }
    const pivot = edge;
    let left = 0;
    for (let i = 0; i < count; i++) {
      const weight = open[i]!;
      if (over ? weight > pivot : weight < pivot) open[left++] = weight;
    }
    count = left;
  }
  const { ids, weights } = kept;
  let left = 0, total = above;
  for (let i = 0; i < ids.length; i++) {
    const weight = weights[i]!;
    if (weight < edge) continue;
    if (weight === edge) { // of those at the edge, as many as are needed
      if (total > 0 && total >= wanted) continue;
      total += weight;
    }
    ids[left] = ids[i]!;
    weights[left++] = weight;
  }
  return { ids: ids.subarray(0, left), weights: weights.subarray(0, left), total };
}

/** Median of three among the first `count`: a pivot that is one of the values. */
function middle(values: Float64Array, count: number): number {
  const a = values[0]!, b = values[count >> 1]!, c = values[count - 1]!;
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Those of at least the share `minP` of the highest weight, which is 1. */
function likelyEnough({ ids, weights }: Kept, minP: number): Kept {
  let left = 0, total = 0;
  for (let i = 0; i < ids.length; i++) {
    const weight = weights[i]!;
    if (weight < minP) continue;
    ids[left] = ids[i]!;
    weights[left++] = weight;
    total += weight;
  }
  return { ids: ids.subarray(0, left), weights: weights.subarray(0, left), total };
}
