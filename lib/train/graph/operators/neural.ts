/**
 * The operators of a transformer, each with the gradient written by hand where
 * that takes fewer nodes than composing it: softmax, RMS normalisation, rotary
 * position embedding, attention, SwiGLU, cross-entropy.
 */
import { DuctusError } from "../../../core/errors";
import { product, type Dim } from "../dims";
import type { GradientRule, Tensor } from "../graph";
import { add, log, mul, neg, pow, sigmoid, sub, sumTo } from "./elementwise";
import { gemm, linear, matmul } from "./linear";
import { reduceMax, reduceMean, reduceSum } from "./reduce";
import { reshape } from "./shape";

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
 * The forward is one fused node. Its second output, 1/rms, serves the gradient
 * on the processor; on WebGPU it is wrong without any error, so that 1/rms is
 * computed again there.
 *
 * @param gain [width]; null for none
 */
export function rmsNorm(x: Tensor, gain: Tensor | null, epsilon: number): Tensor {
  const { graph } = x;
  const width = x.dim(-1);
  if (typeof width !== "number") throw new DuctusError("graph/shape", "A norm needs a known width.");
  const scaleBy = gain ?? graph.shared(`ones:${width}`, () => graph.constant("f32", [width], new Float32Array(width).fill(1)));
  const gradient = (statistics: Tensor | null): GradientRule => (dy, y, needs) => {
    const inverse = statistics ?? pow(add(reduceMean(mul(x, x), [-1], true), graph.scalar(epsilon)), -0.5); // [..., 1]
    const dUnit = gain ? mul(dy, gain) : dy; // [..., width]
    // dx = inverse · dUnit − x · inverse² · mean(dy · y), since dy · y = dUnit · unit
    const along = mul(mul(inverse, inverse), reduceMean(mul(dy, y), [-1], true)); // [..., 1]
    return [
      needs[0] ? sub(mul(dUnit, inverse), mul(x, along)) : null, // [..., width]
      needs[1] && gain ? sumTo(mul(dy, mul(x, inverse)), gain.shape) : null, // [width]
    ];
  };
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  const output = { dtype: "f32", shape: x.shape } as const;
  if (graph.target !== "cpu") return graph.node("SimplifiedLayerNormalization", [x, scaleBy], output, { attributes, gradient: gradient(null) });
  const [y, inverse] = graph.nodeOfMany("SimplifiedLayerNormalization", [x, scaleBy], [output, { dtype: "f32", shape: [...x.shape.slice(0, -1), 1] }], {
    attributes, gradient: (dys) => gradient(inverse)(dys[0]!, y, [true, gain !== null]),
  }) as [Tensor, Tensor];
  return y;
}

/**
 * Rotary position embedding, half-rotated as in Qwen and Llama (Su et al. 2021):
 * x [batch, heads, seq, headDim], positions i64 [batch, seq], tables
 * [maxPositions, headDim / 2]. A rotation's transpose turns the other way, so
 * that the gradient is the same node with −sin; a common factor in cos and sin
 * scales both alike.
 */
export function rotary(x: Tensor, positions: Tensor, { cos, sin, minusSin }: RotaryTables): Tensor {
  if (x.rank !== 4) throw new DuctusError("graph/shape", "Rotary embedding takes [batch, heads, seq, headDim].");
  return x.graph.node("RotaryEmbedding", [x, positions, cos, sin], { dtype: "f32", shape: x.shape }, {
    domain: "com.microsoft",
    attributes: { interleaved: 0 },
    gradient: (dy) => [rotary(dy, positions, { cos, sin: minusSin, minusSin: sin }), null, null, null],
  });
}

/** [maxPositions, headDim / 2] each. */
export interface RotaryTables {
  cos: Tensor;
  sin: Tensor;
  /** −sin, for the gradient. */
  minusSin: Tensor;
}

/**
 * Attention with the softmax' gradient in the form of FlashAttention (Dao et al.
 * 2022, appendix B): Σ dP·P is Σ dO·O, a sum over headDim instead of over keys.
 * One differentiable unit. The query heads that share a key head are rows of one
 * product, so that keys are never repeated.
 *
 * @param q scaled queries [batch, heads, seq, headDim]
 * @param k [batch, kvHeads, keys, headDim]
 * @param v [batch, kvHeads, keys, headDim]
 * @param mask [1 or batch, 1, seq, keys], added to the scores
 * @returns [batch, heads, seq, headDim]
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor): Tensor {
  const [batch, heads, seq, headDim] = q.shape as [Dim, number, Dim, number];
  const kvHeads = k.dim(1) as number;
  const keys = k.dim(2);
  const rows = product([heads / kvHeads, seq]);
  const grouped = reshape(q, [batch, kvHeads, rows, headDim]); // [batch, kvHeads, group · seq, headDim]
  const scores = matmul(grouped, k, { transB: true }); // [batch, kvHeads, group · seq, keys]
  const shares = softmax(add(reshape(scores, [batch, heads, seq, keys]), mask)); // [batch, heads, seq, keys]
  const weights = reshape(shares, [batch, kvHeads, rows, keys]); // [batch, kvHeads, group · seq, keys]
  const mixed = q.graph.node("MatMul", [weights, v], { dtype: "f32", shape: [batch, kvHeads, rows, headDim] }, {
    through: [grouped, k, v],
    gradient: (dy, y) => {
      const dWeights = matmul(dy, v, { transB: true }); // [batch, kvHeads, group · seq, keys]
      const dScores = mul(weights, sub(dWeights, reduceSum(mul(dy, y), [-1], true))); // [batch, kvHeads, group · seq, keys]
      return [matmul(dScores, k), matmul(dScores, grouped, { transA: true }), matmul(weights, dy, { transA: true })];
    },
  });
  return reshape(mixed, [batch, heads, seq, headDim]);
}

/**
 * SwiGLU's gate (Shazeer 2020), silu(gate) · up with silu(g) = g · s, s =
 * sigmoid(g). One differentiable unit, which keeps s, the dear part, for the
 * gradient: silu'(g) = s + silu(g) · (1 − s).
 */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  const { graph } = gate;
  const s = sigmoid(gate); // [..., width]
  const activated = mul(gate, s); // [..., width]
  return graph.node("Mul", [activated, up], { dtype: "f32", shape: gate.shape }, {
    through: [gate, up],
    gradient: (dy, _, needs) => {
      const slope = add(s, mul(activated, sub(graph.scalar(1), s))); // [..., width]
      return [needs[0] ? mul(mul(dy, up), slope) : null, needs[1] ? mul(dy, activated) : null];
    },
  });
}

