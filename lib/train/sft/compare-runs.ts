/**
 * Two runs side by side: what was set otherwise, and their curves over the same
 * axis. It judges only what can be compared: held-out losses of the same model
 * on the same writing.
 */
import type { Metric, Run } from "../../store/types";
import { inOrder, seenTokens } from "./run-data";
import { differingSettings, type SettingDifference } from "./setting-words";

export interface ComparedRun {
  run: Run;
  metrics: readonly Metric[];
}

export interface OtherDifference {
  label: string;
  a: string;
  b: string;
}

/** Two curves over one axis; null where one has nothing, or no number, there. */
export interface AlignedCurve {
  x: number[];
  a: (number | null)[];
  b: (number | null)[];
}

export interface RunComparison {
  settings: SettingDifference[];
  /** Beside the settings. */
  others: OtherDifference[];
  train: AlignedCurve;
  heldOut: AlignedCurve;
  /** Lowest held-out losses; null where nothing was measured. */
  best: { a: number | null; b: number | null };
  /** Why their losses say nothing of one another, in a sentence; null where they do. */
  caution: string | null;
}

export function compareRuns(a: ComparedRun, b: ComparedRun, by: "steps" | "tokens"): RunComparison {
  return {
    settings: differingSettings(a.run.config, b.run.config),
    others: otherDifferences(a.run, b.run),
    train: align(curveOf(a.metrics, "train", by), curveOf(b.metrics, "train", by)),
    heldOut: align(curveOf(a.metrics, "heldout", by), curveOf(b.metrics, "heldout", by)),
    best: { a: lowest(a.metrics), b: lowest(b.metrics) },
    caution: caution(a.run, b.run),
  };
}

const DEVICES = { webgpu: "graphics processor", wasm: "processor", node: "processor (Node)" } as const;

function otherDifferences(a: Run, b: Run): OtherDifference[] {
  const number = (value: number) => value.toLocaleString("en-GB");
  const facts: [label: string, of: (run: Run) => string][] = [
    ["Model", (run) => (a.modelId === b.modelId && a.modelSha256 !== b.modelSha256 ? `${run.modelId} (${run.modelSha256.slice(0, 8)})` : run.modelId)],
    ["Began from", (run) => (run.start === undefined ? "nothing" : run.start.name)],
    ["Words", (run) => (run.writing === undefined ? "not noted" : number(run.writing.words))],
    ["Writing", (run) => run.writing?.hash?.slice(0, 8) ?? "not noted"],
    ["Device", (run) => (run.device === undefined ? "not noted" : `${DEVICES[run.device.kind]}${run.device.kind === "webgpu" ? "" : `, ${run.device.threads} ${run.device.threads === 1 ? "thread" : "threads"}`}`)],
    ["Weights", (run) => run.execution?.storage ?? "not noted"],
    ["Steps done", (run) => number(run.step)],
  ];
  return facts.map(([label, of]) => ({ label, a: of(a), b: of(b) })).filter((one) => one.a !== one.b);
}

function caution(a: Run, b: Run): string | null {
  if (a.modelSha256 !== b.modelSha256) return "They taught different models, whose losses cannot be compared.";
  if (a.dataHash !== "" && a.dataHash === b.dataHash) return null;
  const [one, other] = [a.writing?.hash, b.writing?.hash];
  if (one !== undefined && other !== undefined) {
    if (one !== other) return "They learned from different writing, and were checked on different pieces: a lower loss need not be a closer hand.";
    return a.config.maxLength === b.config.maxLength ? null : "Examples were cut at different lengths, so that they were not checked on quite the same text.";
  }
  return a.handId === b.handId ? "The writing may have changed between them: then they were checked on different pieces." : "They are of different hands.";
}

type Points = readonly (readonly [x: number, loss: number])[];

/** @param by tokens: scored ones that had been learned from by then */
function curveOf(metrics: readonly Metric[], kind: Metric["kind"], by: "steps" | "tokens"): Points {
  const seen = seenTokens(metrics);
  const points = inOrder(metrics).filter((point) => point.kind === kind).map(({ step, loss }) => [by === "steps" ? step : seen(step), loss] as const);
  return [...new Map(points).entries()]; // steps without a token to score stand in one place
}

/** Every place where one of them has a point; between its own points a curve is a straight line, beyond them it is nothing. */
export function align(a: Points, b: Points): AlignedCurve {
  const x = [...new Set([...a, ...b].map(([at]) => at))].sort((one, other) => one - other);
  return { x, a: resample(a, x), b: resample(b, x) };
}

function resample(points: Points, places: readonly number[]): (number | null)[] {
  let next = 0; // first point that is not before the place
  return places.map((at) => {
    while (next < points.length && points[next]![0] < at) next++;
    const right = points[next], left = points[next - 1];
    if (right === undefined) return null;
    const value = right[0] === at ? right[1] : left === undefined ? null : left[1] + ((right[1] - left[1]) * (at - left[0])) / (right[0] - left[0]);
    return value !== null && Number.isFinite(value) ? value : null;
  });
}

function lowest(metrics: readonly Metric[]): number | null {
  const losses = metrics.flatMap(({ kind, loss }) => (kind === "heldout" && Number.isFinite(loss) ? [loss] : []));
  return losses.length === 0 ? null : Math.min(...losses);
}
