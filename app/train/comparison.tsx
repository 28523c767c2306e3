"use client";
/** Two runs beside one another: what was set otherwise, and their curves over one axis. The comparing is lib/train/sft/compare-runs.ts's. */
import { useEffect, useMemo, useRef, useState } from "react";
import { listMetrics } from "../../lib/store/runs";
import type { Metric, Run } from "../../lib/store/types";
import { compareRuns, type RunComparison } from "../../lib/train/sft/compare-runs";
import { decimal } from "../_components/format";
import type { drawComparison } from "./comparison-draw";

interface Props {
  a: { run: Run; name: string };
  b: { run: Run; name: string };
}

export function Comparison({ a, b }: Props) {
  const [by, setBy] = useState<"steps" | "tokens">("steps");
  const [read, setRead] = useState<{ key: string; a: readonly Metric[]; b: readonly Metric[] } | null>(null);
  const key = `${a.run.id} ${a.run.step} ${b.run.id} ${b.run.step}`;
  useEffect(() => {
    let gone = false;
    const passOver = (): void => undefined;
    void Promise.all([listMetrics(a.run.id, passOver), listMetrics(b.run.id, passOver)]).then(([one, other]) => { if (!gone) setRead({ key, a: one, b: other }); }, passOver);
    return () => { gone = true; };
  }, [key, a.run.id, b.run.id]);
  const compared = useMemo(() => (read?.key === key ? compareRuns({ run: a.run, metrics: read.a }, { run: b.run, metrics: read.b }, by) : null), [read, key, a.run, b.run, by]);
  return (
    <section className="comparison" aria-labelledby="comparison" data-testid="comparison">
      <h2 id="comparison" className="section-title">“{a.name}” beside “{b.name}”</h2>
      {compared !== null && <Compared compared={compared} names={[a.name, b.name]} by={by} onBy={setBy} />}
    </section>
  );
}

function Compared({ compared, names, by, onBy }: { compared: RunComparison; names: readonly [string, string]; by: "steps" | "tokens"; onBy: (by: "steps" | "tokens") => void }) {
  const { settings, others, best, caution } = compared;
  const rows = [...settings, ...others];
  return (
    <>
      {caution !== null && <p className="mt-2" role="note">{caution}</p>}
      {best.a !== null && best.b !== null && caution === null && <p className="mt-2" data-testid="comparison-result">{verdict(best.a, best.b, names)}</p>}
      <fieldset className="comparison-by">
        <legend className="label">Loss over</legend>
        {(["steps", "tokens"] as const).map((one) => <label key={one} className="setting-check"><input type="radio" name="comparison-by" checked={by === one} onChange={() => onBy(one)} /> {one === "steps" ? "steps" : "tokens learned from"}</label>)}
      </fieldset>
      <Drawn compared={compared} names={names} />
      <div className="table-scroll" tabIndex={0} role="group" aria-label="What differs">
        <table className="table" data-testid="comparison-table">
          <caption className="sr-only">What differs between the two runs</caption>
          <thead><tr><th scope="col">What differs</th><th scope="col">{names[0]}</th><th scope="col">{names[1]}</th></tr></thead>
          <tbody>
            {rows.map(({ label, a, b }) => <tr key={label}><th scope="row">{label}</th><td>{a}</td><td>{b}</td></tr>)}
            {rows.length === 0 && <tr><td colSpan={3}>Nothing: they were set alike.</td></tr>}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Drawn({ compared, names }: { compared: RunComparison; names: readonly [string, string] }) {
  const root = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<ReturnType<typeof drawComparison> | null>(null);
  useEffect(() => {
    let gone = false;
    let made: ReturnType<typeof drawComparison> | null = null;
    void import("./comparison-draw").then((part) => {
      if (gone || root.current === null) return;
      made = part.drawComparison(root.current);
      setDrawing(made);
    }, () => undefined); // the table says what differs
    return () => {
      gone = true;
      made?.destroy();
      setDrawing(null);
    };
  }, []);
  useEffect(() => drawing?.update(compared), [drawing, compared]);
  return <div ref={root} className="curve" role="img" data-testid="comparison-curve" aria-label={`Loss on kept-aside text: the solid line is “${names[0]}”, the dashed one “${names[1]}”; training fainter.`} />;
}

function verdict(a: number, b: number, [one, other]: readonly [string, string]): string {
  const [lower, higher] = [Math.min(a, b), Math.max(a, b)];
  const numbers = `Lowest loss on what was kept aside: ${decimal(a, 3)} and ${decimal(b, 3)}.`;
  if (higher - lower < 0.002 * higher) return `${numbers} They came out alike.`;
  return `${numbers} “${a < b ? one : other}” came closer to this hand.`;
}
