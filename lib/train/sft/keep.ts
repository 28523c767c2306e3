/**
 * Which states of a run are kept to choose from later: the first, the best, the
 * last, and others evenly spread between them, within a number and a size. The
 * checkpoint that the run would go on from is another matter, and always kept
 * (lib/store/checkpoints.ts).
 */

export interface KeptState {
  /** Steps done. */
  step: number;
  /** Held-out loss there; null where it was not measured. */
  loss: number | null;
  bytes: number;
}

export interface KeepLimits {
  maxCount: number;
  maxBytes: number;
}

/** An adapter of the embedded model takes a megabyte, of half a billion parameters some twenty. */
export const KEEP_LIMITS: KeepLimits = { maxCount: 6, maxBytes: 160e6 };

/** The state with the lowest held-out loss, the earliest of equals; where nothing was measured the last. Null where there is none. */
export function bestState<S extends KeptState>(states: readonly S[]): S | null {
  const measured = states.filter(({ loss }) => loss !== null && Number.isFinite(loss));
  if (measured.length === 0) return states.reduce<S | null>((last, state) => (last === null || state.step > last.step ? state : last), null);
  return measured.reduce((best, state) => (state.loss! < best.loss! || (state.loss === best.loss && state.step < best.step) ? state : best));
}

/**
 * The state to recommend of those that are kept: the one that the curve's reading names, else the best.
 * @param recommendedStep see readCurve
 */
export function recommendedState<S extends KeptState>(states: readonly S[], recommendedStep: number | null): S | null {
  return states.find(({ step }) => step === recommendedStep) ?? bestState(states);
}

/**
 * @param always steps that stay whatever the limits, such as the one that somebody looks at
 * @returns the steps to keep, ascending. The best stays even where it alone is too large
 */
export function stepsToKeep(states: readonly KeptState[], { maxCount, maxBytes }: KeepLimits = KEEP_LIMITS, always: readonly number[] = []): number[] {
  const kept = [...states].sort((a, b) => a.step - b.step);
  const best = bestState(kept);
  const tooMuch = () => kept.length > maxCount || kept.reduce((sum, { bytes }) => sum + bytes, 0) > maxBytes;
  /** How much is lost with a state: the gap that it would leave; more than any gap for the first, more for the last. */
  const worth = (i: number): number => (i === kept.length - 1 ? Infinity : i === 0 ? Number.MAX_VALUE : kept[i + 1]!.step - kept[i - 1]!.step);
  while (tooMuch()) {
    const least = [...kept.keys()].filter((i) => kept[i] !== best && !always.includes(kept[i]!.step)).reduce<number | null>((low, i) => (low === null || worth(i) < worth(low) ? i : low), null);
    if (least === null) break;
    kept.splice(least, 1);
  }
  return kept.map(({ step }) => step);
}
