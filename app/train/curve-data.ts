/** From a run's points to what the curve draws and the table says. */
import type { Metric } from "../../lib/store/types";

export interface CurveData {
  /** Every step that has a point, rising. */
  steps: number[];
  /** Loss in nats a token; null where a step has no such point. */
  train: (number | null)[];
  heldOut: (number | null)[];
  points: number;
  /** The step from which on the kept-aside text became harder again; null if it did not. */
  turnedAt: number | null;
}

/** A rise of the held-out loss below this share of it is noise. */
const RISE = 0.004;

export function curveData(points: readonly Metric[]): CurveData {
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
  return { steps, train, heldOut, points: points.length, turnedAt: turn(steps, heldOut) };
}

function turn(steps: readonly number[], heldOut: readonly (number | null)[]): number | null {
  let best = Infinity, bestStep = 0, last = Infinity;
  heldOut.forEach((loss, i) => {
    if (loss === null) return;
    last = loss;
    if (loss < best) [best, bestStep] = [loss, steps[i] ?? 0];
  });
  return Number.isFinite(best) && last > best * (1 + RISE) ? bestStep : null;
}

/** The held-out loss known at a step: measured there, or last before it. */
export function heldOutAt({ steps, heldOut }: CurveData, index: number): { loss: number; step: number } | null {
  for (let i = index; i >= 0; i--) {
    const loss = heldOut[i] ?? null;
    if (loss !== null) return { loss, step: steps[i] ?? 0 };
  }
  return null;
}
