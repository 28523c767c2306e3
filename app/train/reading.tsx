"use client";
/** What the curve says, in plain words, and what to do about it. The judging is lib/train/sft/reading.ts's. */
import { useMemo } from "react";
import type { Metric } from "../../lib/store/types";
import { readCurve, type CurveReading } from "../../lib/train/sft/reading";

/** @param version changes whenever `points` has, which may be the same growing array */
export function useReading(points: readonly Metric[], version: string): CurveReading {
  return useMemo(
    () => readCurve(points.filter(({ kind }) => kind === "train"), points.filter(({ kind }) => kind === "heldout")),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `points` grows in place, `version` says when
    [version, points],
  );
}

export function Reading({ reading, going }: { reading: CurveReading; going: boolean }) {
  const { state, label, words, recommendedStep, gain } = reading;
  if (!going && (state === "starting" || state === "too-little")) return null;
  return (
    <div className="reading" data-testid="reading" data-reading={state} data-advice={reading.advice} role={going ? "status" : undefined}>
      <p><strong>{going ? label : ENDED[state] ?? label}.</strong> {going ? words : afterwards(recommendedStep, gain)}</p>
    </div>
  );
}

const ENDED: Partial<Record<CurveReading["state"], string>> = {
  learning: "It was still learning", slowing: "It was learning more slowly", settled: "It had settled", memorising: "It had begun to memorise", diverged: "The numbers ran away",
};

function afterwards(step: number | null, gain: number | null): string {
  if (step === null || gain === null) return "";
  if (step === 0) return "No state of it was better on the writing kept aside than the model as it began.";
  return `On the writing kept aside its state after step ${step} is as good as any, ${Math.round(gain * 1000) / 10} % less surprised than at the beginning.`;
}
