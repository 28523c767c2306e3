"use client";
/** A run, going on or over: how it stands, its curve, and what the model wrote. */
import type { ReactNode } from "react";
import type { Hand } from "../../lib/store/types";
import { Curve } from "./curve";
import { Ended } from "./ended";
import { Figures } from "./figures";
import { Going } from "./going";
import { ModelLine } from "./model-line";
import type { RunView } from "./run-view";
import { Samples } from "./samples";
import { Used } from "./used";

interface Props {
  hand: Hand;
  view: RunView;
  canStart: boolean;
  onStart: () => void;
  /** The history. */
  children: ReactNode;
}

export function RunScreen({ hand, view, canStart, onStart, children }: Props) {
  const going = view.state === "active" || view.state === "elsewhere";
  return (
    <div className="folio">
      <div className="min-w-0">
        {going ? <Going view={view} own={hand.model !== undefined} /> : <Ended hand={hand} view={view} canStart={canStart} onStart={onStart} />}
        <Samples key={going ? "going" : "ended"} samples={view.samples} ended={!going} />
        <Curve points={view.points} version={view.version} totalSteps={view.live?.progress?.totalSteps ?? view.stored?.totalSteps ?? 0} />
      </div>
      <aside className="margin">
        <Figures view={view} />
        <Used view={view} />
        {!going && <ModelLine hand={hand} />}
        {children}
      </aside>
    </div>
  );
}
