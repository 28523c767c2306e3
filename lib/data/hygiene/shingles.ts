/**
 * Documents as sets of word shingles, and sketches of such sets by which like
 * ones are found without comparing all with all: A. Broder, "On the resemblance
 * and containment of documents" (1997), and winnowing (Schleimer, Wilkerson,
 * Aiken 2003) for the passages that documents share. Shingles are kept as 53-bit
 * hashes: two of four million different ones are alike once in a thousand
 * times. In scripts without spaces between words each character counts as one.
 */
import { Random } from "../../core/random";

/** Words of a shingle. */
export const SHINGLE_WORDS = 4;
/** Numbers of a signature: resemblance is estimated with a standard error of √(r(1 − r)/128), at most 4.4 points. */
export const PERMUTATIONS = 128;
/** Shingles of which one is kept, so that any 16 words in common are found. */
export const WINDOW = 13;

const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;

export interface Shingles {
  /** In the order of the text; where there are fewer words than make a shingle, one of all of them. */
  keys: Float64Array;
  words: number;
  /** Where each word begins and ends (characters), where asked for. */
  starts: number[];
  ends: number[];
}

/** The shingles of a text, without regard to case, punctuation and spaces. @param places whether to note where its words are */
export function shinglesOf(text: string, places = false): Shingles {
  const folded = text.replace(/İ/g, "I").toLowerCase(); // the one letter whose small form is longer, so that places stay
  const first: number[] = [], second: number[] = [], starts: number[] = [], ends: number[] = [];
  WORD.lastIndex = 0;
  for (let match = WORD.exec(folded); match !== null; match = WORD.exec(folded)) {
    const from = match.index, to = from + match[0].length;
    let a = 0x811c9dc5, b = 0x9e3779b9;
    for (let i = from; i < to; i++) {
      let code = folded.charCodeAt(i);
      if (code === 0x2019) code = 0x27;
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul((b ^ code) + 0x7f4a7c15, 0x85ebca6b);
      b ^= b >>> 13;
    }
    first.push(a);
    second.push(b);
    if (places) {
      starts.push(from);
      ends.push(to);
    }
  }
  const words = first.length;
  const size = Math.min(words, SHINGLE_WORDS);
  const keys = new Float64Array(words === 0 ? 0 : words - size + 1);
  for (let i = 0; i < keys.length; i++) {
    let a = size, b = size;
    for (let j = i; j < i + size; j++) {
      a = mix(Math.imul(a, 31) + (first[j] as number));
      b = mix(Math.imul(b, 37) + (second[j] as number));
    }
    keys[i] = (a >>> 0) * 2 ** 21 + (b >>> 11);
  }
  return { keys, words, starts, ends };
}

/** Scatters 32 bits (C. Wellons' lowbias32). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) | 0;
}

/** Different keys, in ascending order. */
export function setOf(keys: Float64Array): Float64Array {
  const sorted = keys.slice().sort();
  let n = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[n++] = sorted[i] as number;
  return sorted.slice(0, n);
}

/** Whether a set in ascending order has a key. */
export function has(set: Float64Array, key: number): boolean {
  let low = 0, high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1, value = set[middle] as number;
    if (value === key) return true;
    if (value < key) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** How many keys two sets have in common; takes as long as the smaller is large. */
export function inCommon(a: Float64Array, b: Float64Array): number {
  const [small, large] = a.length <= b.length ? [a, b] : [b, a];
  let n = 0;
  for (const key of small) if (has(large, key)) n++;
  return n;
}

/** Makes signatures: of each of 128 seeded orders of all shingles the least that a set has. Two sets' signatures agree in as many places as the sets resemble each other. */
export function signer(seed: number | string): (set: Float64Array) => Uint32Array {
  const random = new Random(`minhash/${seed}`);
  const masks = Int32Array.from({ length: PERMUTATIONS }, () => random.uint32() | 0);
  const factors = Int32Array.from({ length: PERMUTATIONS }, () => random.uint32() | 1);
  return (set) => {
    const least = new Uint32Array(PERMUTATIONS).fill(0xffffffff);
    for (const key of set) {
      const x = mix(fold(key));
      for (let i = 0; i < PERMUTATIONS; i++) {
        let h = Math.imul(x ^ (masks[i] as number), factors[i] as number);
        h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
        h = (h ^ (h >>> 16)) >>> 0;
        if (h < (least[i] as number)) least[i] = h;
      }
    }
    return least;
  };
}

/** 53 bits to 32. */
const fold = (key: number): number => (key % 4294967296 | 0) ^ Math.imul(Math.floor(key / 4294967296), 0x9e3779b1);

/** The estimate of two sets' resemblance. */
export function agreement(a: Uint32Array, b: Uint32Array): number {
  let n = 0;
  for (let i = 0; i < PERMUTATIONS; i++) if (a[i] === b[i]) n++;
  return n / PERMUTATIONS;
}

/**
 * The different fingerprints of a text by (robust) winnowing: the least shingle
 * of every 13 in a row, so that two texts with 16 words in common share one.
 */
export function fingerprints(keys: Float64Array): Set<number> {
  const chosen = new Set<number>();
  const hashes = Int32Array.from(keys, (key) => mix(fold(key)));
  const queue = new Int32Array(hashes.length); // places whose hashes ascend
  let head = 0, tail = 0;
  for (let i = 0; i < hashes.length; i++) {
    // of equal ones the earlier stays, so that a repeated word gives few
    while (tail > head && (hashes[queue[tail - 1] as number] as number) > (hashes[i] as number)) tail--;
    queue[tail++] = i;
    if ((queue[head] as number) <= i - WINDOW) head++;
    if (i >= WINDOW - 1 || i === hashes.length - 1) chosen.add(keys[queue[head] as number] as number);
  }
  return chosen;
}
