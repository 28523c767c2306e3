/**
 * Matrix products. Gemm is the workhorse: it reads a weight in the layout of
 * checkpoints, [out, in], in the forward and in the backward direction, so that
 * one copy of the weight serves both.
 */
import { DuctusError } from "../../../core/errors";
import { broadcast } from "../dims";
import type { Tensor } from "../graph";
import { sumTo } from "./elementwise";
import { transpose } from "./shape";

interface GemmOptions {
  transA?: boolean;
  transB?: boolean;
  /** Factor of the product (not of c). */
  alpha?: number;
  /** Added to the product; broadcasts to its shape. */
  c?: Tensor | null;
}

/** alpha · A' · B' + c for matrices, where ' transposes if asked (BLAS' GEMM). */
export function gemm(a: Tensor, b: Tensor, options: GemmOptions = {}): Tensor {
  const { transA = false, transB = false, alpha = 1, c = null } = options;
  if (a.rank !== 2 || b.rank !== 2) throw new DuctusError("graph/shape", "Gemm multiplies matrices.");
  const [m, k] = transA ? [a.dim(1), a.dim(0)] : [a.dim(0), a.dim(1)];
  const [k2, n] = transB ? [b.dim(1), b.dim(0)] : [b.dim(0), b.dim(1)];
  if (k !== k2) throw new DuctusError("graph/shape", `Gemm: inner sizes ${k} and ${k2} differ.`);
  return a.graph.node("Gemm", c ? [a, b, c] : [a, b], { dtype: "f32", shape: [m, n] }, {
    attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha }, beta: { float: 1 } },
    gradient: (dy, _, needs) => [
      !needs[0] ? null : transA
        ? gemm(b, dy, { transA: transB, transB: true, alpha }) // dA = α · B' · dyᵀ
        : gemm(dy, b, { transB: !transB, alpha }),
      !needs[1] ? null : transB
        ? gemm(dy, a, { transA: true, transB: transA, alpha }) // dB = α · dyᵀ · A'
        : gemm(a, dy, { transA: !transA, alpha }),
      ...(c ? [needs[2] ? sumTo(dy, c.shape) : null] : []),
    ],
  });
}

/** x · Wᵀ (+ bias): x [n, in], weight [out, in] → [n, out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return gemm(x, weight, { transB: true, c: bias });
}

const swapLast = (x: Tensor) => transpose(x, x.shape.map((_, i) => (i === x.rank - 1 ? i - 1 : i === x.rank - 2 ? i + 1 : i)));

/** Batched product over the last two axes; leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.rank < 2 || b.rank < 2 || a.dim(-1) !== b.dim(-2)) {
    throw new DuctusError("graph/shape", `MatMul: [${a.shape.join(", ")}] and [${b.shape.join(", ")}] do not fit.`);
  }
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), a.dim(-2), b.dim(-1)];
  return a.graph.node("MatMul", [a, b], { dtype: "f32", shape }, {
    gradient: (dy, _, needs) => [
      needs[0] ? sumTo(matmul(dy, swapLast(b)), a.shape) : null, // [..., m, k]
      needs[1] ? sumTo(matmul(swapLast(a), dy), b.shape) : null, // [..., k, n]
    ],
  });
}
