/**
 * When to say how a run goes, and in what words: its end and its pauses at once,
 * everything else at most every ten seconds, and then as it stands by that time.
 */
import { isActive, run, type LiveRun } from "../_state/run";
import { roughly } from "./format";
import { phaseSentence } from "./phases";
import { plainError } from "./plain-error";

const EVERY_MS = 10_000;

/** @returns what ends it */
export function announceRun(say: (sentence: string) => void): () => void {
  let lastAt = -Infinity;
  let wasPaused = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const sayNow = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const { live } = run.get();
    if (live === null) return;
    lastAt = Date.now();
    wasPaused = live.paused;
    say(sentence(live));
  };
  const unsubscribe = run.subscribe(() => {
    const { live } = run.get();
    const waitMs = live === null || (isActive(live) && live.paused === wasPaused) ? lastAt + EVERY_MS - Date.now() : 0;
    if (waitMs <= 0) sayNow();
    else timer ??= setTimeout(sayNow, waitMs);
  });
  return () => {
    unsubscribe();
    if (timer !== null) clearTimeout(timer);
  };
}

function sentence({ outcome, paused, phase, progress }: LiveRun): string {
  switch (outcome?.status) {
    case "finished":
      return "Training has finished.";
    case "stopped":
      return outcome.adapterId === null ? "Training was stopped before its first step; there is nothing to keep." : "Training was stopped; what it learned is kept.";
    case "unsaved":
      return `Training ${outcome.stopped ? "was stopped" : "has finished"}. ${outcome.error.message}`;
    case "failed":
      return `Training failed. ${plainError(outcome.error).message}`;
    case undefined:
      if (paused) return "Training is paused.";
      if (phase !== "training" || progress === null) return phaseSentence(phase);
      return `Step ${progress.step} of ${progress.totalSteps}${progress.remainingMs === null ? "" : `, ${roughly(progress.remainingMs)} left`}.`;
    default:
      return outcome satisfies never;
  }
}
