/** The phases of a run in words. */
import type { RunPhase } from "../../workers/protocol";

const NAMES: Record<RunPhase, string> = {
  loading: "Opening",
  checking: "Testing",
  preparing: "Preparing",
  training: "Learning",
  finishing: "Finishing",
};

const SENTENCES: Record<RunPhase, string> = {
  loading: "Opening the model",
  checking: "Testing that this device calculates correctly",
  preparing: "Reading your pieces and taking the first measure",
  training: "Learning",
  finishing: "Measuring the result on the pieces it has not seen",
};

export const PHASES = Object.keys(NAMES) as RunPhase[];
/** One word, for the line of steps. */
export const phaseName = (phase: RunPhase): string => NAMES[phase];
export const phaseSentence = (phase: RunPhase): string => SENTENCES[phase];
