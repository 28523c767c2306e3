/** Figures of a run from what it has stored. */
import type { AdapterReport, Metric, Run } from "../../../lib/store/types";
import { median } from "../measure";

/** Relative fall of the test part's loss. */
export const drop = ({ base, tuned }: AdapterReport): number => 1 - tuned.loss / base.loss;

/**
 * Prompt and completion tokens a second while training: the mean tokens of a
 * step by the median time from one step to the next, where no check on the
 * held-out part lies between. @throws RangeError on a run of fewer than two steps
 */
export function tokensPerSecond(run: Pick<Run, "trainTokens" | "step">, metrics: readonly Pick<Metric, "kind" | "step" | "atMs">[]): number {
  const checked = new Set(metrics.filter(({ kind }) => kind === "heldout").map(({ step }) => step));
  const steps = metrics.filter(({ kind }) => kind === "train").sort((a, b) => a.step - b.step);
  const gaps = steps.flatMap((point, i) => {
    const next = steps[i + 1];
    return next === undefined || checked.has(point.step) ? [] : [next.atMs - point.atMs];
  });
  return (1000 * run.trainTokens) / run.step / median(gaps);
}
