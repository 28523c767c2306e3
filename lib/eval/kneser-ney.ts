/**
 * Interpolated Kneser–Ney with one absolute discount for all orders, by the
 * formulas of NLTK's KneserNeyInterpolated: R. Kneser and H. Ney, "Improved
 * backing-off for m-gram language modeling" (1995), interpolated as by S. Chen
 * and J. Goodman (1998). As there, a lower order's weight is taken from the
 * different tokens that follow its context, continuation or not, and the order
 * of one token is not smoothed: a token that never followed anything has no
 * probability. What a document begins with and ends in is the end token.
 */
import type { NgramCounts, NgramTable } from "./ngram-counts";

export class KneserNey {
  private readonly continuationTotal: number;

  constructor(private readonly counts: NgramCounts) {
    this.continuationTotal = counts.continuations.reduce((a, b) => a + b, 0);
  }

  /**
   * Natural logarithms of the probabilities of a document's tokens, at last of
   * its end: for each discount [tokens + 1]. −Infinity where a token was never seen.
   *
   * @param discounts between 0 and 1
   */
  logProbs(document: ArrayLike<number>, discounts: readonly number[]): Float64Array[] {
    const { order, endId, continuations, tables } = this.counts;
    const pad = order - 1;
    const text = new Uint32Array(pad + document.length + 1).fill(endId);
    text.set(document, pad);
    const results = discounts.map(() => new Float64Array(document.length + 1));
    const p = new Float64Array(discounts.length);
    for (let t = pad; t < text.length; t++) {
      p.fill((continuations[text[t]!] ?? 0) / this.continuationTotal);
      for (let n = 2; n <= order; n++) {
        const found = this.find(tables[n]!, text, t - n + 1);
        if (found === null) break; // nor has any longer context been seen
        const { count, total, types } = found;
        discounts.forEach((discount, d) => (p[d] = Math.max(count - discount, 0) / total + ((discount * types) / total) * p[d]!));
      }
      results.forEach((result, d) => (result[t - pad] = Math.log(p[d]!)));
    }
    return results;
  }

  /** Of the n-gram at `at`: its count, that of all with its context, and how many those are; null where the context was not seen. */
  private find({ order, places, cumulative }: NgramTable, text: Uint32Array, at: number): { count: number; total: number; types: number } | null {
    const low = this.bound(places, text, at, order - 1, false, 0, places.length);
    const high = this.bound(places, text, at, order - 1, true, low, places.length);
    if (high === low) return null;
    const i = this.bound(places, text, at, order, false, low, high);
    const there = i < high && this.compare(places[i]!, text, at, order) === 0;
    return { count: there ? cumulative[i + 1]! - cumulative[i]! : 0, total: cumulative[high]! - cumulative[low]!, types: high - low };
  }

  /** The first n-gram of a table whose first `length` tokens are not below those of the text, or with `after`, are above them. */
  private bound(places: Uint32Array, text: Uint32Array, at: number, length: number, after: boolean, low: number, high: number): number {
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.compare(places[middle]!, text, at, length);
      if (order < 0 || (after && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compare(place: number, text: Uint32Array, at: number, length: number): number {
    const { tokens } = this.counts;
    for (let k = 0; k < length; k++) {
      const difference = tokens[place + k]! - text[at + k]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
