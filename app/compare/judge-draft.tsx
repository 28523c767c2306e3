"use client";
/** Pairs that are being written, or were stopped on the way. */
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import type { BlindDraft } from "../../lib/eval/blind-draft";
import { bytes, count, plural, roughly } from "../_components/format";
import { goOnWriting, judgeNow, stopPairs, type JudgingDesk, type OpenJudging } from "../_state/judging";

interface Props {
  judged: OpenJudging;
  draft: BlindDraft;
  writing: JudgingDesk["writing"];
  passages: readonly HeldOutPassage[];
}

export function JudgeDraft({ judged, draft: { pairs, wanted }, writing, passages }: Props) {
  if (writing?.id !== judged.id) {
    return (
      <div data-testid="judge-draft">
        <p className="lead">{pairs.length === 0 ? "No pair has been written yet." : `${count(pairs.length)} of ${plural(wanted, "pair")} ${pairs.length === 1 ? "is" : "are"} written.`}</p>
        <div className="actions mt-5">
          <button type="button" className="button" data-testid="judge-go-on" disabled={writing !== null || passages.length === 0} onClick={() => void goOnWriting(judged, passages)}>Write the rest</button>
          {pairs.length > 0 && <button type="button" className="button" data-testid="judge-now" onClick={() => void judgeNow(judged)}>Judge {pairs.length === 1 ? "it" : "these"} now</button>}
        </div>
      </div>
    );
  }
  const { done, total, remainingMs, stopping, loading } = writing;
  const words = stopping ? "Stopping…" : loading !== null && loading.done < loading.total ? `Opening the model, ${bytes(loading.done)} of ${bytes(loading.total)}` : `Both are writing: ${count(done)} of ${plural(total, "pair")}${remainingMs === null ? "" : `, ${roughly(remainingMs)} left`}`;
  return (
    <div data-testid="judge-writing">
      <div className="stroke run-stroke" role="progressbar" aria-label="Writing the pairs" aria-valuemin={0} aria-valuemax={total} aria-valuenow={done}><span style={{ width: `${(100 * done) / total}%` }} /></div>
      <p className="going-line">{words}</p>
      <div className="actions mt-3">
        <button type="button" className="button" data-testid="judge-stop" disabled={stopping} onClick={stopPairs}>Stop</button>
        <span className="quiet small">What is written is kept. You may leave this page meanwhile.</span>
      </div>
    </div>
  );
}
