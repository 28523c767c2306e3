"use client";
/** Two facing pages, base in lapis and tuned in the rubric, and under them what the person really wrote. */
import { ErrorNote } from "../_components/error-note";
import { bytes } from "../_components/format";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import type { Comparison, Side } from "./use-comparison";

interface Props {
  comparison: Comparison;
  handName: string;
  /** The passage they went on from; null for a prompt of one's own. */
  asked: HeldOutPassage | null;
  onRetry: () => void;
}

export function Pages({ comparison, handName, asked, onRetry }: Props) {
  const { state, base, tuned, loading, error } = comparison;
  if (state === "idle") return null;
  if (error !== null) return <div className="mt-10"><ErrorNote error={error}><button type="button" className="button" onClick={onRetry}>Try again</button></ErrorNote></div>;
  return (
    <section aria-label="What they write" aria-busy={state !== "done"} data-testid="pages" data-state={state}>
      <p className="sr-only" role="status">{state === "done" ? "Both have written." : "Writing…"}</p>
      <div className="pages">
        <Page voice="base" title="Before" subtitle="the model as it came" side={base} testId="base-text" loading={loading} />
        <Page voice="tuned" title="After" subtitle={`taught by ${handName}`} side={tuned} testId="tuned-text" loading={null} />
      </div>
      {asked !== null && state === "done" && (
        <div className="truth">
          <h2 className="page-title">What {handName} really wrote next</h2>
          <p className="prose whitespace-pre-line" data-testid="true-text">{asked.next}</p>
        </div>
      )}
    </section>
  );
}

function Page({ voice, title, subtitle, side, testId, loading }: { voice: "base" | "tuned"; title: string; subtitle: string; side: Side | null; testId: string; loading: Comparison["loading"] }) {
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
