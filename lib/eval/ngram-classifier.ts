/**
 * Whose writing a text resembles, by its character n-grams: TF-IDF and logistic
 * regression (char-tfidf.ts, logistic.ts), the method that M. Tyo, B. Dhingra
 * and Z. Lipton ("On the state of the art in authorship attribution and
 * authorship verification", 2022) found ahead of language models in most sets of
 * attribution. No training step ever sees it. What it gives are likenesses among
 * the classes it was shown, not proofs of who wrote a text.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { fitTfidf, MAX_FEATURES, TfidfVectorizer, type SparseRow } from "./char-tfidf";
import { fitLogistic, predictLogistic, type LogisticModel } from "./logistic";

/** As it is kept: plain data that IndexedDB and messages take. */
const modelSchema = z
  .strictObject({
    version: z.literal(1),
    /** At least two, in the order of their code units. */
    classes: z.array(z.string()).min(2),
    ngrams: z.array(z.string().min(1)).min(1),
    /** [ngrams] */
    idf: z.instanceof(Float64Array),
    /** [ngrams, 1 for two classes, else classes] */
    weights: z.instanceof(Float64Array),
    intercepts: z.instanceof(Float64Array),
  })
  .refine(({ classes, ngrams, idf, weights, intercepts }) => {
    const columns = classes.length === 2 ? 1 : classes.length;
    return idf.length === ngrams.length && intercepts.length === columns && weights.length === ngrams.length * columns && [idf, weights, intercepts].every((values) => values.every(Number.isFinite));
  });
export type NgramClassifierModel = z.infer<typeof modelSchema>;

export interface NgramClassifierOptions {
  /** Default 60,000. */
  maxFeatures?: number;
  /** The inverse of the penalty's strength. Default 10. */
  c?: number;
  /** Counts every class as much as any other, however many texts it has (scikit-learn's class_weight="balanced"). Default false. */
  balanced?: boolean;
}

export class NgramClassifier {
  private readonly vectorizer: TfidfVectorizer;
  private readonly logistic: LogisticModel;

  private constructor(readonly model: NgramClassifierModel) {
    this.vectorizer = new TfidfVectorizer(model);
    this.logistic = { columns: model.intercepts.length, weights: model.weights, intercepts: model.intercepts };
  }

  /**
   * @param labels of the texts
   * @throws RangeError where there are fewer than two classes, or nothing to tell them apart by
   */
  static fit(texts: readonly string[], labels: readonly string[], { maxFeatures = MAX_FEATURES, c = 10, balanced = false }: NgramClassifierOptions = {}): NgramClassifier {
    const classes = [...new Set(labels)].sort();
    if (classes.length < 2 || texts.length !== labels.length) throw new RangeError("A classifier needs texts of two classes and a label for each.");
    const tfidf = fitTfidf(texts, maxFeatures);
    const vectorizer = new TfidfVectorizer(tfidf);
    const rows = texts.map((text): SparseRow => vectorizer.row(text));
    const numbers = labels.map((label) => classes.indexOf(label));
    const sizes = classes.map((_, k) => numbers.filter((number) => number === k).length);
    const rowWeights = numbers.map((number) => (balanced ? texts.length / (classes.length * sizes[number]!) : 1));
    const { weights, intercepts } = fitLogistic(rows, numbers, classes.length, tfidf.ngrams.length, { c, rowWeights });
    return new NgramClassifier({ version: 1, classes, ...tfidf, weights, intercepts });
  }

  /** From what {@link model} was kept as. @throws DuctusError `model/damaged-classifier` */
  static open(value: unknown): NgramClassifier {
    const { success, data, error } = modelSchema.safeParse(value);
    if (!success) throw new DuctusError("model/damaged-classifier", "What was learned about the style of this writing is stored incompletely.", "Have it learned again.", { details: z.prettifyError(error) });
    return new NgramClassifier(data);
  }

  /** Of each class in the order of `model.classes`, together 1. */
  probabilities(text: string): Float64Array {
    return predictLogistic(this.logistic, this.vectorizer.row(text));
  }

  /** The class that the text resembles most. */
  classify(text: string): string {
    const probabilities = this.probabilities(text);
    return this.model.classes[probabilities.indexOf(Math.max(...probabilities))]!;
  }
}
