/** Reductions over axes. Means and sums are differentiable; the maximum is used as a constant only. */
import { DuctusError } from "../../../core/errors";
import type { Shape } from "../dims";
import type { GradientRule, Tensor } from "../graph";
import { scale } from "./elementwise";
import { expand, reshape } from "./shape";

function reduced(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));
}

function reduce(type: string, x: Tensor, axes: readonly number[], keepDims: boolean, gradient: GradientRule | null): Tensor {
  return x.graph.node(type, [x, x.graph.ints(axes)], { dtype: x.dtype, shape: reduced(x.shape, axes, keepDims) }, {
    attributes: { keepdims: keepDims ? 1 : 0 },
    gradient,
  });
}

const positive = (x: Tensor, axes: readonly number[]) => axes.map((a) => (a < 0 ? a + x.rank : a)).sort((a, b) => a - b);

export function reduceSum(x: Tensor, axes: readonly number[], keepDims = false): Tensor {
  const over = positive(x, axes);
  if (over.length === 0) return x;
  return reduce("ReduceSum", x, over, keepDims, (dy) => [expand(reshape(dy, reduced(x.shape, over, true)), x.shape), null]);
}

/** Mean over axes of known size. */
export function reduceMean(x: Tensor, axes: readonly number[], keepDims = false): Tensor {
  const over = positive(x, axes);
  const count = over.reduce((n, axis) => {
    const size = x.dim(axis);
    if (typeof size !== "number") throw new DuctusError("graph/shape", "A mean needs axes of known size.");
    return n * size;
  }, 1);
  return reduce("ReduceMean", x, over, keepDims, (dy) => [
    scale(expand(reshape(dy, reduced(x.shape, over, true)), x.shape), 1 / count), null,
  ]);
}

/** Maximum over axes; no gradient flows through it (it serves to stabilise an exponential, where none should). */
export function reduceMax(x: Tensor, axes: readonly number[], keepDims = false): Tensor {
  return reduce("ReduceMax", x, positive(x, axes), keepDims, () => [null, null]);
}
