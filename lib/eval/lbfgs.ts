/**
 * Limited-memory BFGS for smooth convex functions (J. Nocedal and S. Wright,
 * "Numerical Optimization", 2006, algorithms 7.4 and 7.5), with a line search
 * that brackets a step of the weak Wolfe conditions by doubling and halving (A.
 * Lewis and M. Overton, "Nonsmooth optimization via quasi-Newton methods",
 * 2013, algorithm 2.6). Deterministic; it works in place.
 */

export interface MinimizeOptions {
  /** Ends where no component of the gradient is larger. */
  gradientTolerance: number;
  maxIterations: number;
  /** Pairs of steps and changes of the gradient that are kept. Default 10. */
  memory?: number;
}

export interface Minimum {
  value: number;
  iterations: number;
  /** The gradient's bound was reached. */
  converged: boolean;
}

const SUFFICIENT_DECREASE = 1e-4, CURVATURE = 0.9;
const MAX_TRIES = 40;

/**
 * @param evaluate the function's value at `x`; writes its gradient into the second argument
 * @param x where to start; afterwards the best point
 */
export function minimize(evaluate: (x: Float64Array, gradient: Float64Array) => number, x: Float64Array, { gradientTolerance, maxIterations, memory = 10 }: MinimizeOptions): Minimum {
  const size = x.length;
  let gradient = new Float64Array(size), nextGradient = new Float64Array(size);
  const next = new Float64Array(size);
  const direction = new Float64Array(size);
  const pairs: { step: Float64Array; change: Float64Array; rho: number }[] = [];
  let value = evaluate(x, gradient);
  for (let iterations = 0; ; iterations++) {
    if (largest(gradient) <= gradientTolerance) return { value, iterations, converged: true };
    if (iterations === maxIterations) return { value, iterations, converged: false };

    // Two loops: direction = −H · gradient.
    for (let i = 0; i < size; i++) direction[i] = -gradient[i]!;
    const alphas: number[] = [];
    for (let p = pairs.length - 1; p >= 0; p--) {
      const { step, change, rho } = pairs[p]!;
      alphas[p] = rho * dot(step, direction);
      addScaled(direction, change, -alphas[p]!);
    }
    const newest = pairs.at(-1);
    const scale = newest ? 1 / (newest.rho * dot(newest.change, newest.change)) : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));
    for (let i = 0; i < size; i++) direction[i]! *= scale;
    pairs.forEach(({ step, change, rho }, p) => addScaled(direction, step, alphas[p]! - rho * dot(change, direction)));

    const slope = dot(gradient, direction);
    let low = 0, high = Infinity, t = 1, nextValue = value, found = false;
    for (let tries = 0; tries < MAX_TRIES && !found; tries++) {
      for (let i = 0; i < size; i++) next[i] = x[i]! + t * direction[i]!;
      nextValue = evaluate(next, nextGradient);
      if (!(nextValue <= value + SUFFICIENT_DECREASE * t * slope)) high = t;
      else if (dot(nextGradient, direction) < CURVATURE * slope) low = t;
      else found = true;
      if (!found) t = high < Infinity ? (low + high) / 2 : 2 * t;
    }
    if (!(nextValue < value)) return { value, iterations, converged: false }; // no better in the last digits

    const reuse = pairs.length === memory ? pairs.shift()! : { step: new Float64Array(size), change: new Float64Array(size) };
    for (let i = 0; i < size; i++) {
      reuse.step[i] = next[i]! - x[i]!;
      reuse.change[i] = nextGradient[i]! - gradient[i]!;
    }
    const curvature = dot(reuse.step, reuse.change);
    if (curvature > 0) pairs.push({ ...reuse, rho: 1 / curvature });
    x.set(next);
    value = nextValue;
    [gradient, nextGradient] = [nextGradient, gradient];
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(to: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * vector[i]!;
}

const largest = (vector: Float64Array): number => vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
