/**
 * Elementwise operators with numpy broadcasting. Every operator here runs on
 * WebGPU and wasm for f32; the gradient rule stands beside the shape rule.
 */
import { broadcast, sameShape, type Shape } from "../dims";
import type { GradientRule, Tensor } from "../graph";
import { reduceSum } from "./reduce";
import { reshape } from "./shape";

function binary(type: string, a: Tensor, b: Tensor, gradient: GradientRule): Tensor {
  return a.graph.node(type, [a, b], { dtype: a.dtype, shape: broadcast(a.shape, b.shape) }, { gradient });
}

function unary(type: string, x: Tensor, gradient: GradientRule): Tensor {
  return x.graph.node(type, [x], { dtype: x.dtype, shape: x.shape }, { gradient });
}

/** The adjoint of broadcasting: sums over the axes along which `shape` was repeated. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  const kept = reduceSum(x, axes, true);
  return lead === 0 ? kept : reshape(kept, shape);
}

export function add(a: Tensor, b: Tensor): Tensor {
  return binary("Add", a, b, (dy, _, needs) => [needs[0] ? sumTo(dy, a.shape) : null, needs[1] ? sumTo(dy, b.shape) : null]);
}

export function sub(a: Tensor, b: Tensor): Tensor {
  return binary("Sub", a, b, (dy, _, needs) => [needs[0] ? sumTo(dy, a.shape) : null, needs[1] ? sumTo(neg(dy), b.shape) : null]);
}

export function mul(a: Tensor, b: Tensor): Tensor {
  return binary("Mul", a, b, (dy, _, needs) => [
    needs[0] ? sumTo(mul(dy, b), a.shape) : null,
    needs[1] ? sumTo(mul(dy, a), b.shape) : null,
  ]);
}

/** a / b; d(a/b)/db = −y / b. */
export function div(a: Tensor, b: Tensor): Tensor {
  return binary("Div", a, b, (dy, y, needs) => {
    const scaled = div(dy, b);
    return [needs[0] ? sumTo(scaled, a.shape) : null, needs[1] ? sumTo(neg(mul(scaled, y)), b.shape) : null];
  });
}

export function neg(x: Tensor): Tensor {
  return unary("Neg", x, (dy) => [neg(dy)]);
}

export function exp(x: Tensor): Tensor {
  return unary("Exp", x, (dy, y) => [mul(dy, y)]);
}

export function log(x: Tensor): Tensor {
  return unary("Log", x, (dy) => [div(dy, x)]);
}

/** x to a constant power; x must be positive. */
export function pow(x: Tensor, exponent: number): Tensor {
  return x.graph.node("Pow", [x, x.graph.scalar(exponent)], { dtype: x.dtype, shape: x.shape }, {
    gradient: (dy) => [scale(mul(dy, pow(x, exponent - 1)), exponent), null],
  });
}

export function sigmoid(x: Tensor): Tensor {
  return unary("Sigmoid", x, (dy, y) => [mul(dy, mul(y, sub(x.graph.scalar(1), y)))]);
}

/** x · factor, the factor a constant. */
export function scale(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : mul(x, x.graph.scalar(factor));
}

/**
 * SiLU, x · sigmoid(x) (Elfwing et al. 2017), as one fused node: ORT's QuickGelu
 * with alpha 1 is the same function.
 */
export function silu(x: Tensor): Tensor {
  return x.graph.node("QuickGelu", [x], { dtype: x.dtype, shape: x.shape }, {
    domain: "com.microsoft",
    attributes: { alpha: { float: 1 } },
    // d/dx = s + x·s·(1−s) = s + y·(1−s), with s = sigmoid(x)
    gradient: (dy, y) => {
      const s = sigmoid(x);
      return [mul(dy, add(s, mul(y, sub(x.graph.scalar(1), s))))];
    },
  });
}
