"use client";
/** The curve with its reading, by mouse or arrow keys, and the same figures as a table. */
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { Metric } from "../../lib/store/types";
import { decimal } from "../_components/format";
import { curveData, heldOutAt, type CurveData } from "./curve-data";
import type { CurveDrawing } from "./curve-draw";
import type { CurveReading } from "../../lib/train/sft/reading";
import { Reading } from "./reading";

interface Props {
  points: readonly Metric[];
  /** Changes whenever `points` has, which may be the same growing array. */
  version: string;
  totalSteps: number;
  reading: CurveReading;
  going: boolean;
}

export function Curve({ points, version, totalSteps, reading, going }: Props) {
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `points` grows in place, `version` says when
  const data = useMemo(() => curveData(points, reading), [version, points, reading]);
  if (data.points === 0) return null;
  return <Drawn data={data} totalSteps={totalSteps}><Reading reading={reading} going={going} /></Drawn>;
}

function Drawn({ data, totalSteps, children }: { data: CurveData; totalSteps: number; children: ReactNode }) {
  const root = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<CurveDrawing | null>(null);
  const [failed, setFailed] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const id = useId();

  useEffect(() => {
    let gone = false;
    let made: CurveDrawing | null = null;
    import("./curve-draw").then(
      ({ drawCurve }) => {
        if (gone || root.current === null) return;
        made = drawCurve(root.current, setAt);
        setDrawing(made);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      made?.destroy();
      setDrawing(null);
    };
  }, []);
  useEffect(() => drawing?.update(data, totalSteps), [drawing, data, totalSteps]);

  const onKey = (event: KeyboardEvent): void => {
    const last = data.steps.length - 1;
    const from = at ?? last;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    drawing?.pointAt(Math.min(last, Math.max(0, to)));
  };

  return (
    <section className="curve-part" aria-labelledby={id}>
      <h2 id={id} className="label">How surprised the model is by the text (its loss), step by step; lower is better</h2>
      <div
        ref={root}
        className="curve"
        data-testid="curve"
        data-points={data.points}
        tabIndex={0}
        role="group"
        aria-roledescription="curve"
        aria-label={`Loss in training and on kept-aside text over ${data.steps.at(-1) ?? 0} steps. Left and right arrow keys read it point by point.`}
        onKeyDown={onKey}
      />
      {failed && <p className="quiet">The curve cannot be drawn without the network; its figures are in the table below.</p>}
      <p className="curve-reading small" aria-live="polite" data-testid="curve-reading">{pointWords(data, at)}</p>
      {children}
      <details className="folded">
        <summary className="small">The figures as a table</summary>
        <Table data={data} />
      </details>
    </section>
  );
}

function pointWords(data: CurveData, at: number | null): string {
  const i = at ?? data.steps.length - 1;
  const train = data.train[i] ?? null;
  const heldOut = heldOutAt(data, i);
  return [
    `Step ${data.steps[i] ?? 0}`,
    train === null ? null : `training ${decimal(train, 2)}`,
    heldOut === null ? null : `kept aside ${decimal(heldOut.loss, 2)}${heldOut.step === data.steps[i] ? "" : ` (step ${heldOut.step})`}`,
  ].filter((part) => part !== null).join(" · ");
}

function Table({ data }: { data: CurveData }) {
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Figures of the curve">
      <table className="table" data-testid="curve-table">
        <caption className="sr-only">Loss in nats a token</caption>
        <thead>
          <tr><th scope="col">Step</th><th scope="col" className="number">Training</th><th scope="col" className="number">Kept aside</th></tr>
        </thead>
        <tbody>
          {data.steps.map((step, i) => (
            <tr key={step}>
              <th scope="row">{step}</th>
              <td className="number">{figure(data.train[i])}</td>
              <td className="number">{figure(data.heldOut[i])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const figure = (loss: number | null | undefined): string => (loss == null ? "" : decimal(loss, 3));
