"use client";
/** How a run ended, in a sentence, and what to do next. */
import Link from "next/link";
import type { Hand, Run } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { plural } from "../_components/format";
import { resultSentence } from "../_components/result-sentence";
import type { RunView } from "./run-view";
import { StartButton } from "./start-button";

interface Props {
  hand: Hand;
  view: RunView;
  canStart: boolean;
  onStart: () => void;
}

export function Ended({ hand, view, canStart, onStart }: Props) {
  const kept = view.adapterId !== null;
  return (
    <section data-testid="run-status" data-state={view.state}>
      <h1 className="title">{headline(view)}</h1>
      {view.report !== null && <p className="lead" data-testid="result">{resultSentence(view.report)}</p>}
      {view.state === "interrupted" && <p className="lead">{interruption(view.stored, kept)}</p>}
      {view.state === "failed" && <div className="mt-5"><ErrorNote error={view.error ?? new Error("The run failed without saying why.")} /></div>}
      {!kept && (view.state === "finished" || view.state === "stopped") && <p className="lead">{stepsOf(view) === 0 ? "It had learned nothing yet, so there is nothing to keep. Your writing is as it was." : "Its adapter is no longer here."}</p>}
      <div className="actions mt-7">
        {kept && <Link href="/compare" className="button button-primary">Read before and after</Link>}
        {canStart && <StartButton hand={hand} quiet={kept} onStart={onStart}>{kept ? "Train again" : "Start again"}</StartButton>}
      </div>
    </section>
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
    case "failed":
      return "This run could not go on";
    case "active":
    case "elsewhere":
      return "Learning";
    default:
      return state satisfies never;
  }
}

function interruption(stored: Run | null, kept: boolean): string {
  const where = stored !== null && stored.totalSteps > 0 ? ` at step ${stored.step} of ${stored.totalSteps}` : " before its first step";
  return `The tab was closed or reloaded, or the browser ended the run,${where}. Your writing is safe, and so are this run's curve and samples. ${kept ? "What it had learned by its last check is kept." : "What it had learned was lost with the tab; start again when you like."}`;
}
