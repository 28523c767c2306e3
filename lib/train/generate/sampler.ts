/**
 * Choosing the next token of a row from its logits, seeded, with the
 * log-probability of what was drawn. What may be drawn is decided in
 * processors.ts.
 */
import { DuctusError } from "../../core/errors";
import type { Random } from "../../core/random";
import { forbid } from "./banned";
import { argmax, keep, penalise, type SamplerOptions } from "./processors";

export { argmax, type SamplerOptions } from "./processors";

/** Natural logarithms of the probability of one drawn token, under three distributions. */
export interface DrawnLogProbs {
  /** The model's own: log softmax(logits), before any processor. */
  model: number;
  /** The model's at the sampling temperature, before penalty, bans and truncation: log softmax(logits / temperature). At temperature 0 the same as `model`. */
  tempered: number;
  /** What it was drawn from, after all processors; 0 where the most likely token is taken. */
  sampled: number;
}

/** What a row holds already, where processors look back at it. */
export interface Context {
  /** Prompt, then what has been written. */
  tokens: readonly number[];
  /** The same without order; needed for a repetition penalty only. */
  seen?: ReadonlySet<number>;
  /** Token sequences that are never completed, see banned.ts. */
  banned?: readonly (readonly number[])[];
}

const NOTHING: Context = { tokens: [] };

/**
 * Draws a token id from logits [vocab], which are changed.
 *
 * @throws DuctusError `generate/not-a-number` where a logit is NaN or the highest is not finite
 */
export function sampleToken(logits: Float32Array, options: SamplerOptions, random: Random, context: Context = NOTHING): number {
  return choose(logits, options, random, context).token;
}

/** As {@link sampleToken}, with the log-probabilities of what was drawn. */
export function sampleWithLogProbs(logits: Float32Array, options: SamplerOptions, random: Random, context: Context = NOTHING): { token: number; logProbs: DrawnLogProbs } {
  const { temperature } = options;
  const top = logits[argmax(logits)]!;
  const raw = logits.slice(); // [vocab]
  const { token, sampled } = choose(logits, options, random, context);
  const logProbAt = (t: number) => (raw[token]! - top) / t - Math.log(partition(raw, top, t));
  const model = logProbAt(1);
  return { token, logProbs: { model, tempered: temperature > 0 && temperature !== 1 ? logProbAt(temperature) : model, sampled } };
}

/** Σ exp((logit − top) / temperature). */
function partition(logits: Float32Array, top: number, temperature: number): number {
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp((logits[i]! - top) / temperature);
  return total;
}

function choose(logits: Float32Array, options: SamplerOptions, random: Random, context: Context): { token: number; sampled: number } {
  if (options.repetitionPenalty !== undefined) penalise(logits, context.seen ?? new Set(context.tokens), options.repetitionPenalty);
  if (context.banned) forbid(logits, context.tokens, context.banned);
  const likeliest = argmax(logits);
  if (!Number.isFinite(logits[likeliest]!) || logits.includes(NaN)) {
    throw new DuctusError("generate/not-a-number", "The model's answer is not a number, so nothing can be written with it.", "Choose another adapter, or train again.");
  }
  if (!(options.temperature > 0)) return { token: likeliest, sampled: 0 };
  const { ids, weights, total } = keep(logits, options);
  let rest = random.uniform() * total;
  let last = ids.length - 1;
  while (weights[last] === 0) last--; // never a token of no probability
  let i = 0;
  while (i < last && (rest -= weights[i]!) >= 0) i++;
  return { token: ids[i]!, sampled: Math.log(weights[i]! / total) };
}
