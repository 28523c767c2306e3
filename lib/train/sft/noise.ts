/**
 * NEFTune (Jain et al. 2023): noise on the embeddings while training, uniform in
 * ±alpha / √(T · hidden), T being the length of a row with its padding, as
 * transformers' neftune_post_forward_hook.
 */
import { Random } from "../../core/random";

/** @returns [batch · seq, hidden] */
export function neftuneNoise(batch: number, seq: number, hidden: number, alpha: number, seed: string): Float32Array {
  const random = new Random(seed);
  const bound = alpha / Math.sqrt(seq * hidden);
  const noise = new Float32Array(batch * seq * hidden);
  for (let i = 0; i < noise.length; i++) noise[i] = (2 * random.uniform() - 1) * bound;
  return noise;
}
