"use client";
/** Two facing pages, base in lapis and tuned in the rubric, and under them what the person really wrote. */
import { ErrorNote } from "../_components/error-note";
import { bytes, decimal } from "../_components/format";
import type { Entry, Side } from "../_state/reading";

interface Props {
  entry: Entry;
  handName: string;
  /** Null for one of before. */
  onRetry: (() => void) | null;
  /** What stands above it on the page is not what it was asked. */
  telling: boolean;
}

export function Pages({ entry, handName, onRetry, telling }: Props) {
  const { state, base, tuned, loading, error, next, prompt, adapterName, sampling } = entry;
  if (error !== null) return <div className="mt-10"><ErrorNote error={error}>{onRetry !== null && <button type="button" className="button" onClick={onRetry}>Try again</button>}</ErrorNote></div>;
  const newest = onRetry !== null;
  const id = (name: string): string => (newest ? name : `earlier-${name}`);
  return (
    <section aria-label={newest ? "What they write" : "What they wrote"} aria-busy={state !== "done"} data-testid={id("pages")} data-state={state}>
      {newest && <p className="sr-only" role="status">{state === "done" ? "Both have written." : "Writing…"}</p>}
      {telling && (
        <div className="told" data-testid={id("told")}>
          <blockquote className="prose told-prompt"><p>{prompt.form === "continue" ? prompt.passage : `With these words: ${prompt.words.join(", ")}`}</p></blockquote>
          <p className="quiet small">Taught by {adapterName}; boldness {decimal(sampling.temperature, 1)}, seed {sampling.seed}.</p>
        </div>
      )}
      <div className="pages">
        <Page voice="base" title="Before" subtitle="the model as it came" side={base} testId={id("base-text")} loading={loading} />
        <Page voice="tuned" title="After" subtitle={`taught by ${adapterName}`} side={tuned} testId={id("tuned-text")} loading={null} />
      </div>
      {next !== null && state === "done" && (
        <div className="truth">
          <h2 className="page-title">What {handName} really wrote next</h2>
          <p className="prose whitespace-pre-line" data-testid={id("true-text")}>{next}</p>
        </div>
      )}
    </section>
  );
}

function Page({ voice, title, subtitle, side, testId, loading }: { voice: "base" | "tuned"; title: string; subtitle: string; side: Side | null; testId: string; loading: Entry["loading"] }) {
  return (
    <article className="page">
      <h2 className={`page-title ${voice}`}>{title} <span>{subtitle}</span></h2>
      <p className="page-text" data-testid={testId} data-stop={side?.stop ?? ""}>
        {side?.text ?? ""}
        {side?.stop == null && <span className={`pen ${voice}`} aria-hidden="true" />}
        {side?.stop === "end" && side.text.trim() === "" && <span className="quiet">It wrote nothing and ended.</span>}
      </p>
      {side === null && loading !== null && <p className="quiet small">Opening the model, {bytes(loading.done)} of {bytes(loading.total)}</p>}
      {side?.stop != null && <p className="quiet small">{side.tokens} tokens; {STOPS[side.stop]}</p>}
    </article>
  );
}

const STOPS: Record<NonNullable<Side["stop"]>, string> = { end: "it came to an end by itself", length: "cut off at the length you chose", stopped: "stopped" };
