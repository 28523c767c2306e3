"use client";
/** How far the measuring has come, in words and as a stroke, and how to stop it. */
import type { MeasureEvent } from "../../workers/protocol";
import { bytes, count, roughly } from "../_components/format";
import { measuring, stopMeasuring } from "../_state/measuring";
import { useStore } from "../_state/use-store";

export function MeasureProgress() {
  const { event, stopping } = useStore(measuring, (m) => m);
  const share = event === null || event.total === 0 ? 0 : event.done / event.total;
  return (
    <div className="mt-6" data-testid="measure-progress">
      <div className="stroke run-stroke" role="progressbar" aria-label="Measuring" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)}><span style={{ width: `${100 * share}%` }} /></div>
      <p className="going-line">{stopping ? "Stopping…" : event === null ? "Opening…" : wordsOf(event)}</p>
      <div className="actions mt-3">
        <button type="button" className="button" data-testid="measure-stop" disabled={stopping} onClick={stopMeasuring}>Stop</button>
        <span className="quiet small">What is done is kept. You may leave this page meanwhile.</span>
      </div>
    </div>
  );
}

function wordsOf(event: MeasureEvent): string {
  if (event.type === "loading") return `Opening the model, ${bytes(event.done)} of ${bytes(event.total)}`;
  const { phase, done, total, remainingMs } = event;
  const left = remainingMs === null || done === total ? "" : `, ${roughly(remainingMs)} left`;
  switch (phase) {
    case "scoring":
      return `Reading what was kept aside, with both: ${count(done)} of ${count(total)}${left}; then they write`;
    case "writing":
      return `Writing on from passages kept aside: ${count(done)} of ${count(total)} texts${left}`;
    default:
      return phase satisfies never;
  }
}
