/** An interpolated Kneser–Ney 5-gram over the model's own tokens: the peer that learned from the same training part. */
import { countNgrams } from "../../../lib/eval/ngram-counts";
import { KneserNey } from "../../../lib/eval/kneser-ney";
import type { HeldDocument } from "./windows";

export const ORDER = 5;
/** All are tried, and the one that suits the held-out text best is taken: the peer is not to be weak for want of a setting. */
export const DISCOUNTS: readonly number[] = [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98];

export interface NgramResult {
  discount: number;
  /** Of each document, with its end. */
  bits: number[];
  /** Tokens that never occurred in training, which cost nothing here: the peer has no probability for them. */
  unseen: number;
}

/** @param tokens of the training part, documents ended by `endId` */
export function codeWithNgrams(tokens: Uint16Array, endId: number, documents: readonly Pick<HeldDocument, "ids">[]): NgramResult {
  const model = new KneserNey(countNgrams(tokens, endId, ORDER));
  let unseen = 0;
  const bits = documents.map(({ ids }) => {
    const logProbs = model.logProbs(ids, DISCOUNTS);
    unseen += logProbs[0]!.filter((value) => value === -Infinity).length;
    return logProbs.map((values) => values.reduce((sum, value) => (value === -Infinity ? sum : sum - value), 0) / Math.LN2);
  });
  const totals = DISCOUNTS.map((_, d) => bits.reduce((sum, one) => sum + one[d]!, 0));
  const best = totals.indexOf(Math.min(...totals));
  return { discount: DISCOUNTS[best]!, bits: bits.map((one) => one[best]!), unseen };
}
