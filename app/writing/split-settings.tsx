"use client";
/** Dividing the writing otherwise: two shares that are kept aside, the rest is learned from, and the seed that deals the pieces. */
import { useId, useState } from "react";
import { SHARE_BOUNDS, shareFault, SHARES, type Shares } from "../../lib/data/split";
import type { Hand } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { divide } from "../_state/pieces";
import { PART_KEYS } from "./parts";

const percent = (share: number): number => Math.round(100 * share);
const MAX_SEED = 999_999;

export function SplitSettings({ hand, hasLearned }: { hand: Hand; hasLearned: boolean }) {
  const now = hand.shares ?? SHARES;
  const [validation, setValidation] = useState(percent(now.validation));
  const [test, setTest] = useState(percent(now.test));
  const [seed, setSeed] = useState(hand.seed);
  const [error, setError] = useState<unknown>(null);
  const id = useId();
  const shares: Shares = { train: (100 - validation - test) / 100, validation: validation / 100, test: test / 100 };
  const fault = shareFault(shares);
  const changed = validation !== percent(now.validation) || test !== percent(now.test) || seed !== hand.seed;
  const usual = percent(SHARES.validation) === validation && percent(SHARES.test) === test;

  const apply = async (chosen: Shares | null, chosenSeed: number): Promise<void> => {
    setError(null);
    await divide(hand, chosen, chosenSeed).catch(setError);
  };
  const slider = (part: "validation" | "test", value: number, set: (value: number) => void) => (
    <p>
      <label htmlFor={`${id}-${part}`} className="split-label"><span>{PART_KEYS[part]}</span><span>{value} %</span></label>
      <input id={`${id}-${part}`} type="range" min={percent(SHARE_BOUNDS[part][0])} max={percent(SHARE_BOUNDS[part][1])} value={value} data-testid={`share-${part}`} onChange={(event) => set(event.currentTarget.valueAsNumber)} />
    </p>
  );
  return (
    <details className="folded split-settings" data-testid="split-settings">
      <summary>Divide it otherwise</summary>
      <form onSubmit={(event) => { event.preventDefault(); if (fault === null) void apply(usual ? null : shares, seed); }}>
        {slider("validation", validation, setValidation)}
        {slider("test", test, setTest)}
        <p className="split-label"><span>{PART_KEYS.train}</span><span>{percent(shares.train)} %</span></p>
        <p className="split-label">
          <label htmlFor={`${id}-seed`}>Seed: the same number deals the pieces in the same way</label>
          <input id={`${id}-seed`} type="number" className="field split-seed" min={1} max={MAX_SEED} step={1} required value={Number.isNaN(seed) ? "" : seed} data-testid="split-seed" onChange={(event) => setSeed(event.currentTarget.valueAsNumber)} />
        </p>
        {fault !== null && <p role="alert">{fault}</p>}
        {hasLearned && changed && <p className="quiet small">What was learned before was learned from the division of then. Figures of then and of now cannot be compared, and it may know pieces that are kept aside now.</p>}
        {error !== null && <ErrorNote error={error} />}
        <p className="actions">
          <button type="submit" className="button" disabled={fault !== null || !changed || Number.isNaN(seed)} data-testid="divide">Divide it so</button>
          {hand.shares !== undefined && <button type="button" className="link" onClick={() => {
            setValidation(percent(SHARES.validation));
            setTest(percent(SHARES.test));
            void apply(null, hand.seed);
          }}>Back to 80, 10 and 10 %</button>}
        </p>
      </form>
    </details>
  );
}
