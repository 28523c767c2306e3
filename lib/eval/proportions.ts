/**
 * Shares of yes and no with what chance leaves open: Wilson's score interval (E.
 * Wilson, "Probable inference, the law of succession, and statistical
 * inference", 1927) and the two-sided exact binomial test against one half, which
 * on pairs is the sign test.
 */
import type { Interval } from "./bootstrap";

/** Of the normal distribution: 95 % lie within so many deviations. */
const Z = 1.959963984540054;

/** @param successes may be broken: a tie counts half. @returns the interval of the share; 0 to 1 where nothing was tried */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials, spread = (Z * Z) / trials;
  const middle = share + spread / 2;
  const half = Z * Math.sqrt((share * (1 - share)) / trials + spread / (4 * trials));
  return { low: Math.max(0, (middle - half) / (1 + spread)), high: Math.min(1, (middle + half) / (1 + spread)) };
}

/** How likely it is that even chances part as far as this or farther, 0 to 1. Ties are left out. */
export function signTestP(wins: number, losses: number): number {
  const trials = wins + losses, few = Math.min(wins, losses);
  // The terms of one tail, from the last one down: logarithms, so that thousands of trials do not come to nothing.
  let logTerm = -trials * Math.LN2, tail = 0;
  for (let k = 0; k <= few; k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((trials - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}
