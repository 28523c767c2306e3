/**
 * The operators of a transformer, each with the gradient written by hand where
 * that takes fewer nodes than composing it: softmax, RMS normalisation, rotary
 * position embedding, cross-entropy.
 */
import { DuctusError } from "../../../core/errors";
import type { Tensor } from "../graph";
import { add, exp, log, mul, neg, reciprocal, sqrt, sub, sumTo } from "./elementwise";
import { reduceMax, reduceMean, reduceSum } from "./reduce";

/** Softmax over the last axis; dx = y · (dy − Σ dy·y). */
export function softmax(x: Tensor): Tensor {
  return x.graph.node("Softmax", [x], { dtype: "f32", shape: x.shape }, {
    attributes: { axis: -1 },
    gradient: (dy, y) => {
      const weighted = mul(dy, y); // [..., n]
      return [sub(weighted, mul(y, reduceSum(weighted, [-1], true)))]; // [..., n]
    },
  });
}

/**
 * RMSNorm over the last axis (Zhang & Sennrich 2019): x / sqrt(mean(x²) + ε) · gain.
 * The forward is one fused node. Its second output, 1/rms, is wrong on WebGPU
 * without any error, so that the gradient computes 1/rms again.
 */
export function rmsNorm(x: Tensor, gain: Tensor, epsilon: number): Tensor {
  const { graph } = x;
  return graph.node("SimplifiedLayerNormalization", [x, gain], { dtype: "f32", shape: x.shape }, {
    attributes: { axis: -1, epsilon: { float: epsilon } },
    gradient: (dy, _, needs) => {
      const meanSquare = reduceMean(mul(x, x), [-1], true); // [..., 1]
      const inverse = reciprocal(sqrt(add(meanSquare, graph.scalar(epsilon)))); // [..., 1]
      const unit = mul(x, inverse); // [..., width]
      const dUnit = mul(dy, gain); // [..., width]
      return [
        needs[0] ? mul(inverse, sub(dUnit, mul(unit, reduceMean(mul(dUnit, unit), [-1], true)))) : null, // [..., width]
        needs[1] ? sumTo(mul(dy, unit), gain.shape) : null, // [width]
      ];
    },
  });
}

/**
 * Rotary position embedding, half-rotated as in Qwen and Llama (Su et al. 2021):
 * x [batch, heads, seq, headDim], positions i64 [batch, seq], cos and sin
 * [maxPositions, headDim / 2]. A rotation's transpose turns the other way, so
 * that the gradient is the same node with −sin.
 */
export function rotary(x: Tensor, positions: Tensor, cos: Tensor, sin: Tensor): Tensor {
  if (x.rank !== 4) throw new DuctusError("graph/shape", "Rotary embedding takes [batch, heads, seq, headDim].");
  return x.graph.node("RotaryEmbedding", [x, positions, cos, sin], { dtype: "f32", shape: x.shape }, {
    domain: "com.microsoft",
    attributes: { interleaved: 0 },
    gradient: (dy) => [rotary(dy, positions, cos, neg(sin)), null, null, null],
  });
}

/**
 * Negative log-likelihood of each row's target: logits [n, vocab], targets i32
 * [n, 1] → [n, 1]. Stabilised by the row's maximum (ReduceLogSumExp is not, on
 * WebGPU). Gradient: (softmax − onehot) · dy, the onehot by a scattered addition.
 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const { graph } = logits;
  const rows = logits.dim(0);
  const shifted = sub(logits, reduceMax(logits, [-1], true)); // [n, vocab]
  const exponentials = exp(shifted); // [n, vocab]
  const total = reduceSum(exponentials, [-1], true); // [n, 1]
  const picked = graph.node("GatherElements", [shifted, targets], { dtype: "f32", shape: [rows, 1] }, { attributes: { axis: 1 } }); // [n, 1]
  // One differentiable unit: the rule below goes straight from the loss to the logits.
  return graph.node("Sub", [log(total), picked], { dtype: "f32", shape: [rows, 1] }, {
    through: [logits],
    gradient: (dy) => {
      const dense = mul(exponentials, mul(dy, reciprocal(total))); // softmax · dy, [n, vocab]
      return [graph.node("ScatterElements", [dense, targets, neg(dy)], { dtype: "f32", shape: logits.shape }, { attributes: { axis: 1, reduction: "add" } })];
    },
  });
}
