/**
 * A figure with its 95 % interval, as reports carry it: JSON has no NaN, so what
 * cannot be said is null. Two ways to the interval. Sums over documents or
 * prompts are drawn anew with replacement (bootstrap.ts). Measures of how alike
 * texts are cannot be: a text that is drawn twice would repeat itself. For them
 * each prompt is left out once (the jackknife, J. Tukey 1958; B. Efron and R.
 * Tibshirani, "An introduction to the bootstrap", 1993, chapter 11).
 */
import "../zod";
import * as z from "zod";
import { bootstrap, mean } from "./bootstrap";

export const estimateSchema = z.strictObject({ value: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() });
export type Estimate = z.infer<typeof estimateSchema>;

/** Of fewer units no interval is given: even of five, all stand on one side of nothing by chance once in sixteen times. */
export const LEAST_UNITS = 6;

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Percentile bootstrap over the units. */
export function bootstrapEstimate<T>(units: readonly T[], statistic: (sample: readonly T[]) => number, seed: number | string): Estimate {
  const value = orNull(units.length === 0 ? NaN : statistic(units));
  if (units.length < LEAST_UNITS || value === null) return { value, low: null, high: null };
  const { low, high } = bootstrap(units, statistic, seed);
  return { value, low: orNull(low), high: orNull(high) };
}

/** The value and 1.96 standard errors of the jackknife to either side. */
export function jackknifeEstimate<T>(units: readonly T[], statistic: (sample: readonly T[]) => number): Estimate {
  const count = units.length;
  const value = orNull(count === 0 ? NaN : statistic(units));
  if (count < LEAST_UNITS || value === null) return { value, low: null, high: null };
  const without = units.map((_, i) => statistic(units.filter((_, j) => j !== i)));
  const middle = mean(without);
  const deviation = Math.sqrt(((count - 1) / count) * without.reduce((sum, one) => sum + (one - middle) ** 2, 0));
  return { value, low: orNull(value - 1.96 * deviation), high: orNull(value + 1.96 * deviation) };
}

/** The same function of value and bounds; `by` must not fall. */
export const mapEstimate = ({ value, low, high }: Estimate, by: (value: number) => number): Estimate =>
  ({ value: value === null ? null : orNull(by(value)), low: low === null ? null : orNull(by(low)), high: high === null ? null : orNull(by(high)) });
