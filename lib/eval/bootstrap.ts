/** Percentile bootstrap intervals (B. Efron, 1979) of a statistic over documents, prompts or passages. */
import { Random } from "../core/random";

export interface Interval {
  low: number;
  high: number;
}

const RESAMPLES = 2000;

/**
 * The middle 95 % of a statistic over samples of the items, with replacement. Where two systems are compared on the same
 * items, an item holds both.
 *
 * @param statistic of as many items as are given; samples for which it is no number are left out
 */
export function bootstrap<T>(items: readonly T[], statistic: (sample: readonly T[]) => number, seed: number | string, resamples = RESAMPLES): Interval {
  const random = new Random(`bootstrap/${seed}`);
  const values = Array.from({ length: resamples }, () => statistic(items.map(() => random.pick(items)))).filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? NaN;
  return { low: at(0.025), high: at(0.975) };
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
