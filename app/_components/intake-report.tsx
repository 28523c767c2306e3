"use client";
/** What is being read, with the way to stop it; then what could not be read, what was left out and why. Silent when all went well. */
import { useState } from "react";
import type { Said } from "../../workers/importer-protocol";
import { clearIntake, intake, stopIntake, type Intake } from "../_state/intake";
import { useStore } from "../_state/use-store";
import { ErrorNote } from "./error-note";
import { bytes, count, plural, roughly } from "./format";

/** How many are named before the rest is folded away. */
const NAMED = 6;
/** Lines of a group that are shown at once, and from how many on they can be searched. */
const SHOWN = 100, SEARCHED = 20;

export function IntakeReport() {
  const state = useStore(intake, (i) => i);
  const { error, unlooked, faults, leftOut, unwrapped, unsaid, added, stopped, busy } = state;
  const quiet = error === null && unlooked === null && faults.length + leftOut.length + unwrapped.length === 0 && !stopped;
  if (quiet && !busy) return null;
  return (
    <div className="intake-report" data-testid="intake-report">
      {busy && <Going state={state} />}
      {!busy && stopped && <p role="status">Stopped. {added === 0 ? "Nothing had been read yet." : `${plural(added, "piece that had been read is", "pieces that had been read are")} here.`}</p>}
      {error !== null && <ErrorNote error={error} />}
      {error !== null && added > 0 && <p className="quiet">{plural(added, "piece")} {added === 1 ? "was" : "were"} stored before that, and {added === 1 ? "is" : "are"} safe.</p>}
      {unlooked !== null && <ErrorNote error={{ ...unlooked, message: `The pieces are here, but they could not be looked over. ${unlooked.message}` }} />}
      {faults.slice(0, NAMED).map(({ name, error: fault }, i) => <ErrorNote key={`${i} ${name}`} error={fault} />)}
      {faults.length > NAMED && <Group title={`${plural(faults.length - NAMED, "more file")} could not be read`} lines={faults.slice(NAMED).map(({ name, error: fault }) => ({ name, reason: fault.message }))} />}
      {!busy && faults.length > 0 && added > 0 && <p className="quiet">The {added === 1 ? "piece that could be read was added" : `${count(added)} pieces that could be read were added`}.</p>}
      {leftOut.length <= NAMED ? <Lines lines={leftOut} /> : groupsOf(leftOut).map(({ kind, lines }) => (lines.length === 1 ? <Lines key={kind} lines={lines} /> : <Group key={kind} title={titleOf(lines.length, kind)} lines={lines} />))}
      {unwrapped.length > 0 && (
        <p className="quiet small">{unwrapped.length === 1 ? `“${unwrapped[0] ?? ""}” was` : plural(unwrapped.length, "file was", "files were")} broken into lines of a fixed width; the lines were joined into paragraphs.</p>
      )}
      {unsaid > 0 && <p className="quiet small">There is more of the same kind: {plural(unsaid, "line")} that {unsaid === 1 ? "is" : "are"} not listed here.</p>}
      {!busy && <p><button type="button" className="link quiet small" onClick={clearIntake}>Put this away</button></p>}
    </div>
  );
}

function Going({ state: { progress, stopping, waiting } }: { state: Intake }) {
  const looking = progress?.phase === "looking";
  const share = progress === null || !Number.isFinite(progress.total) || progress.total === 0 ? 0 : Math.min(1, progress.done / progress.total);
  return (
    <div data-testid="intake-progress">
      <p role="status" className="sr-only">{looking ? "Looking over what was read" : "Reading your files"}</p>
      <p className="intake-now">{looking ? "Looking over what was read…" : progress === null || progress.name === "" ? "Reading…" : <>Reading “{progress.name}”…</>}</p>
      <div className="stroke mt-2" role="progressbar" aria-label={looking ? "Looked over" : "Read"} aria-valuenow={Math.round(100 * share)} aria-valuemin={0} aria-valuemax={100}><span style={{ width: `${100 * share}%` }} /></div>
      <p className="quiet small mt-2">{progress === null ? " " : progressWords(progress)}</p>
      <p className="actions mt-1">
        <button type="button" className="link" onClick={stopIntake} disabled={stopping}>{stopping ? "Stopping…" : "Stop"}</button>
        {waiting > 0 && <span className="quiet small">{waiting === 1 ? "What you gave meanwhile comes next." : `${count(waiting)} more lots wait their turn.`}</span>}
      </p>
    </div>
  );
}

function progressWords({ phase, done, total, files, filesDone, pieces, remainingMs }: NonNullable<Intake["progress"]>): string {
  const left = remainingMs === null ? "" : `; ${roughly(remainingMs)} left`;
  if (phase === "looking") return Number.isFinite(total) ? `${count(done)} of ${plural(total, "piece")}${left}` : "For what is not yours, copies and languages";
  const ofFiles = files > 1 ? `${count(filesDone)} of ${plural(files, "file")}, ` : "";
  return `${ofFiles}${bytes(done)} of ${bytes(total)}; ${plural(pieces, "piece")} kept so far${left}`;
}

function Lines({ lines }: { lines: readonly Said[] }) {
  if (lines.length === 0) return null;
  return (
    <ul className="space-y-1">
      {lines.map(({ name, reason }, i) => <li key={i}><span className="[overflow-wrap:anywhere]">{name}</span>: <span className="quiet">{reason}</span></li>)}
    </ul>
  );
}

function Group({ title, lines }: { title: string; lines: readonly Said[] }) {
  const [query, setQuery] = useState("");
  const [shown, setShown] = useState(SHOWN);
  const found = query.trim() === "" ? lines : lines.filter(({ name, reason }) => `${name} ${reason}`.toLowerCase().includes(query.trim().toLowerCase()));
  return (
    <details className="folded">
      <summary>{title}</summary>
      {lines.length >= SEARCHED && <input type="search" className="field mb-2" aria-label={`Search: ${title}`} placeholder="Search these" value={query} onChange={(event) => setQuery(event.currentTarget.value)} />}
      <Lines lines={found.slice(0, shown)} />
      {found.length === 0 && <p className="quiet">None of them.</p>}
      {found.length > shown && <button type="button" className="link mt-1" onClick={() => setShown(shown + SHOWN)}>Show {count(Math.min(SHOWN, found.length - shown))} more of {count(found.length)}</button>}
    </details>
  );
}

/** Those of one reason together, whatever names stand in it; the most frequent first. */
function groupsOf(leftOut: readonly Said[]): { kind: string; lines: Said[] }[] {
  const groups = new Map<string, Said[]>();
  for (const line of leftOut) {
    const kind = line.reason.replace(/“[^”]*”/g, "“…”").replace(/\d[\d,]*/g, "…");
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [line]);
    else group.push(line);
  }
  return [...groups].map(([kind, lines]) => ({ kind, lines })).sort((a, b) => b.lines.length - a.lines.length);
}

const titleOf = (lines: number, kind: string): string => `${count(lines)} were left out: ${kind.charAt(0).toLowerCase()}${kind.slice(1)}`;
