"use client";
/** The states of a run that were kept, one recommended: any of them can be made an adapter of its own. */
import { useEffect, useState } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import { subscribe } from "../../lib/store/changes";
import { listKept } from "../../lib/store/kept";
import type { Hand, KeptCheckpoint, Run } from "../../lib/store/types";
import { bestState, recommendedState } from "../../lib/train/sft/keep";
import { ErrorNote } from "../_components/error-note";
import { bytes, decimal } from "../_components/format";
import { adapterOfState, keepAsAdapter } from "../_state/run-records";

interface Props {
  hand: Hand;
  run: Run;
  adapters: readonly AdapterInfo[];
  /** By the curve's reading. */
  recommendedStep: number | null;
}

export function Kept({ hand, run, adapters, recommendedStep }: Props) {
  const states = useKeptStates(run.id);
  const [busy, setBusy] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  if (states.length === 0) return null;
  const choices = states.map((state) => ({ ...state, bytes: state.fileBytes }));
  const recommended = recommendedState(choices, recommendedStep)?.step, best = bestState(choices)?.step;
  const keep = async (state: KeptCheckpoint): Promise<void> => {
    setBusy(state.step);
    setError(null);
    await keepAsAdapter(hand, run, state.step).catch(setError);
    setBusy(null);
  };
  return (
    <section className="kept" aria-labelledby="kept-states" data-testid="kept-states">
      <h2 id="kept-states" className="label">States that were kept on the way</h2>
      <ul className="list-rows">
        {states.map((state) => {
          const own = adapterOfState(run, state.step, adapters);
          return (
            <li key={state.step} className="kept-row" data-testid="kept-state" data-step={state.step} data-recommended={state.step === recommended}>
              <span>After step {state.step}</span>
              <span className="quiet small">{state.step === recommended && <strong className="kept-mark">recommended · </strong>}{state.loss === null ? "not measured" : `kept aside ${decimal(state.loss, 3)}`}{state.step === best && ", the lowest"} · {bytes(state.fileBytes)}</span>
              {state.step === best && run.adapterId !== undefined ? <span className="small quiet">What the run came to</span>
                : own !== undefined ? <span className="small quiet">Kept as “{own.name}”</span>
                : <button type="button" className="link" data-testid="keep-state" disabled={busy !== null} onClick={() => void keep(state)}>{busy === state.step ? "Keeping…" : <>Keep <span className="sr-only">the one at step {state.step} </span>as an adapter</>}</button>}
            </li>
          );
        })}
      </ul>
      {error !== null && <div className="mt-3"><ErrorNote error={error} /></div>}
    </section>
  );
}

/** As stored, read again when the run changes. */
function useKeptStates(runId: string): readonly KeptCheckpoint[] {
  const [kept, setKept] = useState<{ runId: string; states: readonly KeptCheckpoint[] } | null>(null);
  useEffect(() => {
    let gone = false;
    const read = (): void => void listKept(runId, () => undefined).then((states) => { if (!gone) setKept({ runId, states }); }, () => undefined); // nothing to choose from then
    read();
    const unsubscribe = subscribe((change) => { if (change.kind === "everything" || (change.kind === "runs" && change.runId === runId)) read(); });
    return () => {
      gone = true;
      unsubscribe();
    };
  }, [runId]);
  return kept?.runId === runId ? kept.states : [];
}
