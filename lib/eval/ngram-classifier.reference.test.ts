/** Against scikit-learn's TfidfVectorizer and LogisticRegression, and its roc_auc_score. */
import { expect, it } from "vitest";
import { referenceJson } from "../train/testing/reference";
import { rocAuc } from "./auc";
import { NgramClassifier } from "./ngram-classifier";

interface Reference {
  train: [author: string, text: string][];
  test: [author: string, text: string][];
  cases: { authors: string[]; features: number; columns: number; balanced: boolean; classes: string[]; probabilities: number[][]; aucs: number[] }[];
}

const { train, test, cases } = referenceJson("style/ngram-classifier.json") as Reference;

it.each(cases)("gives scikit-learn's probabilities: $authors, up to $features n-grams, balanced $balanced", ({ authors, features, columns, balanced, classes, probabilities, aucs }) => {
  const own = train.filter(([author]) => authors.includes(author));
  const classifier = NgramClassifier.fit(own.map(([, text]) => text), own.map(([author]) => author), { maxFeatures: features, balanced });
  expect(classifier.model.classes).toEqual(classes);
  expect(classifier.model.ngrams).toHaveLength(columns);
  const ours = test.map(([, text]) => classifier.probabilities(text));
  ours.forEach((row, i) => row.forEach((value, k) => expect(Math.abs(value - probabilities[i]![k]!)).toBeLessThan(1e-4)));
  classes.forEach((name, k) => {
    const scores = (is: boolean) => test.flatMap(([author], i) => (authors.includes(author) && (author === name) === is ? [ours[i]![k]!] : []));
    expect(Math.abs(rocAuc(scores(true), scores(false)) - aucs[k]!)).toBeLessThan(1e-6);
  });
});
