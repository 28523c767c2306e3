/**
 * Choosing the next token from logits: temperature, then nucleus (top-p,
 * Holtzman et al. 2020), with the meaning of transformers' logits processors:
 * the smallest set of most likely tokens whose probability reaches top-p.
 */
import { DuctusError } from "../../core/errors";
import type { Random } from "../../core/random";

export interface SamplerOptions {
  /** 0 takes the most likely token. */
  temperature: number;
  /** 1 keeps every token. */
  topP: number;
}

export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * Draws a token id from logits [vocab].
 *
 * @throws DuctusError `generate/not-a-number` where a logit is NaN or the highest is not finite
 */
export function sampleToken(logits: Float32Array, { temperature, topP }: SamplerOptions, random: Random): number {
  const likeliest = argmax(logits);
  const top = logits[likeliest]!;
  if (!Number.isFinite(top) || logits.includes(NaN)) {
    throw new DuctusError("generate/not-a-number", "The model's answer is not a number, so nothing can be written with it.", "Choose another adapter, or train again.");
  }
  if (!(temperature > 0)) return likeliest;
  const weights = new Float64Array(logits.length); // [vocab], unnormalised probabilities
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += weights[i] = Math.exp((logits[i]! - top) / temperature);
  // All tokens below this floor together hold less than 1 − topP: they are outside the nucleus, and need no sorting.
  const floor = topP < 1 ? (total * (1 - topP)) / logits.length : 0;
  const candidates: number[] = [];
  for (let i = 0; i < weights.length; i++) if (weights[i]! >= floor) candidates.push(i);
  let kept = total;
  let count = candidates.length;
  if (topP < 1) {
    candidates.sort((a, b) => weights[b]! - weights[a]! || a - b);
    kept = 0;
    count = 0;
    do kept += weights[candidates[count++]!]!;
    while (count < candidates.length && kept < topP * total); // at least one, whatever topP
  }
  let rest = random.uniform() * kept;
  for (let i = 0; i < count; i++) {
    rest -= weights[candidates[i]!]!;
    if (rest < 0) return candidates[i]!;
  }
  return candidates[count - 1]!;
}
