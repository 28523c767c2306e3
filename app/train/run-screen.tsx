"use client";
/** A run, going on or over: how it stands, its curve, and what the model wrote. */
import dynamic from "next/dynamic";
import { useState, type ReactNode } from "react";
import type { Hand, Run } from "../../lib/store/types";
import { namesOf } from "../_state/run-records";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { Agreement } from "./agreement";
import { Curve } from "./curve";
import { Ended } from "./ended";
import { Figures } from "./figures";
import { Going } from "./going";
import { Kept } from "./kept";
import { ModelLine } from "./model-line";
import { useReading } from "./reading";
import type { RunView } from "./run-view";
import { Samples } from "./samples";
import { Used } from "./used";

const Comparison = dynamic(() => import("./comparison").then((part) => part.Comparison), { ssr: false });

interface Props {
  hand: Hand;
  view: RunView;
  canStart: boolean;
  onStart: () => void;
  linked: boolean;
  /** Another run to be compared with it; null: none. */
  beside: Run | null;
  /** The history. */
  children: ReactNode;
}

export function RunScreen({ hand, view, canStart, linked, beside, onStart, children }: Props) {
  const going = view.state === "active" || view.state === "elsewhere";
  const reading = useReading(view.points, view.version);
  const { runs, adapters } = useStore(workspace, (w) => w);
  const [now] = useState(() => Date.now());
  const { stored } = view;
  const nameOf = (run: Run): string => namesOf(runs, now)[runs.findIndex(({ id }) => id === run.id)] ?? "";
  return (
    <div className="folio">
      <div className="min-w-0">
        {going ? <Going view={view} own={hand.model !== undefined} /> : <Ended hand={hand} view={view} canStart={canStart} linked={linked} onStart={onStart} />}
        <Samples key={going ? "going" : "ended"} samples={view.samples} ended={!going} began={stored?.start?.name ?? null} />
        <Curve points={view.points} version={view.version} totalSteps={view.live?.progress?.totalSteps ?? stored?.totalSteps ?? 0} reading={reading} going={going} />
        {!going && stored !== null && <Kept hand={hand} run={stored} adapters={adapters} recommendedStep={reading.recommendedStep} />}
        {!going && stored !== null && beside !== null && <Comparison key={`${stored.id} ${beside.id}`} a={{ run: stored, name: nameOf(stored) }} b={{ run: beside, name: nameOf(beside) }} />}
      </div>
      <aside className="margin">
        <Figures view={view} />
        {view.live !== null && <Agreement live={view.live} />}
        <Used view={view} />
        {!going && <ModelLine hand={hand} />}
        {children}
      </aside>
    </div>
  );
}
