/**
 * Cross-entropy over a vocabulary that comes in parts (online softmax, Milakov &
 * Gimelshein 2018): what a part's logits say of their rows, and what the part
 * adds to the gradient once the whole is known. Putting the parts together is
 * the caller's.
 */
import type { Tensor } from "../graph";
import { add, exp, mul, sub } from "./elementwise";
import { gemm } from "./linear";
import { reduceMax, reduceSum } from "./reduce";
import { reshape } from "./shape";

/**
 * @param logits [n, rows]
 * @param targets i32 [n, 1], within the part
 * @returns each row's maximum, Σ exp(logit − maximum), and its target's logit, [n, 1] each
 */
export function partStatistics(logits: Tensor, targets: Tensor): { max: Tensor; sum: Tensor; picked: Tensor } {
  const max = reduceMax(logits, [-1], true); // [n, 1]
  const sum = reduceSum(exp(sub(logits, max)), [-1], true); // [n, 1]
  const picked = logits.graph.node("GatherElements", [logits, targets], { dtype: "f32", shape: [logits.dim(0), 1] }, { attributes: { axis: 1 } }); // [n, 1]
  return { max, sum, picked };
}

/** Of the whole vocabulary, [n, 1] each. */
export interface WholeStatistics {
  /** The largest logit. */
  top: Tensor;
  /** The row's weight / Σ exp(logit − top). */
  share: Tensor;
  /** i32, within the part. */
  targets: Tensor;
  /** −weight where the target is in this part, else 0. */
  hit: Tensor;
}

/**
 * What a part with a frozen table adds to the gradient of what it was multiplied with, dLogits · table with dLogits =
 * softmax · weight − onehot · weight, which is never laid out: the first as exp(logit − top) · table · share, the second
 * as a row of the table.
 *
 * @param logits [n, rows]
 * @param table [rows, width]
 * @returns [n, width]
 */
export function partGradient(logits: Tensor, table: Tensor, { top, share, targets, hit }: WholeStatistics): Tensor {
  const n = logits.dim(0);
  const own = table.graph.node("Gather", [table, reshape(targets, [n])], { dtype: "f32", shape: [n, table.dim(1)] }, { attributes: { axis: 0 } }); // [n, width]
  return add(mul(gemm(exp(sub(logits, top)), table), share), mul(own, hit)); // [n, width]
}

/** dLogits of a part itself, [n, rows]: for a table that is trained. */
export function partLogitsGradient(logits: Tensor, { top, share, targets, hit }: WholeStatistics): Tensor {
  return logits.graph.node("ScatterElements", [mul(exp(sub(logits, top)), share), targets, hit], { dtype: "f32", shape: logits.shape }, { attributes: { axis: 1, reduction: "add" } });
}
