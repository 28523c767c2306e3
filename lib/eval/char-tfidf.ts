/**
 * Texts as sparse vectors of their character n-grams: what scikit-learn's
 * TfidfVectorizer(analyzer="char", ngram_range=(2, 4), sublinear_tf=True,
 * lowercase=False, max_features=…) makes of them (F. Pedregosa et al., 2011; its
 * user guide's terms). Case is kept, runs of white space count as one space, the
 * most frequent n-grams by their number of occurrences are features, term
 * frequency is 1 + ln(count), the inverse document frequency is smoothed, and a
 * row has length 1. Where occurrences are equal at the limit, scikit-learn keeps
 * whichever its sort leaves there; here the first by code points stay.
 */
import { NgramTrie, walkNgrams } from "./ngram-trie";

/** A text: its features in ascending order, and their weights. */
export interface SparseRow {
  columns: Int32Array;
  values: Float32Array;
}

export interface TfidfModel {
  /** Features, the most frequent first: what is used together stands together in memory. */
  ngrams: string[];
  /** [features] */
  idf: Float64Array<ArrayBuffer>;
}

const LOW = 2, HIGH = 4;
/** scikit-learn's default for neither; enough for eight authors, and 4 MB of weights a class. */
export const MAX_FEATURES = 60_000;

/** What Python's \s takes for white space: not quite what JavaScript's does. */
const WHITE_SPACE_RUN = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{2,}/g;

function codePoints(text: string): Uint32Array {
  const normal = text.replace(WHITE_SPACE_RUN, " ");
  const points = new Uint32Array(normal.length);
  let count = 0;
  for (let i = 0; i < normal.length; i++) {
    const point = normal.codePointAt(i)!;
    points[count++] = point;
    if (point > 0xffff) i++;
  }
  return points.subarray(0, count);
}

/** Chooses the features and weighs them. @throws RangeError where no text has two characters */
export function fitTfidf(texts: readonly string[], maxFeatures = MAX_FEATURES): TfidfModel {
  const trie = new NgramTrie();
  /** By node: occurrences, texts it is in, the last of them. */
  const occurrences: number[] = [], documents: number[] = [], last: number[] = [];
  texts.forEach((text, document) => walkNgrams(trie, codePoints(text), LOW, HIGH, true, (node) => {
    while (occurrences.length <= node) {
      occurrences.push(0);
      documents.push(0);
      last.push(-1);
    }
    occurrences[node]!++;
    if (last[node] === document) return;
    last[node] = document;
    documents[node]!++;
  }));
  const nodes = [...occurrences.keys()].filter((node) => occurrences[node]! > 0);
  if (nodes.length === 0) throw new RangeError("There are no n-grams to tell texts apart by.");
  nodes.sort((a, b) => occurrences[b]! - occurrences[a]!);
  // Strings are made of those alone that may be kept: all at the limit's number of occurrences take part.
  const least = occurrences[nodes[Math.min(maxFeatures, nodes.length) - 1]!]!;
  const named = nodes.filter((node) => occurrences[node]! >= least).map((node) => ({ node, ngram: trie.textOf(node) }));
  named.sort((a, b) => occurrences[b.node]! - occurrences[a.node]! || byCodePoints(a.ngram, b.ngram));
  const kept = named.slice(0, maxFeatures);
  return { ngrams: kept.map(({ ngram }) => ngram), idf: Float64Array.from(kept, ({ node }) => Math.log((1 + texts.length) / (1 + documents[node]!)) + 1) };
}

function byCodePoints(a: string, b: string): number {
  const [ones, others] = [[...a], [...b]];
  for (let i = 0; i < ones.length && i < others.length; i++) {
    const difference = ones[i]!.codePointAt(0)! - others[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return ones.length - others.length;
}

export class TfidfVectorizer {
  private readonly trie = new NgramTrie();
  /** By node; −1: not a feature but a part of one. */
  private readonly featureOf: Int32Array;
  private readonly counts: Int32Array;

  constructor(private readonly model: TfidfModel) {
    const nodes = model.ngrams.map((ngram) => this.trie.addText(ngram));
    this.featureOf = new Int32Array(this.trie.size).fill(-1);
    nodes.forEach((node, feature) => (this.featureOf[node] = feature));
    this.counts = new Int32Array(nodes.length);
  }

  /** The row of a text; empty where it has none of the features. */
  row(text: string): SparseRow {
    const { counts, featureOf } = this;
    const found: number[] = [];
    walkNgrams(this.trie, codePoints(text), LOW, HIGH, false, (node) => {
      const feature = featureOf[node]!;
      if (feature >= 0 && counts[feature]!++ === 0) found.push(feature);
    });
    const columns = Int32Array.from(found).sort();
    const weights = Float64Array.from(columns, (feature) => (1 + Math.log(counts[feature]!)) * this.model.idf[feature]!);
    const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
    for (const feature of columns) counts[feature] = 0;
    return { columns, values: Float32Array.from(weights, (weight) => weight / length) };
  }
}
