"use client";
/** Decides what the compare page shows: something to compare, or the way to it. */
import Link from "next/link";
import { useEffect, useMemo, useState } from "react";
import { Waiting } from "../_components/waiting";
import { warmWriter } from "../_engine/writer";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { Compare } from "./compare";
import { Scores } from "./scores";
import { heldOutPassages } from "./passages";
import { useWritingChanged } from "./use-writing-changed";

export function CompareScreen() {
  const { phase, hand, used: documents, runs, adapters } = useStore(workspace, (w) => w);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const passages = useMemo(() => (hand === null ? [] : heldOutPassages(hand, documents)), [hand, documents]);
  useEffect(() => warmWriter(), []);
  const adapter = adapters.find((a) => a.id === chosenId) ?? adapters.at(-1);
  const changed = useWritingChanged(hand, documents, runs.find((r) => r.id === adapter?.runId) ?? null);

  if (phase === "loading") return <Waiting title="Compare" />;
  if (hand === null || adapter === undefined) {
    return (
      <div className="folio-wide">
        <h1 className="title">There is nothing to compare yet</h1>
        <p className="lead">Once the model has learned a hand, you can read here what it writes before and after, side by side. <Link className="link" href={hand === null ? "/" : "/train"}>{hand === null ? "Begin with some writing" : "Train it first"}</Link>.</p>
      </div>
    );
  }
  return (
    <div className="compare">
      <Compare key={hand.id} hand={hand} adapter={adapter} adapters={adapters} passages={passages} changed={changed} onChoose={setChosenId} />
      <Scores key={adapter.id} hand={hand} adapter={adapter} changed={changed} />
    </div>
  );
}
