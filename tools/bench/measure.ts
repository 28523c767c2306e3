/**
 * What a benchmark suite is to `npm run bench`: a module `tools/bench/SUITE.ts`
 * that exports `run`. It yields each measure the moment it is known; the
 * dispatcher (index.ts) prints it as a line of JSON.
 */

/** Absent where it does not apply. `value: null` with `error`: the measure failed. `ratio: null`: the peer is not here. */
export interface Measure {
  name: string;
  value: number | null;
  unit: string;
  /** The peer's value, from this very run. */
  baseline?: number | null;
  /** value / baseline. */
  ratio?: number | null;
  low?: number;
  high?: number;
  /** Rounds, documents or whatever `low` and `high` were drawn over. */
  n?: number;
  error?: string;
  /** Versions, threads, number type and the like. */
  note?: string;
}

export interface BenchArgs {
  /** Everything after the suite's name except `--only`. */
  argv: string[];
  /** Whether `--only` lets this measure run; do no work for one that it does not. */
  wants: (name: string) => boolean;
}

/** A line may carry more than a number. */
export type Line = Measure & Record<string, unknown>;

/** A measure that fails costs none of the others. */
export async function attempt(name: string, unit: string, work: () => Promise<Measure>): Promise<Measure> {
  try {
    return await work();
  } catch (error) {
    console.error(error);
    return { name, value: null, unit, error: error instanceof Error ? error.message : String(error) };
  }
}

/** What a measure is to reach, and whether it does. @param value of the line, in its unit */
export function aim(value: number, sign: "≤" | "≥", target: number): { target: string; met: boolean } {
  return { target: `${sign} ${target}`, met: sign === "≤" ? value <= target : value >= target };
}

export type Run = (args: BenchArgs) => AsyncIterable<Measure>;

/** @throws RangeError on an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("The median of nothing");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
