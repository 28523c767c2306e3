"use client";
/** How a run stands: the phase in words, what is done and left, and the buttons. */
import { bytes, roughly } from "../_components/format";
import { PHASES, phaseName, phaseSentence } from "../_components/phases";
import { stopRun, togglePause, type LiveRun } from "../_state/run";
import type { RunView } from "./run-view";

/** @param own the model is one that was brought in, and lies in this browser */
export function Going({ view, own }: { view: RunView; own: boolean }) {
  const { live, stored } = view;
  if (live === null) {
    const step = stored?.step ?? 0;
    const total = stored?.totalSteps ?? 0;
    return (
      <section data-testid="run-status" data-state="elsewhere">
        <h1 className="title">Learning in another tab{total > 0 && `, step ${step} of ${total}`}</h1>
        <Stroke share={total > 0 ? step / total : 0} label="Done so far" />
        <p className="lead">This hand is being learned in another tab of this browser. You can read along here; pausing and stopping are done there.</p>
      </section>
    );
  }
  return (
    <section data-testid="run-status" data-state={live.phase} data-paused={live.paused}>
      <h1 className="title">{title(live)}</h1>
      <Stroke share={share(live)} label="Done so far" />
      <p className="going-line">{line(live, own)}</p>
      {live.resumed !== null && <Resumed {...live.resumed} />}
      {live.unguarded && (
        <p className="mt-2 max-w-[38rem]" role="status" data-testid="unguarded">
          This browser has no room left to note where the run stands. It goes on; but keep this tab open until it has ended, or free some disk space.
        </p>
      )}
      <div className="actions mt-5">
        {live.phase === "training" && (
          <button type="button" className="button" data-testid="pause-training" disabled={live.asked !== null} onClick={togglePause}>
            {live.asked === "pause" ? "Pausing…" : live.asked === "resume" ? "Resuming…" : live.paused ? "Go on" : "Pause"}
          </button>
        )}
        {live.phase !== "finishing" && (
          <button type="button" className="button" data-testid="stop-training" disabled={live.asked === "stop"} onClick={stopRun}>
            {live.asked === "stop" ? (live.phase === "training" ? "Stopping after this step…" : "Stopping…") : live.phase === "training" ? "Stop and keep" : "Stop"}
          </button>
        )}
      </div>
      <Phases live={live} />
    </section>
  );
}

/** That it did not begin at the beginning, and whether that makes a difference. */
function Resumed({ step, afterLoss, differences }: NonNullable<LiveRun["resumed"]>) {
  return (
    <p className="mt-2 max-w-[38rem]" role="status" data-testid="resumed" data-step={step}>
      {afterLoss ? `The graphics processor was reset while it was working. It was opened anew, and the run went on by itself from step ${step}; nothing is lost.` : `It went on from step ${step}.`}
      {differences.length > 0 && ` Its last digits may differ from those of a run that was never cut: ${differences.join("; ")}.`}
    </p>
  );
}

function title({ phase, paused, progress }: LiveRun): string {
  if (phase !== "training") return phaseSentence(phase);
  const at = progress === null || progress.totalSteps === 0 ? "" : `, step ${progress.step} of ${progress.totalSteps}`;
  return `${paused ? "Paused" : phaseSentence(phase)}${at}`;
}

function share({ phase, done, total, progress }: LiveRun): number | null {
  if (phase === "training") return progress === null || progress.totalSteps === 0 ? 0 : progress.step / progress.totalSteps;
  return done !== null && total !== null && total > 0 ? done / total : null;
}

function line(live: LiveRun, own: boolean): string {
  const { phase, done, total, progress, paused } = live;
  if (phase === "loading") return done !== null && total ? `${bytes(done)} of ${bytes(total)}` : own ? "It is kept in this browser." : "From this site, the first time; later it is here already.";
  if (phase === "checking") return "A small sum is done in two ways, and both must come to the same.";
  if (phase === "preparing") return "So that you can see afterwards what has changed.";
  if (phase === "finishing") return "The same measure as before any training, on the pieces kept for the comparison.";
  if (paused) return "Nothing is lost. It goes on from this very step.";
  if (progress === null || progress.remainingMs === null) return "Estimating the time left…";
  return `${roughly(progress.remainingMs)} left`.replace(/^./, (c) => c.toUpperCase());
}

/** Where the run is among its phases, in words. */
function Phases({ live }: { live: LiveRun }) {
  const at = PHASES.indexOf(live.phase);
  return (
    <ol className="phases" aria-label="Phases">
      {PHASES.map((phase, i) => (
        <li key={phase} data-state={i < at ? "done" : i === at ? "now" : "next"} aria-current={i === at ? "step" : undefined}>
          {phaseName(phase)}{i < at && <span className="sr-only">, done</span>}
        </li>
      ))}
    </ol>
  );
}

function Stroke({ share: part, label }: { share: number | null; label: string }) {
  const percent = part === null ? 0 : Math.round(part * 1000) / 10;
  return (
    <div className="stroke run-stroke" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} {...(part === null ? {} : { "aria-valuenow": Math.round(percent) })} data-unknown={part === null}>
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
