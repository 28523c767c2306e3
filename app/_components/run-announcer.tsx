"use client";
/** Says to screen readers how a run goes, politely and at most every ten seconds; beginnings and ends at once. */
import { useEffect, useState } from "react";
import { isActive, run, type LiveRun } from "../_state/run";
import { phaseSentence } from "./phases";
import { plainError } from "./plain-error";
import { roughly } from "./format";

const EVERY_MS = 10_000;

export function RunAnnouncer() {
  const [text, setText] = useState("");
  useEffect(() => {
    let lastAt = 0;
    let lastKey = "";
    return run.subscribe(() => {
      const { live } = run.get();
      if (live === null) return;
      const key = `${live.phase}${live.paused}${live.outcome?.status ?? ""}`;
      if (key === lastKey && Date.now() - lastAt < EVERY_MS) return;
      // Short phases follow one another quickly; only how it ended is worth an interruption.
      if (isActive(live) && Date.now() - lastAt < EVERY_MS) return;
      lastKey = key;
      lastAt = Date.now();
      setText(sentence(live));
    });
  }, []);
  return <p className="sr-only" role="status" aria-live="polite">{text}</p>;
}

function sentence({ outcome, paused, phase, progress }: LiveRun): string {
  if (outcome?.status === "finished") return "Training has finished.";
  if (outcome?.status === "stopped") return "Training was stopped; what it learned is kept.";
  if (outcome?.status === "unsaved") return `Training has finished. ${outcome.error.message}`;
  if (outcome?.status === "failed") return `Training failed. ${plainError(outcome.error).message}`;
  if (paused) return "Training is paused.";
  if (phase !== "training" || progress === null) return phaseSentence(phase);
  return `Step ${progress.step} of ${progress.totalSteps}${progress.remainingMs === null ? "" : `, ${roughly(progress.remainingMs)} left`}.`;
}
