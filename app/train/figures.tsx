/** The margin's figures of a run. */
import type { Metric } from "../../lib/store/types";
import { count, decimal, duration } from "../_components/format";
import type { RunView } from "./run-view";

export function Figures({ view }: { view: RunView }) {
  const { live, stored } = view;
  const progress = live?.progress ?? null;
  const step = progress?.step ?? stored?.step ?? 0;
  const total = progress?.totalSteps ?? stored?.totalSteps ?? 0;
  const tokens = progress?.tokens ?? stored?.trainTokens ?? 0;
  const elapsed = progress?.elapsedMs ?? stored?.elapsedMs ?? 0;
  const perSecond = progress?.tokensPerSecond ?? (elapsed > 0 && tokens > 0 ? tokens / (elapsed / 1000) : null);
  const train = last(view.points, "train");
  const first = view.points.find((p) => p.kind === "heldout");
  const heldOut = last(view.points, "heldout");
  const rows: [string, string][] = [];
  if (total > 0) rows.push(["Step", `${count(step)} of ${count(total)}`]);
  if (elapsed > 0) rows.push(["Time", duration(elapsed)]);
  if (tokens > 0) rows.push(["Tokens", count(tokens)]);
  if (perSecond !== null) rows.push(["Speed", `${count(perSecond)} tokens/s`]);
  if (train) rows.push(["Loss, training", decimal(train.loss, 3)]);
  if (heldOut) rows.push(["Loss, kept aside", first && first !== heldOut ? `${decimal(first.loss, 3)} → ${decimal(heldOut.loss, 3)}` : decimal(heldOut.loss, 3)]);
  if (rows.length === 0) return null;
  return (
    <section className="margin-part">
      <h2>In figures</h2>
      <dl className="facts">
        {rows.map(([name, value]) => <div key={name} className="contents-row"><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </section>
  );
}

function last(points: readonly Metric[], kind: Metric["kind"]): Metric | undefined {
  return points.findLast((p) => p.kind === kind);
}
