/**
 * The different n-grams of a corpus of tokens, sorted, with their counts: of the
 * highest order how often each occurs, below it how many different tokens stand
 * before each (Kneser and Ney's continuation counts). An n-gram is the place
 * where it stands once, so that tens of millions fit into memory, whatever the
 * order and the vocabulary; places are sorted by their tokens, one radix pass
 * each, last token first. It makes no probabilities of them.
 */

/** Tokens of documents, each ended by `endId` (which stands nowhere else). */
export type TokenFile = Uint16Array | Uint32Array;

/** Different n-grams of one order in the order of their tokens. */
export interface NgramTable {
  order: number;
  /** Where each begins in {@link NgramCounts.tokens}, [count]. */
  places: Uint32Array;
  /** Counts of those before each, [count + 1]: the i-th's own is cumulative[i + 1] − cumulative[i]. */
  cumulative: Uint32Array;
}

export interface NgramCounts {
  order: number;
  /** Each document as `order` − 1 times the end token, its tokens, and the end token. */
  tokens: TokenFile;
  endId: number;
  /** Of orders 2 to `order`, at their order; none below. */
  tables: (NgramTable | undefined)[];
  /** How many different tokens stand before each token, [highest token + 1]. */
  continuations: Uint32Array;
}

/** @throws RangeError where the last document has no end, there is none, or `order` is below 2 */
export function countNgrams(documents: TokenFile, endId: number, order: number): NgramCounts {
  if (!Number.isInteger(order) || order < 2) throw new RangeError("An order is a whole number from 2 up.");
  if (documents.length === 0 || documents[documents.length - 1] !== endId) throw new RangeError("The last document has no end.");
  const tokens = padded(documents, endId, order);
  let highest = 0;
  for (const token of tokens) if (token > highest) highest = token;
  const buckets = new Uint32Array(highest + 2);
  const sorter = new Sorter(tokens, buckets, documents.length);

  // One n-gram of the highest order ends at every token that is not padding.
  const tables: (NgramTable | undefined)[] = [];
  let places: Uint32Array = new Uint32Array(documents.length);
  for (let i = 0, at = 0; i < documents.length; i++) {
    places[i] = at++;
    if (documents[i] === endId) at += order - 1;
  }
  for (let n = order; n >= 2; n--) {
    places = sorter.sort(places, n);
    const table = group(tokens, places, n, n < order);
    tables[n] = table;
    // Each n-gram gives one token before the shorter one that it ends in. Nothing stands before the very beginning: it is there all the same, uncounted.
    places = new Uint32Array(table.places.length + 1);
    for (let i = 0; i < table.places.length; i++) places[i + 1] = table.places[i]! + 1;
  }
  const continuations = new Uint32Array(buckets.length - 1);
  for (let i = 1; i < places.length; i++) continuations[tokens[places[i]!]!]!++;
  return { order, tokens, endId, tables, continuations };
}

function padded(documents: TokenFile, endId: number, order: number): TokenFile {
  let count = 0;
  for (const token of documents) if (token === endId) count++;
  const tokens = new (documents instanceof Uint16Array ? Uint16Array : Uint32Array)(documents.length + count * (order - 1)).fill(endId);
  for (let from = 0, at = order - 1; from < documents.length; ) {
    const to = documents.indexOf(endId, from) + 1;
    tokens.set(documents.subarray(from, to), at);
    at += to - from + order - 1;
    from = to;
  }
  return tokens;
}

/** Sorts places by the tokens that follow them; its scratch memory serves for all orders. */
class Sorter {
  private readonly scratch: Uint32Array;
  private readonly keys: TokenFile;

  constructor(private readonly tokens: TokenFile, private readonly buckets: Uint32Array, most: number) {
    this.scratch = new Uint32Array(most + 1);
    this.keys = new (tokens instanceof Uint16Array ? Uint16Array : Uint32Array)(most + 1);
  }

  /** In place or in a copy of the same length; stable. */
  sort(places: Uint32Array, length: number): Uint32Array {
    const { tokens, buckets, keys } = this;
    let from = places, to = this.scratch.subarray(0, places.length);
    for (let offset = length - 1; offset >= 0; offset--) {
      buckets.fill(0);
      for (let i = 0; i < from.length; i++) {
        const key = tokens[from[i]! + offset]!;
        keys[i] = key;
        buckets[key + 1]!++;
      }
      for (let b = 1; b < buckets.length; b++) buckets[b]! += buckets[b - 1]!;
      for (let i = 0; i < from.length; i++) to[buckets[keys[i]!]!++] = from[i]!;
      [from, to] = [to, from];
    }
    if (from !== places) places.set(from);
    return places;
  }
}

/** @param open whether place 0 is there to be listed without being counted */
function group(tokens: TokenFile, places: Uint32Array, length: number, open: boolean): NgramTable {
  const same = (a: number, b: number): boolean => {
    for (let k = length - 1; k >= 0; k--) if (tokens[a + k] !== tokens[b + k]) return false;
    return true;
  };
  let count = 0;
  const cumulative = new Uint32Array(places.length + 1);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if (count === 0 || !same(place, places[count - 1]!)) {
      places[count++] = place;
      cumulative[count] = cumulative[count - 1]!;
    }
    if (!(open && place === 0)) cumulative[count]!++;
  }
  return { order: length, places: places.slice(0, count), cumulative: cumulative.slice(0, count + 1) };
}
