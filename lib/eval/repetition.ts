/**
 * How much texts repeat themselves. Within a text: the share of its n-grams that
 * it has written before (seq-rep-n of S. Welleck et al., "Neural text generation
 * with unlikelihood training", 2020). Among texts: Self-BLEU (Y. Zhu et al.,
 * "Texygen", 2018), the mean BLEU-4 (K. Papineni et al., 2002) of each text
 * against all others, n-grams without a match counted as a tenth of one (method
 * 1 of B. Chen and C. Cherry, 2014), as in Texygen and NLTK. Both rise with the
 * amount of text: compare equal amounts only.
 */

/** n-grams whose repetition within a text is measured. */
export const REPEATED_ORDERS = [1, 2, 3, 4, 8] as const;
const BLEU_ORDER = 4, SMOOTHING = 0.1;

/** n-grams of a text that stand earlier in it, and all. */
export function repeated(words: readonly string[], n: number): { repeated: number; all: number } {
  const all = Math.max(0, words.length - n + 1);
  const seen = new Set<string>();
  for (let i = 0; i < all; i++) seen.add(keyOf(words, i, n));
  return { repeated: all - seen.size, all };
}

const keyOf = (words: readonly string[], at: number, n: number): string => words.slice(at, at + n).join("\u0000");

/** @param texts their words. @returns 0 to 1, NaN where there are not two texts with words */
export function selfBleu(texts: readonly (readonly string[])[]): number {
  const scores = selfBleuScores(texts.filter(({ length }) => length > 0));
  return scores.length < 2 ? NaN : scores.reduce((a, b) => a + b, 0) / scores.length;
}

/** BLEU-4 of each text with all others as references. */
export function selfBleuScores(texts: readonly (readonly string[])[]): number[] {
  const counts = texts.map((words) => countNgrams(words));
  const most = new Map<string, Most>();
  counts.forEach((own, text) => own.forEach((count, key) => {
    const known = most.get(key);
    if (known === undefined) most.set(key, { text, count, otherwise: 0 });
    else if (count > known.count) most.set(key, { text, count, otherwise: known.count });
    else known.otherwise = Math.max(known.otherwise, count);
  }));
  return texts.map((words, text) => {
    const matches = new Array<number>(BLEU_ORDER + 1).fill(0);
    counts[text]!.forEach((count, key) => {
      const known = most.get(key)!;
      matches[orderOf(key)]! += Math.min(count, known.text === text ? known.otherwise : known.count);
    });
    if (matches[1] === 0) return 0;
    let logSum = 0;
    for (let n = 1; n <= BLEU_ORDER; n++) logSum += Math.log((matches[n] === 0 ? SMOOTHING : matches[n]!) / Math.max(1, words.length - n + 1));
    return brevity(words.length, texts.flatMap(({ length }, i) => (i === text ? [] : [length]))) * Math.exp(logSum / BLEU_ORDER);
  });
}

/** How often an n-gram stands in the text that has it most often, and the most in any other. */
interface Most {
  text: number;
  count: number;
  otherwise: number;
}

/** All of one to four words; a key says how many by its first character. */
function countNgrams(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (let n = 1; n <= BLEU_ORDER; n++) {
    for (let i = 0; i + n <= words.length; i++) {
      const key = `${n}${keyOf(words, i, n)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

const orderOf = (key: string): number => key.charCodeAt(0) - 48;

/** By the reference whose length is nearest, the shorter of two. */
function brevity(length: number, references: readonly number[]): number {
  const nearest = references.reduce((best, one) => (Math.abs(one - length) - Math.abs(best - length) || one - best) < 0 ? one : best);
  return length > nearest ? 1 : Math.exp(1 - nearest / length);
}
