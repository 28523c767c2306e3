/**
 * Matrix products. Gemm is the workhorse: it reads a weight in the layout of
 * checkpoints, [out, in], in the forward and in the backward direction, so that
 * one copy of the weight serves both.
 */
import { DuctusError } from "../../../core/errors";
import { broadcast, type Dim } from "../dims";
import type { GradientRule, Tensor } from "../graph";
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

/** x · Aᵀ, [n, R], that passes nothing back to x: for {@link linearUpdated}, whose rule does. */
export const linearDown = (x: Tensor, a: Tensor): Tensor =>
  x.graph.node("Gemm", [x, a], { dtype: "f32", shape: [x.dim(0), a.dim(0)] }, {
    attributes: { transA: 0, transB: 1, alpha: { float: 1 }, beta: { float: 1 } },
    through: [a],
    gradient: (dy) => [gemm(dy, x, { transA: true })], // [R, in]
  });

/** A change of low rank R to a weight [out, in]: W + scale · B · A. */
export interface LowRank {
  /** [R, in] */
  a: Tensor;
  /** [out, R] */
  b: Tensor;
  scale: number;
  /** {@link linearDown} of x and a, [n, R]: what reaches A goes through it. Computed only where a gradient is asked for. */
  down: Tensor;
}

/** x · (W + scale · B · A)ᵀ (+ c [n, out] or [out]) as one differentiable unit; the weight itself stays frozen. */
export function linearUpdated(x: Tensor, weight: Tensor, { a, b, scale, down }: LowRank, c: Tensor | null = null): Tensor {
  const updated = gemm(b, a, { alpha: scale, c: weight }); // [out, in]
  return x.graph.node("Gemm", c ? [x, updated, c] : [x, updated], { dtype: "f32", shape: [x.dim(0), b.dim(0)] }, {
    attributes: { transA: 0, transB: 1, alpha: { float: 1 }, beta: { float: 1 } },
    through: [x, down, b, ...(c ? [c] : [])],
    gradient: (dy, _, needs) => [
      needs[0] ? gemm(dy, updated) : null, // [n, in]
      needs[1] ? gemm(dy, b, { alpha: scale }) : null, // [n, R]
      needs[2] ? gemm(dy, down, { transA: true, alpha: scale }) : null, // [out, R]
      ...(c ? [needs[3] ? sumTo(dy, c.shape) : null] : []),
    ],
  });
}

const swapLast = (x: Tensor) => transpose(x, x.shape.map((_, i) => (i === x.rank - 1 ? i - 1 : i === x.rank - 2 ? i + 1 : i)));

interface MatmulOptions {
  transA?: boolean;
  transB?: boolean;
}

/**
 * Batched product A' · B' over the last two axes, where ' transposes if asked;
 * leading axes broadcast. On the processor the transposition is part of the
 * product (ORT's FusedMatMul, which WebGPU lacks).
 */
export function matmul(a: Tensor, b: Tensor, { transA = false, transB = false }: MatmulOptions = {}): Tensor {
  const sizes = (t: Tensor, swapped: boolean): [Dim, Dim] => (swapped ? [t.dim(-1), t.dim(-2)] : [t.dim(-2), t.dim(-1)]);
  if (a.rank < 2 || b.rank < 2) throw new DuctusError("graph/shape", "MatMul multiplies matrices.");
  const [m, k] = sizes(a, transA);
  const [k2, n] = sizes(b, transB);
  if (k !== k2) throw new DuctusError("graph/shape", `MatMul: [${a.shape.join(", ")}] and [${b.shape.join(", ")}] do not fit.`);
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n];
  const gradient: GradientRule = (dy, _, needs) => [
    needs[0] ? sumTo(transA ? matmul(b, dy, { transA: transB, transB: true }) : matmul(dy, b, { transB: !transB }), a.shape) : null,
    needs[1] ? sumTo(transB ? matmul(dy, a, { transA: true, transB: transA }) : matmul(a, dy, { transA: !transA }), b.shape) : null,
  ];
  if ((transA || transB) && a.graph.target === "cpu") {
    return a.graph.node("FusedMatMul", [a, b], { dtype: "f32", shape }, {
      domain: "com.microsoft", attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: 1 } }, gradient,
    });
  }
  return a.graph.node("MatMul", [transA ? swapLast(a) : a, transB ? swapLast(b) : b], { dtype: "f32", shape }, { gradient, through: [a, b] });
}
