/**
 * A run as data, to keep or to work on elsewhere: JSON with everything that is
 * known of it, CSV with its curves. Settings have TRL's and PEFT's names. The
 * writer's own text is in it only where it is asked for.
 */
import type { AdapterReport, Metric, Run, RunSample } from "../../store/types";
import { configToPeftTrl } from "./peft-trl";

const FORMAT = "ductus-run";
const VERSION = 1;

export interface RunData {
  run: Run;
  /** As it is called, see run-name.ts. */
  name: string;
  metrics: readonly Metric[];
  samples: readonly RunSample[];
  report?: AdapterReport;
  /** Of the app and the runtime, by name. */
  versions: Readonly<Record<string, string>>;
}

export interface ExportOptions {
  /** Prompts, which show passages of the writing, and names that the person gave. */
  withWriting?: boolean;
  /** Unix milliseconds. */
  now: number;
}

/** JSON, indented. Numbers that JSON has no form for are the texts "NaN", "Infinity" and "-Infinity". */
export function runJson({ run, name, metrics, samples, report, versions }: RunData, { withWriting = false, now }: ExportOptions): string {
  const { error } = run;
  const data = {
    format: FORMAT,
    version: VERSION,
    exported_at: new Date(now).toISOString(),
    versions,
    // A name of the person's own may say whose hand it is.
    name: run.name === undefined || withWriting ? name : null,
    id: run.id,
    status: run.status,
    started_at: new Date(run.createdAt).toISOString(),
    model: { id: run.modelId, sha256: run.modelSha256 },
    config: configToPeftTrl(run.config),
    data: { hash: run.dataHash, ...(run.writing ? { words: run.writing.words, writing_hash: run.writing.hash ?? null } : {}), train_examples: run.trainExamples, held_out_examples: run.heldOutExamples },
    started_from: run.start === undefined ? null : { adapter: withWriting ? run.start.name : true },
    device: run.device ?? null,
    execution: run.execution ?? null,
    steps: run.step,
    total_steps: run.totalSteps,
    tokens: run.trainTokens,
    seconds: run.elapsedMs / 1000,
    error: error === undefined ? null : { code: error.code, message: error.message, ...(withWriting && error.details !== undefined ? { details: error.details } : {}) },
    report: report ?? null,
    metrics: metricRows(metrics).map((row) => Object.fromEntries(COLUMNS.flatMap((column) => (row[column] === undefined ? [] : [[column, row[column]] as const])))),
    samples: [...samples].sort((a, b) => a.step - b.step).map(({ step, prompt, text }) => (withWriting ? { step, prompt, text } : { step, text })),
  };
  return `${JSON.stringify(data, (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value), 2)}\n`;
}

/** In this order; all but the first are numbers, so that nothing has to be quoted. */
const COLUMNS = ["kind", "step", "seconds", "seen_tokens", "loss", "tokens", "learning_rate", "grad_norm", "examples", "change_error"] as const;
type Row = { kind: Metric["kind"] } & Partial<Record<Exclude<(typeof COLUMNS)[number], "kind">, number>>;

/** CSV (RFC 4180) of both curves by step; what a point does not have is empty. */
export function metricsCsv(metrics: readonly Metric[]): string {
  const lines = metricRows(metrics).map((row) => COLUMNS.map((column) => String(row[column] ?? "")).join(","));
  return [COLUMNS.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function metricRows(metrics: readonly Metric[]): Row[] {
  const seen = seenTokens(metrics);
  return inOrder(metrics).map(({ kind, step, atMs, loss, tokens, learningRate, gradNorm, examples, changeError }): Row => ({
    kind, step, seconds: atMs / 1000, seen_tokens: seen(step), loss, tokens,
    ...(learningRate === undefined ? {} : { learning_rate: learningRate }), ...(gradNorm === undefined ? {} : { grad_norm: gradNorm }),
    ...(examples === undefined ? {} : { examples }), ...(changeError === undefined ? {} : { change_error: changeError }),
  }));
}

/** By step, a step's training before what was measured after it. */
export function inOrder(metrics: readonly Metric[]): Metric[] {
  return [...metrics].sort((a, b) => a.step - b.step || (a.kind === b.kind ? 0 : a.kind === "train" ? -1 : 1));
}

/** Scored tokens that were trained on after so many steps, as far as the curve tells. */
export function seenTokens(metrics: readonly Metric[]): (step: number) => number {
  const train = inOrder(metrics.filter(({ kind }) => kind === "train"));
  const sums: [step: number, tokens: number][] = [];
  let sum = 0;
  for (const { step, tokens } of train) sums.push([step, (sum += tokens)]);
  return (step) => sums.findLast(([at]) => at <= step)?.[1] ?? 0;
}
