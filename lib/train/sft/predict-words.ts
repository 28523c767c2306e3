/**
 * A prediction in the words of the page, and during a run beside what it
 * measures: what was predicted, what it is, and whether the two agree.
 */
import type { RunPrediction } from "./predict";

/** “about 40 seconds”, “about 2 minutes”, “about 1.5 hours”: no more exact than it is known. */
export function durationWords(seconds: number): string {
  if (seconds < 15) return "a few seconds";
  if (seconds < 55) return `about ${10 * Math.round(seconds / 10)} seconds`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 90) return minutes === 1 ? "about a minute" : `about ${minutes < 20 ? minutes : 5 * Math.round(minutes / 5)} minutes`;
  const hours = Math.round(seconds / 1800) / 2;
  return hours < 48 ? `about ${hours} hours` : `about ${Math.round(hours / 24)} days`;
}

/** “about 600 MB”, “about 1.8 GB”. */
export function memoryWords(bytes: number): string {
  if (bytes < 950e6) return `about ${bytes < 95e6 ? Math.max(10, 10 * Math.round(bytes / 10e6)) : 50 * Math.max(2, Math.round(bytes / 50e6))} MB`;
  return `about ${(bytes / 1e9).toFixed(1)} GB`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const bare = (text: string): string => text.replace(/^about /, "");

/** Beyond this factor both ends are said. */
const SURE = 1.5;

/** “About 2 minutes; uses about 600 MB.” */
export function predictionWords({ seconds: { low, likely, high }, peakBytes, fits, from }: RunPrediction): { time: string; memory: string; line: string; sure: string } {
  const [a, b] = [bare(durationWords(low)), bare(durationWords(high))];
  const time = high / likely > SURE && a !== b ? `${durationWords(likely)} (${a} to ${b})` : durationWords(likely);
  const memory = memoryWords(peakBytes);
  const fit = { yes: "", tight: " It will be tight on this device.", no: " That is more than this device is likely to have." }[fits];
  return { time, memory, line: `${capital(time)}; uses ${memory}.${fit}`, sure: SURENESS[from] };
}

const SURENESS: Record<RunPrediction["from"], string> = {
  model: "Judged by earlier runs with this model here.",
  device: "Judged by earlier runs with another model here.",
  timing: "Judged by a short test of this device.",
  guess: "A guess: nothing has been measured on this device yet.",
};

/** Of a run that goes on, as its worker reports it. */
export interface Measured {
  step: number;
  totalSteps: number;
  /** Since the first check, pauses left out. */
  elapsedMs: number;
  /** Null until it can be estimated. */
  remainingMs: number | null;
  /** The most it was seen to use; null where the browser does not say. */
  peakBytes?: number | null;
}

export interface Agreement {
  predictedSeconds: number;
  /** Of the whole run as it looks now; null until it can be said. */
  seconds: number | null;
  verdict: "unknown" | "as predicted" | "quicker" | "slower";
  /** A sentence for the page; empty while nothing can be said. */
  words: string;
  memory: { predictedBytes: number; bytes: number; verdict: "as predicted" | "less" | "more"; words: string } | null;
}

/** Fewer steps say nothing. */
const LEAST_STEPS = 3;
/** Memory within this factor of what was predicted is as predicted. */
const LIKE_MEMORY = 1.3;

export function compareWithMeasured(prediction: RunPrediction, { step, totalSteps, elapsedMs, remainingMs, peakBytes = null }: Measured): Agreement {
  const { low, likely, high } = prediction.seconds;
  const start = prediction.spans.find(({ what }) => what === "start")!.seconds, end = prediction.spans.find(({ what }) => what === "end")!.seconds;
  const known = remainingMs !== null && step >= Math.min(LEAST_STEPS, totalSteps);
  const seconds = known ? start + elapsedMs / 1000 + remainingMs / 1000 + end : null;
  const verdict = seconds === null ? "unknown" : seconds < low ? "quicker" : seconds > high ? "slower" : "as predicted";
  return { predictedSeconds: likely, seconds, verdict, words: wordsOf(verdict, likely, seconds), memory: peakBytes === null ? null : memoryOf(prediction.peakBytes, peakBytes) };
}

function wordsOf(verdict: Agreement["verdict"], likely: number, seconds: number | null): string {
  if (seconds === null || verdict === "unknown") return "";
  const now = durationWords(seconds), then = durationWords(likely);
  if (verdict === "as predicted") return now === then ? `As predicted: ${now} in all.` : `As predicted: ${now} in all, ${bare(then)} were expected.`;
  return `${capital(verdict)} than predicted: ${now} in all instead of ${bare(then)}.${verdict === "slower" ? " Other tabs or programs may be using the device." : ""}`;
}

function memoryOf(predictedBytes: number, bytes: number): NonNullable<Agreement["memory"]> {
  const verdict = bytes > LIKE_MEMORY * predictedBytes ? "more" : bytes < predictedBytes / LIKE_MEMORY ? "less" : "as predicted";
  const words = verdict === "as predicted" ? `Uses ${memoryWords(bytes)}, as predicted.` : `Uses ${memoryWords(bytes)}, ${verdict} than the ${bare(memoryWords(predictedBytes))} that were predicted.`;
  return { predictedBytes, bytes, verdict, words };
}
