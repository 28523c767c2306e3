/**
 * Distinct-n: different n-grams over all n-grams, of all texts together (J. Li
 * et al., "A diversity-promoting objective function for neural conversation
 * models", 2016; there the divisor is the number of words). It falls with the
 * amount of text: compare equal amounts only.
 */

/** @param texts their words, or tokens. @returns a share, NaN where no text has n words */
export function distinct(texts: readonly (readonly (string | number)[])[], n: number): number {
  const seen = new Set<string>();
  let all = 0;
  for (const text of texts) {
    for (let i = 0; i + n <= text.length; i++, all++) seen.add(text.slice(i, i + n).join("\u0000"));
  }
  return seen.size / all;
}

/** Each pair cut to the shorter of the two, so that the amounts of text are equal. */
export function equalAmounts<T>(ones: readonly (readonly T[])[], others: readonly (readonly T[])[]): [T[][], T[][]] {
  const lengths = ones.map((one, i) => Math.min(one.length, others[i]?.length ?? 0));
  const cut = (texts: readonly (readonly T[])[]) => lengths.map((length, i) => (texts[i] ?? []).slice(0, length));
  return [cut(ones), cut(others)];
}
