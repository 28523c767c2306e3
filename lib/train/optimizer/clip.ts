/** Gradient clipping by global norm, as torch.nn.utils.clip_grad_norm_. */

/**
 * Scales all gradients in place so that their joint L2 norm is at most `maxNorm`
 * (0 turns it off). Sums in f64, tensor by tensor.
 *
 * @returns the norm before clipping
 */
export function clipGradientNorm(gradients: Iterable<Float32Array>, maxNorm: number): number {
  const all = [...gradients];
  const norm = Math.sqrt(all.reduce((total, g) => total + g.reduce((sum, v) => sum + v * v, 0), 0));
  const factor = maxNorm / (norm + 1e-6);
  if (maxNorm > 0 && factor < 1) {
    for (const g of all) for (let i = 0; i < g.length; i++) g[i] = g[i]! * factor;
  }
  return norm;
}
