/**
 * Area under the ROC curve: the share of pairs of a positive and a negative in
 * which the positive has the higher score, equal scores counting half (the
 * Mann–Whitney statistic; J. Hanley and B. McNeil, 1982).
 */

/** @returns 0 to 1; NaN where a side is empty */
export function rocAuc(positives: readonly number[], negatives: readonly number[]): number {
  const all = [...positives.map((score) => ({ score, positive: true })), ...negatives.map((score) => ({ score, positive: false }))].sort((a, b) => a.score - b.score);
  let ranks = 0;
  for (let from = 0, to = 0; from < all.length; from = to) {
    while (to < all.length && all[to]!.score === all[from]!.score) to++;
    ranks += ((from + 1 + to) / 2) * all.slice(from, to).filter(({ positive }) => positive).length;
  }
  return (ranks - (positives.length * (positives.length + 1)) / 2) / (positives.length * negatives.length);
}
