/** From a run's points to what the curve draws and the table says. */
import type { Metric } from "../../lib/store/types";
import type { CurveReading } from "../../lib/train/sft/reading";

export interface CurveData {
  /** Every step that has a point, rising. */
  steps: number[];
  /** Loss in nats a token; null where a step has no such point. */
  train: (number | null)[];
  heldOut: (number | null)[];
  points: number;
  /** The step from which on the kept-aside text became harder again, where it did, as the curve's reading says; else null. */
  turnedAt: number | null;
}

export function curveData(points: readonly Metric[], { state, recommendedStep }: Pick<CurveReading, "state" | "recommendedStep">): CurveData {
  const rows = new Map<number, { train: number | null; heldOut: number | null }>();
  for (const { kind, step, loss } of points) {
    const row = rows.get(step) ?? { train: null, heldOut: null };
    if (kind === "train") row.train = loss;
    else row.heldOut = loss;
    rows.set(step, row);
  }
  const steps = [...rows.keys()].sort((a, b) => a - b);
  const train = steps.map((step) => rows.get(step)?.train ?? null);
  const heldOut = steps.map((step) => rows.get(step)?.heldOut ?? null);
  return { steps, train, heldOut, points: points.length, turnedAt: state === "memorising" ? recommendedStep : null };
}

/** The held-out loss known at a step: measured there, or last before it. */
export function heldOutAt({ steps, heldOut }: CurveData, index: number): { loss: number; step: number } | null {
  for (let i = index; i >= 0; i--) {
    const loss = heldOut[i] ?? null;
    if (loss !== null) return { loss, step: steps[i] ?? 0 };
  }
  return null;
}