/**
 * Negative log-likelihood of each row's target: logits [n, vocab], targets i32
 * [n, 1] → [n, 1]. The log-sum-exp is taken from the softmax, whose largest
 * share is 1 / Σ exp(logit − maximum): stable for any logits, and the softmax is
 * what the gradient needs, (softmax − onehot) · dy, the onehot by a scattered
 * addition.
 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const shares = softmax(logits); // [n, vocab]
  return tokenLoss(logits, shares, targets, [logits], (dy) => [logitsGradient(shares, targets, dy)]);
}

/** shares · dShares − onehot · dy, [n, vocab] */
const logitsGradient = (shares: Tensor, targets: Tensor, dy: Tensor, dShares = dy): Tensor =>
  shares.graph.node("ScatterElements", [mul(shares, dShares), targets, neg(dy)], { dtype: "f32", shape: shares.shape }, { attributes: { axis: 1, reduction: "add" } });

/**
 * {@link crossEntropy} of x · tableᵀ. While the table is frozen, the gradient of
 * the logits is never laid out: dx = dy · (softmax · table − table[target]).
 *
 * @param x [n, width]
 * @param table [vocab, width]
 * @param targets i32 [n, 1]
 * @returns [n, 1]
 */
export function linearCrossEntropy(x: Tensor, table: Tensor, targets: Tensor): Tensor {
  const { graph } = x;
  const logits = linear(x, table); // [n, vocab]
  const shares = softmax(logits); // [n, vocab]
  return tokenLoss(logits, shares, targets, [x, table], (dy, _, needs) => {
    if (needs[1]) {
      const dLogits = logitsGradient(shares, targets, dy); // [n, vocab]
      return [needs[0] ? gemm(dLogits, table) : null, gemm(dLogits, x, { transA: true })];
    }
    const rows = graph.node("Gather", [table, reshape(targets, [x.dim(0)])], { dtype: "f32", shape: x.shape }, { attributes: { axis: 0 } }); // [n, width]
    return [mul(sub(gemm(shares, table), rows), dy), null]; // [n, width]
  });
}

/**
 * {@link linearCrossEntropy} with a penalty that keeps the logits from drifting (z-loss, Chowdhery et al. 2022,
 * appendix B): the loss of a row is nll + coefficient · logsumexp². For tables that are trained.
 *
 * @returns each row's loss and its nll alone, which no gradient goes through, [n, 1]
 */
export function linearCrossEntropyZ(x: Tensor, table: Tensor, targets: Tensor, coefficient: number): { loss: Tensor; nll: Tensor } {
  const { graph } = x;
  const logits = linear(x, table); // [n, vocab]
  const shares = softmax(logits); // [n, vocab]
  const { logSum, picked } = logStatistics(logits, shares, targets); // [n, 1]
  const nll = sub(logSum, picked); // [n, 1]
  const penalty = mul(mul(logSum, logSum), graph.scalar(coefficient)); // [n, 1]
  const loss = graph.node("Add", [nll, penalty], { dtype: "f32", shape: nll.shape }, {
    through: [x, table],
    gradient: (dy, _, needs) => {
      const slope = add(graph.scalar(1), mul(logSum, graph.scalar(2 * coefficient))); // of the loss over logsumexp, [n, 1]
      const dLogits = logitsGradient(shares, targets, dy, mul(dy, slope)); // [n, vocab]
      return [needs[0] ? gemm(dLogits, table) : null, gemm(dLogits, x, { transA: true })];
    },
  });
  return { loss, nll };
}

/** One differentiable unit: the rule goes straight from the loss to what lies before the logits. */
function tokenLoss(logits: Tensor, shares: Tensor, targets: Tensor, through: Tensor[], gradient: GradientRule): Tensor {
  const { logSum, picked } = logStatistics(logits, shares, targets); // [n, 1]
  return logits.graph.node("Sub", [logSum, picked], { dtype: "f32", shape: logSum.shape }, { through, gradient });
}

/** Of each row the log-sum-exp and the target's logit, [n, 1]. */
function logStatistics(logits: Tensor, shares: Tensor, targets: Tensor): { logSum: Tensor; picked: Tensor } {
  const picked = logits.graph.node("GatherElements", [logits, targets], { dtype: "f32", shape: [logits.dim(0), 1] }, { attributes: { axis: 1 } }); // [n, 1]
  return { picked, logSum: sub(reduceMax(logits, [-1], true), log(reduceMax(shares, [-1], true))) };
}
