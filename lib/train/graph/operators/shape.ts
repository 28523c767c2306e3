/**
 * Operators that move numbers without computing: reshape, transpose, expand,
 * concat, split. Their gradients are again of this kind.
 */
import { DuctusError } from "../../../core/errors";
import { dim, product, sameShape, type Dim, type Shape } from "../dims";
import type { Tensor } from "../graph";
import { sumTo } from "./elementwise";

/**
 * Reshape to a shape of the same product. Where 0 (copy) and one −1 (infer) say
 * it all, the target is a constant; else the runtime feeds it.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = shape.map(dim);
  if (sameShape(x.shape, target)) return x;
  if (product(x.shape) !== product(target)) {
    throw new DuctusError("graph/shape", `Cannot reshape [${x.shape.join(", ")}] to [${target.join(", ")}].`);
  }
  const codes = target.map((d, i) => (typeof d === "number" ? d : x.shape[i] === d ? 0 : -1));
  const inferred = codes.filter((c) => c === -1).length;
  const vector = inferred <= 1 ? x.graph.ints(codes) : x.graph.shapeVector(target);
  return x.graph.node("Reshape", [x, vector], { dtype: x.dtype, shape: target }, {
    gradient: (dy) => [reshape(dy, x.shape), null],
  });
}

export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  if (perm.length !== x.rank || new Set(perm).size !== perm.length) {
    throw new DuctusError("graph/shape", `[${perm.join(", ")}] does not permute the axes of [${x.shape.join(", ")}].`);
  }
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return x.graph.node("Transpose", [x], { dtype: x.dtype, shape: perm.map((axis) => x.dim(axis)) }, {
    attributes: { perm },
    gradient: (dy) => [transpose(dy, inverse)],
  });
}

/** Broadcasts to a larger shape. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape.map(dim))) return x;
  return x.graph.node("Expand", [x, x.graph.shapeVector(shape.map(dim))], { dtype: x.dtype, shape }, {
    gradient: (dy) => [sumTo(dy, x.shape), null],
  });
}

/**
 * Joins tensors along an axis. The size of the joined axis is the sum where all
 * are numbers, else it must be named by `joined`; a named sum has no gradient.
 */
export function concat(parts: readonly Tensor[], axis: number, joined?: Dim): Tensor {
  const first = parts[0];
  if (!first) throw new DuctusError("graph/shape", "Nothing to concatenate.");
  const at = axis < 0 ? first.rank + axis : axis;
  const sizes = parts.map((p) => p.dim(at));
  const numeric = sizes.every((s) => typeof s === "number");
  const total = numeric ? sizes.reduce((a, b) => a + b, 0) : joined;
  if (total === undefined) throw new DuctusError("graph/shape", "The joined axis needs a name.");
  for (const p of parts) {
    if (!p.shape.every((d, i) => i === at || d === first.shape[i])) throw new DuctusError("graph/shape", "Shapes differ beside the joined axis.");
  }
  const shape = first.shape.map((d, i) => (i === at ? total : d));
  return first.graph.node("Concat", parts, { dtype: first.dtype, shape }, {
    attributes: { axis: at },
    gradient: numeric ? (dy) => split(dy, at, sizes) : null,
  });
}

/** Cuts a tensor into parts along an axis; the sizes are known and add up to it. Parts that nothing depends on count as zero in the gradient. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const size = x.dim(axis);
  if (sizes.reduce((a, b) => a + b, 0) !== size) throw new DuctusError("graph/shape", `Parts of ${sizes.join(", ")} do not make up an axis of ${size}.`);
  if (sizes.length === 1) return [x];
  const { graph } = x;
  const withSize = (n: number): Shape => x.shape.map((d, i) => (i === axis ? n : d));
  return graph.nodeOfMany("Split", [x, graph.ints(sizes)], sizes.map((n) => ({ dtype: x.dtype, shape: withSize(n) })), {
    attributes: { axis },
    gradient: (dys) => {
      const zeros = (n: number) => expand(graph.constant("f32", x.shape.map(() => 1), new Float32Array(1)), withSize(n));
      return [concat(dys.map((dy, i) => dy ?? zeros(sizes[i]!)), axis), null];
    },
  });
}
