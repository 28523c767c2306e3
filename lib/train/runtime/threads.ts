/**
 * How many threads the processor path uses. On few cores all is best; on many,
 * or busy ones, it is not: what is best is measured. The count is settled for a
 * worker by the first session in it (onnxruntime-web has one pool of threads for
 * the whole of its module, and takes no other number for a session), so that
 * each candidate is timed in a worker of its own. The order in which numbers are
 * added up depends on the count: who wants equal bits again asks for the same.
 * This file loads no runtime, so that the page may import it.
 */

/** So that a machine with very many cores does not start a worker for each. */
const MOST = 16;
/** A count with fewer threads is taken where it is slower by no more than this: the page needs the processor too. */
const WORTH_A_THREAD = 1.05;

/**
 * All of few cores; half of many, which are mostly two hyperthreads to a core.
 * One where the page is not cross-origin isolated.
 */
export function defaultThreads(): number {
  if (!globalThis.crossOriginIsolated) return 1;
  const cores = navigator.hardwareConcurrency || 1;
  return cores <= 4 ? cores : Math.min(8, Math.ceil(cores / 2));
}

/** The counts worth timing, ascending: one, half of the cores, all of them. */
export function threadCandidates(cores: number): number[] {
  const all = Math.min(MOST, Math.max(1, cores));
  return [...new Set([1, Math.ceil(all / 2), all])].sort((a, b) => a - b);
}

export interface Calibration {
  threads: number;
  /** Of each candidate that could be timed, ms. */
  times: { threads: number; ms: number }[];
}

/**
 * The quickest of the candidates; of two that are alike the one with fewer threads.
 *
 * @param time milliseconds with so many threads, see calibrate.ts; called for one candidate after the other
 * @param candidates ascending
 * @throws what `time` threw, where no candidate could be timed
 */
export async function calibrateThreads(time: (threads: number) => Promise<number>, candidates: readonly number[]): Promise<Calibration> {
  const times: Calibration["times"] = [];
  let failure: unknown = null;
  for (const threads of candidates) {
    try {
      times.push({ threads, ms: await time(threads) });
    } catch (error) {
      failure = error;
    }
  }
  const best = Math.min(...times.map(({ ms }) => ms));
  const chosen = times.find(({ ms }) => ms <= best * WORTH_A_THREAD);
  if (!chosen) throw failure instanceof Error ? failure : new Error(String(failure));
  return { threads: chosen.threads, times };
}
