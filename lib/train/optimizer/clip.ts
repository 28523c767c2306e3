/** Gradient clipping by global norm, as torch.nn.utils.clip_grad_norm_. */

/**
 * Scales all gradients in place so that their joint L2 norm is at most `maxNorm`
 * (0 turns it off). Sums in f64, tensor by tensor.
 *
 * @returns the norm before clipping
 */
export function clipGradientNorm(gradients: Iterable<Float32Array>, maxNorm: number): number {
  const all = [...gradients];
  const norm = Math.sqrt(all.reduce((total, g) => total + sumOfSquares(g), 0));
  const factor = maxNorm / (norm + 1e-6);
  if (maxNorm > 0 && factor < 1) {
    for (const g of all) for (let i = 0; i < g.length; i++) g[i] = g[i]! * factor;
  }
  return norm;
}

/** A plain loop: `reduce` of a typed array takes three times as long. */
function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
