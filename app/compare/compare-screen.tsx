"use client";
/** Decides what the compare page shows: one of its parts, or the way to something to compare. */
import Link from "next/link";
import { useEffect, useId, useMemo } from "react";
import { heldOutPassages } from "../../lib/data/held-out-passages";
import { splitOf } from "../../lib/store/hand-split";
import { date } from "../_components/format";
import { Waiting } from "../_components/waiting";
import { warmWriter } from "../_engine/writer";
import { chooseAdapter, comparing, followAddress, openPart, type ComparePart } from "../_state/comparing";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { Compare } from "./compare";
import { Judge } from "./judge";
import { Measured } from "./measured";
import { useWritingChanged } from "./use-writing-changed";

const PARTS: readonly { part: ComparePart; name: string }[] = [
  { part: "read", name: "Read" },
  { part: "measured", name: "Measured" },
  { part: "judge", name: "Judge" },
];

export function CompareScreen() {
  const { phase, hand, used: documents, runs, adapters } = useStore(workspace, (w) => w);
  const { part, adapterId } = useStore(comparing, (c) => c);
  const id = useId();
  const passages = useMemo(() => (hand === null ? [] : heldOutPassages(splitOf(hand, documents), hand.seed)), [hand, documents]);
  useEffect(() => {
    warmWriter();
    followAddress();
    addEventListener("hashchange", followAddress);
    return () => removeEventListener("hashchange", followAddress);
  }, []);
  const adapter = adapters.find((a) => a.id === adapterId) ?? adapters.at(-1);
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
      <header className="compare-head">
        <h1 className="title">Before and after</h1>
        <nav aria-label="Ways to compare" className="compare-parts">
          {PARTS.map(({ part: one, name }) => (
            <a key={one} href={`#${one}`} aria-current={one === part ? "true" : undefined} data-testid={`part-${one}`} onClick={(event) => { event.preventDefault(); openPart(one); }}>{name}</a>
          ))}
        </nav>
        {adapters.length > 1 && (
          <div className="compare-adapter">
            <label htmlFor={`${id}-adapter`}>Taught by</label>
            <select id={`${id}-adapter`} className="prompt-list" value={adapter.id} onChange={(event) => chooseAdapter(event.currentTarget.value)}>
              {[...adapters].reverse().map((a) => <option key={a.id} value={a.id}>{`${a.name}, ${date(a.createdAt)}`}</option>)}
            </select>
          </div>
        )}
      </header>
      {part === "measured"
        ? <Measured key={adapter.id} hand={hand} adapter={adapter} adapters={adapters} documents={documents} changed={changed} />
        : part === "judge" ? <Judge key={adapter.id} hand={hand} adapter={adapter} passages={passages} changed={changed} />
        : <Compare key={hand.id} hand={hand} adapter={adapter} documents={documents} passages={passages} changed={changed} />}
    </div>
  );
}
