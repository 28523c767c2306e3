/** The runs of this hand, latest first; one can be looked at again. */
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Run, RunStatus } from "../../lib/store/types";
import { date, perplexities } from "../_components/format";

const WORDS: Record<RunStatus, string> = { running: "going on", finished: "finished", stopped: "stopped", failed: "failed", interrupted: "interrupted" };

interface Props {
  runs: readonly Run[];
  adapters: readonly AdapterInfo[];
  shownId: string | null;
  /** Null while a run must stay in view. */
  onShow: ((id: string) => void) | null;
}

export function History({ runs, adapters, shownId, onShow }: Props) {
  if (runs.length < 2) return null;
  return (
    <section className="margin-part">
      <h2>Runs of this hand</h2>
      <ol className="history">
        {[...runs].reverse().map((run) => {
          const report = adapters.find((a) => a.id === run.adapterId)?.report;
          return (
            <li key={run.id}>
              <button type="button" aria-current={run.id === shownId} disabled={onShow === null} onClick={() => onShow?.(run.id)}>
                <span>{date(run.createdAt)}</span>
                <span className="quiet small">{WORDS[run.status]}{report ? `, perplexity ${perplexities(report.base.perplexity, report.tuned.perplexity).join(" → ")}` : run.totalSteps > 0 ? `, step ${run.step} of ${run.totalSteps}` : ""}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
