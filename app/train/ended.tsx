"use client";
/** How a run ended, in a sentence, and what to do next: go on with one that was cut off, save what found no room, read, train again. */
import Link from "next/link";
import { useState } from "react";
import type { Hand, Run } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { fileName, plural } from "../_components/format";
import { canGoOn } from "../_components/go-on";
import { resultSentence } from "../_components/result-sentence";
import { saveAs } from "../_components/save-as";
import { goOnFrom, recipe } from "../_state/recipe";
import { continueRun, keepUnsaved, letUnsavedGo } from "../_state/run";
import { fitsHand } from "../_state/situation";
import { startAdapter } from "../_state/starting";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { useGoneModelOf, useModelGone } from "./model-line";
import type { RunView } from "./run-view";
import { Setup } from "./setup";
import { StartButton } from "./start-button";
import { useRecipe } from "./use-recipe";

interface Props {
  hand: Hand;
  view: RunView;
  canStart: boolean;
  /** A link has brought settings. */
  linked: boolean;
  onStart: () => void;
}

export function Ended({ hand, view, canStart, linked, onStart }: Props) {
  const kept = view.adapterId !== null;
  const modelGone = useModelGone(hand);
  const left = canStart ? goesOnFrom(view) : null;
  const gone = useGoneModelOf(left);
  const adapters = useStore(workspace, (w) => w.adapters);
  const [toggled, setToggled] = useState<boolean | null>(null);
  const goesOn = useStore(recipe, () => startAdapter(hand) !== null);
  const { faults } = useRecipe(hand);
  const setting = canStart && (toggled ?? linked);
  const own = adapters.find(({ id }) => id === view.adapterId);
  const fits = own !== undefined && fitsHand(own, hand) ? own.id : null;
  return (
    <section data-testid="run-status" data-state={view.state}>
      <h1 className="title">{headline(view)}</h1>
      {view.report !== null && <p className="lead" data-testid="result">{resultSentence(view.report)}</p>}
      {view.state === "interrupted" && <p className="lead">{interruption(view.stored, kept)}</p>}
      {view.state === "failed" && <div className="mt-5"><ErrorNote error={view.error ?? new Error("The run failed without saying why.")} /></div>}
      {!kept && (view.state === "finished" || view.state === "stopped") && <p className="lead">{stepsOf(view) === 0 ? "It had learned nothing yet, so there is nothing to keep. Your writing is as it was." : "Its adapter is no longer here."}</p>}
      {gone !== null && <p className="lead" data-testid="run-model-gone">It was learning with “{gone}”, which is no longer in this browser. <Link className="link" href="/models">Bring its folder in again</Link>, and the run can go on.</p>}
      {view.unsaved !== null && <Unsaved {...view.unsaved} error={view.error} />}
      <div className="actions mt-7">
        {left !== null && <button type="button" className="button button-primary" data-testid="go-on" disabled={gone !== null} onClick={() => { onStart(); void continueRun(left); }}>Go on from step {left.checkpointStep}</button>}
        {kept && <Link href="/compare#read" className={left === null && view.unsaved === null ? "button button-primary" : "button"}>Read before and after</Link>}
        {canStart && view.unsaved === null && <StartButton hand={hand} quiet={kept || left !== null} disabled={modelGone} onStart={onStart}>{goesOn ? "Start from what was learned" : left !== null ? "Start anew" : kept ? "Train again" : "Start again"}</StartButton>}
        {canStart && fits !== null && view.unsaved === null && <button type="button" className="button" data-testid="teach-further" onClick={() => { goOnFrom(fits); setToggled(true); }}>Teach it further</button>}
        {canStart && view.unsaved === null && <button type="button" className="link" data-testid="set-up" aria-expanded={setting} onClick={() => setToggled(!setting)}>{setting ? "Leave it set so" : "How the next one is set"}</button>}
      </div>
      {canStart && !setting && faults.length > 0 && <p className="small setup-fault mt-3">{faults.map(({ message }) => message).join(" ")}</p>}
      {setting && <Setup hand={hand} adapters={adapters} open={linked} />}
    </section>
  );
}

/** A run that was cut off, or that a fault ended, where there is a step to go on from. One whose numbers ran away would only do so again. */
function goesOnFrom({ state, stored, error }: RunView): (Run & { checkpointStep: number }) | null {
  if (error?.code === "train/diverged" || error?.code === "train/checkpoint-other") return null;
  return stored !== null && (state === "interrupted" || state === "failed") && canGoOn(stored) ? stored : null;
}

/** What it learned, while it is in this tab only. */
function Unsaved({ name, file, error }: NonNullable<RunView["unsaved"]> & { error: RunView["error"] }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(error);
  const [asking, setAsking] = useState(false);
  const again = async (): Promise<void> => {
    setBusy(true);
    try {
      await keepUnsaved();
    } catch (reason) {
      setFault(reason);
      setBusy(false);
    }
  };
  return (
    <div className="mt-5" data-testid="unsaved">
      <ErrorNote error={fault}>
        <button type="button" className="button button-primary" data-testid="save-unsaved" onClick={() => saveAs(file, fileName(name, ".safetensors"), "application/octet-stream")}>Download what it learned</button>
        <button type="button" className="button" data-testid="keep-unsaved" disabled={busy} onClick={() => void again()}>{busy ? "Trying…" : "Try again to keep it here"}</button>
        <button type="button" className="link quiet" data-testid="let-go" disabled={busy} onClick={() => setAsking(true)}>Let it go</button>
      </ErrorNote>
      <p className="mt-4 max-w-[38rem]">Until then it is in this tab only: closing the tab would lose it, and no other run can begin.</p>
      {asking && (
        <Confirm
          title="Let go of what it learned?"
          body={`What the model learned of “${name}” in this run will be gone, except for a file that you have downloaded. The writing, the curve and the samples stay.`}
          action="Let it go"
          onConfirm={letUnsavedGo}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}

const stepsOf = ({ live, stored }: RunView): number => live?.progress?.step ?? stored?.step ?? 0;

function headline(view: RunView): string {
  const steps = stepsOf(view);
  const { state } = view;
  switch (state) {
    case "finished":
      return "It has learned what it could";
    case "stopped":
      return steps === 0 ? "Stopped before its first step" : `Stopped after ${plural(steps, "step")}; what it learned is kept`;
    case "interrupted":
      return "This run was interrupted";
    case "unsaved":
      return unsavedHeadline(view.unsaved?.stopped ?? false, view.error?.code === "store/full", steps);
    case "failed":
      return "This run could not go on";
    case "active":
    case "elsewhere":
      return "Learning";
    default:
      return state satisfies never;
  }
}

function unsavedHeadline(stopped: boolean, full: boolean, steps: number): string {
  if (stopped) return `Stopped after ${plural(steps, "step")}; ${full ? "there is no room to keep what it learned" : "what it learned could not be kept"}`;
  return `It has learned what it could, ${full ? "and there is no room to keep it" : "but that could not be kept"}`;
}

function interruption(stored: Run | null, kept: boolean): string {
  const where = stored !== null && stored.totalSteps > 0 ? ` at step ${stored.step} of ${stored.totalSteps}` : " before its first step";
  const learned = stored !== null && canGoOn(stored) ? `It can go on from step ${stored.checkpointStep}, just as if nothing had happened.`
    : kept ? "What it had learned by its last check is kept." : "What it had learned was lost with the tab; start again when you like.";
  return `The tab was closed or reloaded, or the browser ended the run,${where}. Your writing is safe, and so are this run’s curve and samples. ${learned}`;
}
