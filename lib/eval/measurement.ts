/**
 * What is measured of one adapter, as it is kept: how the model as it came and
 * the taught one score the writing kept aside, passage by passage, and what both
 * wrote on from the same passages of it. Kept raw, so that reports (report.ts)
 * over any adapters that were measured on the same writing can be made from it.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { heldOutReport, systemScoresSchema } from "./held-out";
import { makeReport, type CompareReport } from "./report";

const systemSchema = z.strictObject({
  scores: systemScoresSchema,
  /** What it wrote to each prompt, in their order; fewer where it was stopped. */
  texts: z.array(z.string()),
});

const measurementSchema = z.strictObject({
  version: z.literal(1),
  /** Says which writing, divided how: measurements with the same one can be compared. */
  basis: z.string().min(1),
  /** sha256 of the model's weights. */
  model: z.string().min(1),
  base: systemSchema,
  tuned: systemSchema,
  /** What the writer wrote to each prompt; none where there is too little kept aside to ask with. */
  own: z.array(z.string()),
}).refine(({ base, tuned, own }) => base.texts.length <= own.length && tuned.texts.length <= own.length);
export type Measurement = z.infer<typeof measurementSchema>;
export type MeasuredSystem = Measurement["tuned"];

/** From what it was kept as. @throws DuctusError `data/damaged-measurement` */
export function readMeasurement(value: unknown): Measurement {
  const { success, data, error } = measurementSchema.safeParse(value);
  if (!success) throw new DuctusError("data/damaged-measurement", "What was measured is stored incompletely.", "Measure again.", { details: z.prettifyError(error) });
  return data;
}

/** Whether every prompt was written to. */
export const isWhole = ({ base, tuned, own }: Measurement): boolean => base.texts.length === own.length && tuned.texts.length === own.length;

type Interval = [low: number, high: number];

/** Where both losses lie with 95 % confidence, in nats a token: as the report has it. Null where too little was kept aside for that. @throws DuctusError as makeReport */
export function lossIntervals({ base, tuned }: Measurement, seed: number | string): { level: number; base: Interval; tuned: Interval } | null {
  const [before, after] = heldOutReport([base.scores, tuned.scores], seed).systems.map(({ loss: { low, high } }): Interval | null => (low === null || high === null ? null : [low, high]));
  return before == null || after == null ? null : { level: 0.95, base: before, tuned: after };
}

/**
 * The first one's base and adapter, then the other adapters, each with its base
 * where that is another; those of another basis are passed over.
 * @param training what was learned from; none where that is not known any more
 * @throws DuctusError as makeReport
 */
export function reportOf(measurements: readonly Measurement[], training: readonly string[], seed: number | string): CompareReport {
  const [first] = measurements;
  const alike = measurements.filter(({ basis }) => basis === first?.basis);
  const systems = new Map<string, MeasuredSystem>();
  for (const { base, tuned } of alike) for (const system of [base, tuned]) if (!systems.has(system.scores.id)) systems.set(system.scores.id, system);
  // What the first ones have written to; who wrote to less is left out of this.
  const own = first?.own.slice(0, Math.min(first.base.texts.length, first.tuned.texts.length)) ?? [];
  const wrote = [...systems.values()].filter(({ texts }) => texts.length >= own.length);
  return makeReport({
    seed, systems: [...systems.values()].map(({ scores }) => scores),
    ...(own.length === 0 ? {} : { written: { own, systems: wrote.map(({ scores: { id, name }, texts }) => ({ id, name, texts: texts.slice(0, own.length) })), training: [...training] } }),
  });
}
