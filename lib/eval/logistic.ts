/**
 * Logistic regression on sparse rows, as scikit-learn's LogisticRegression(C=…,
 * solver="lbfgs"): the sum of the rows' log loss plus half the squared weights
 * over C, intercepts not counted. Two classes have one column of weights, more
 * have one each (multinomial). The optimum is unique, so it does not matter whose
 * L-BFGS finds it.
 */
import type { SparseRow } from "./char-tfidf";
import { minimize } from "./lbfgs";

export interface LogisticModel {
  /** Of the classes' scores: 1 for two classes, else one a class. */
  columns: number;
  /** [features, columns] */
  weights: Float64Array<ArrayBuffer>;
  /** [columns] */
  intercepts: Float64Array<ArrayBuffer>;
}

export interface LogisticOptions {
  /** The inverse of the penalty's strength. Default 10. */
  c?: number;
  /** Of each row. Default 1. */
  rowWeights?: ArrayLike<number>;
}

/** Of the mean loss. */
const GRADIENT_TOLERANCE = 1e-6;
const MAX_ITERATIONS = 1000;
/** Columns of weights that are worked on together; rows of weights are padded to whole blocks. */
const BLOCK = 4;

/**
 * @param labels of the rows, 0 to `classes` − 1
 * @param features columns of the rows
 */
export function fitLogistic(rows: readonly SparseRow[], labels: ArrayLike<number>, classes: number, features: number, { c = 10, rowWeights }: LogisticOptions = {}): LogisticModel & { iterations: number; converged: boolean } {
  const columns = classes === 2 ? 1 : classes;
  const stride = columns === 1 ? 1 : Math.ceil(columns / BLOCK) * BLOCK;
  const weightOf = (row: number): number => rowWeights?.[row] ?? 1;
  let total = 0;
  for (let row = 0; row < rows.length; row++) total += weightOf(row);
  const penalty = 1 / (c * total);
  const penalised = features * stride;
  const padded = new Float64Array(stride), scores = padded.subarray(0, columns);

  // [features + 1, stride], the intercepts last
  const evaluate = (x: Float64Array, gradient: Float64Array): number => {
    let loss = 0, squares = 0;
    for (let i = 0; i < penalised; i++) {
      squares += x[i]! * x[i]!;
      gradient[i] = penalty * x[i]!;
    }
    gradient.fill(0, penalised);
    rows.forEach((row, r) => {
      padded.set(x.subarray(penalised));
      addProducts(row, x, padded);
      const share = weightOf(r) / total;
      loss += share * lossAndResiduals(scores, labels[r]!, share);
      padded.fill(0, columns);
      addOuter(row, padded, gradient);
      for (let k = 0; k < columns; k++) gradient[penalised + k]! += scores[k]!;
    });
    return loss + 0.5 * penalty * squares;
  };
  const x = new Float64Array(penalised + stride);
  const { iterations, converged } = minimize(evaluate, x, { gradientTolerance: GRADIENT_TOLERANCE, maxIterations: MAX_ITERATIONS });
  const weights = new Float64Array(features * columns);
  for (let feature = 0; feature < features; feature++) weights.set(x.subarray(feature * stride, feature * stride + columns), feature * columns);
  return { columns, weights, intercepts: x.slice(penalised, penalised + columns), iterations, converged };
}

/** scores += row · x, with x [features, scores]: of 1, or of whole blocks, which stay in registers. */
function addProducts({ columns: at, values }: SparseRow, x: Float64Array, scores: Float64Array): void {
  const stride = scores.length;
  if (stride === 1) {
    for (let j = 0; j < at.length; j++) scores[0]! += values[j]! * x[at[j]!]!;
    return;
  }
  for (let k = 0; k < stride; k += BLOCK) {
    let a = scores[k]!, b = scores[k + 1]!, c = scores[k + 2]!, d = scores[k + 3]!;
    for (let j = 0; j < at.length; j++) {
      const place = at[j]! * stride + k, value = values[j]!;
      a += value * x[place]!;
      b += value * x[place + 1]!;
      c += value * x[place + 2]!;
      d += value * x[place + 3]!;
    }
    scores[k] = a;
    scores[k + 1] = b;
    scores[k + 2] = c;
    scores[k + 3] = d;
  }
}

/** gradient += row ⊗ residuals, laid out as in {@link addProducts}. */
function addOuter({ columns: at, values }: SparseRow, residuals: Float64Array, gradient: Float64Array): void {
  const stride = residuals.length;
  if (stride === 1) {
    for (let j = 0; j < at.length; j++) gradient[at[j]!]! += values[j]! * residuals[0]!;
    return;
  }
  for (let k = 0; k < stride; k += BLOCK) {
    const a = residuals[k]!, b = residuals[k + 1]!, c = residuals[k + 2]!, d = residuals[k + 3]!;
    for (let j = 0; j < at.length; j++) {
      const place = at[j]! * stride + k, value = values[j]!;
      gradient[place]! += value * a;
      gradient[place + 1]! += value * b;
      gradient[place + 2]! += value * c;
      gradient[place + 3]! += value * d;
    }
  }
}

/** Puts `share` times the derivative of the row's loss in the place of the scores. @returns the loss */
function lossAndResiduals(scores: Float64Array, label: number, share: number): number {
  if (scores.length === 1) {
    const margin = label === 1 ? scores[0]! : -scores[0]!;
    const wrong = 1 / (1 + Math.exp(margin));
    scores[0] = share * (label === 1 ? -wrong : wrong);
    return margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
  }
  const own = scores[label]!;
  const logTotal = softmaxInPlace(scores);
  for (let k = 0; k < scores.length; k++) scores[k]! *= share;
  scores[label]! -= share;
  return logTotal - own;
}

/** @returns the logarithm of the sum of their exponentials */
function softmaxInPlace(scores: Float64Array): number {
  const most = Math.max(...scores);
  let total = 0;
  for (let k = 0; k < scores.length; k++) total += scores[k] = Math.exp(scores[k]! - most);
  for (let k = 0; k < scores.length; k++) scores[k]! /= total;
  return most + Math.log(total);
}

/** Probabilities of the classes, [classes]. */
export function predictLogistic({ columns, weights, intercepts }: LogisticModel, { columns: at, values }: SparseRow): Float64Array {
  const scores = intercepts.slice();
  for (let j = 0; j < at.length; j++) for (let k = 0; k < columns; k++) scores[k]! += values[j]! * weights[at[j]! * columns + k]!;
  if (columns === 1) return Float64Array.of(1 / (1 + Math.exp(scores[0]!)), 1 / (1 + Math.exp(-scores[0]!)));
  softmaxInPlace(scores);
  return scores;
}
