"use client";
/** What the last reading has to say: what could not be read, what was left out and why. Silent when all went well. */
import { clearIntake, intake } from "../_state/intake";
import { useStore } from "../_state/use-store";
import { ErrorNote } from "./error-note";
import { plural } from "./format";

/** How many are named before the rest is folded away. */
const NAMED = 6;

export function IntakeReport() {
  const { busy, reading, error, faults, leftOut, unwrapped, added } = useStore(intake, (i) => i);
  if (busy) return <p className="mt-4 quiet" role="status">Reading{reading && ` “${reading}”`}…</p>;
  if (error === null && faults.length === 0 && leftOut.length === 0 && unwrapped.length === 0) return null;
  return (
    <div className="intake-report">
      {error !== null && <ErrorNote error={error} />}
      {faults.slice(0, NAMED).map(({ name, error: fault }) => <ErrorNote key={name} error={fault} />)}
      {faults.length > NAMED && <p>{plural(faults.length - NAMED, "more file")} could not be read.</p>}
      {faults.length > 0 && added > 0 && <p className="quiet">The {added === 1 ? "piece that could be read was added" : `${added} pieces that could be read were added`}.</p>}
      {leftOut.length > 0 && (
        <details className="folded" open={leftOut.length <= NAMED}>
          <summary>{plural(leftOut.length, "piece was", "pieces were")} left out</summary>
          <ul className="mt-1 space-y-1">
            {leftOut.map(({ name, reason }, i) => <li key={i}><span className="[overflow-wrap:anywhere]">{name}</span>: <span className="quiet">{reason}</span></li>)}
          </ul>
        </details>
      )}
      {unwrapped.length > 0 && (
        <p className="quiet small">{unwrapped.length === 1 ? `“${unwrapped[0] ?? ""}” was` : plural(unwrapped.length, "file was", "files were")} broken into lines of a fixed width; the lines were joined into paragraphs.</p>
      )}
      <p><button type="button" className="link quiet small" onClick={clearIntake}>Put this away</button></p>
    </div>
  );
}
