import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { rocAuc } from "./auc";
import { fitTfidf, TfidfVectorizer } from "./char-tfidf";
import { minimize } from "./lbfgs";
import { NgramClassifier } from "./ngram-classifier";

const TEXTS = ["so it was, and so it went on", "so we went", "We shan’t! We shan’t!", "shan’t we? we shall 🙂"];
const LABELS = ["b", "b", "a", "a"];

describe("NgramClassifier", () => {
  const classifier = NgramClassifier.fit(TEXTS, LABELS);

  it("knows what it was shown, and gives probabilities", () => {
    expect(TEXTS.map((text) => classifier.classify(text))).toEqual(LABELS);
    for (const text of [...TEXTS, "", "q"]) expect(classifier.probabilities(text).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });

  it("is the same after it has been kept, and refuses what is not whole", () => {
    const kept = structuredClone(classifier.model);
    expect(NgramClassifier.open(kept).probabilities("so shan’t")).toEqual(classifier.probabilities("so shan’t"));
    for (const damaged of [null, { ...kept, idf: kept.idf.slice(1) }, { ...kept, classes: ["a", "b", "c"] }, { ...kept, weights: kept.weights.map(() => NaN) }]) {
      expect(() => NgramClassifier.open(damaged)).toThrow(expect.objectContaining({ code: "model/damaged-classifier" }) as Error);
    }
  });

  it("refuses one class, and nothing to go by", () => {
    expect(() => NgramClassifier.fit(["ab"], ["a"])).toThrow(RangeError);
    expect(() => NgramClassifier.fit(["a", ""], ["a", "b"])).toThrow(RangeError);
  });

  it("learns nothing where labels are dealt at random: as good as chance on other texts", () => {
    const random = new Random("classifier");
    const text = () => Array.from({ length: 30 }, () => ["ba", "do", "ka", "li", "mu"][random.int(5)]!).join("");
    const labels = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? "x" : "y"));
    const chance = NgramClassifier.fit(labels.map(text), labels);
    const scores = () => Array.from({ length: 300 }, () => chance.probabilities(text())[1]!);
    expect(Math.abs(rocAuc(scores(), scores()) - 0.5)).toBeLessThan(0.08);
  });
});

describe("TF-IDF", () => {
  it("counts in code points, two to four, with white space as one space", () => {
    const { ngrams, idf } = fitTfidf(["a🙂 \n b", "a🙂"]);
    expect(ngrams).toEqual(["a🙂", " b", "a🙂 ", "a🙂 b", "🙂 ", "🙂 b"]);
    expect([...idf]).toEqual([1, ...Array<number>(5).fill(Math.log(3 / 2) + 1)]);
  });

  it("makes rows of length 1 that weigh repetition by its logarithm", () => {
    const { columns, values } = new TfidfVectorizer({ ngrams: ["ab", "cd"], idf: Float64Array.of(1, 2) }).row("abab cd");
    const [ab, cd] = [1 + Math.log(2), 2];
    expect([...columns]).toEqual([0, 1]);
    expect(values[0]).toBeCloseTo(ab / Math.hypot(ab, cd), 6);
    expect(values[1]).toBeCloseTo(cd / Math.hypot(ab, cd), 6);
  });

  it("gives the same row again after other texts", () => {
    const vectorizer = new TfidfVectorizer(fitTfidf(TEXTS));
    const before = TEXTS.map((text) => vectorizer.row(text));
    expect(TEXTS.map((text) => vectorizer.row(text))).toEqual(before);
    expect(vectorizer.row("")).toEqual({ columns: new Int32Array(0), values: new Float32Array(0) });
  });

  it("keeps the most frequent n-grams", () => {
    expect(fitTfidf(["abababab", "xy"], 2).ngrams).toEqual(["ab", "aba"]);
  });
});

it("rocAuc counts pairs, equal ones half", () => {
  const random = new Random("auc");
  const draw = (count: number) => Array.from({ length: count }, () => random.int(6));
  const positives = draw(40), negatives = draw(30);
  const byHand = positives.flatMap((p) => negatives.map((n): number => (p > n ? 1 : p === n ? 0.5 : 0))).reduce((a, b) => a + b) / 1200;
  expect(rocAuc(positives, negatives)).toBeCloseTo(byHand, 12);
  expect(rocAuc([], [1])).toBeNaN();
});

describe("minimize", () => {
  it("finds the minimum of a badly scaled function", () => {
    const scales = [1, 10, 1000, 1e5];
    const x = new Float64Array(4);
    const result = minimize((at, gradient) => {
      scales.forEach((scale, i) => (gradient[i] = scale * (at[i]! - i) + (at[i]! - i) ** 3));
      return scales.reduce((sum, scale, i) => sum + (scale * (at[i]! - i) ** 2) / 2 + (at[i]! - i) ** 4 / 4, 0);
    }, x, { gradientTolerance: 1e-8, maxIterations: 200 });
    expect(result.converged).toBe(true);
    expect([...x].map((value) => Number(value.toFixed(6)))).toEqual([0, 1, 2, 3]);
  });

  it("says when it was cut", () => {
    const square = (x: Float64Array, gradient: Float64Array) => (gradient[0] = 2 * x[0]!, x[0]! ** 2);
    expect(minimize(square, Float64Array.of(5), { gradientTolerance: 0, maxIterations: 0 })).toEqual({ value: 25, iterations: 0, converged: false });
  });
});
