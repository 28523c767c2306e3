/**
 * The report behind Compare: held-out writing under the model as it came and
 * under adapters (held-out.ts), and what they write beside what the writer wrote
 * (variety.ts). Plain data in, plain data out: a worker feeds it, the page shows
 * it, a store keeps it as JSON. The same input and seed give the same report.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { heldOutReport, heldOutReportSchema, systemScoresSchema } from "./held-out";
import { varietyReport, varietyReportSchema, writtenSchema } from "./variety";

const inputSchema = z.strictObject({
  seed: z.union([z.number(), z.string()]),
  /** At the first place the one that others are set against; every pair of them is compared. Empty: nothing was scored. */
  systems: z.array(systemScoresSchema),
  /** Absent: nothing was written. */
  written: writtenSchema.optional(),
});
export type CompareReportInput = z.infer<typeof inputSchema>;

const reportSchema = z.strictObject({
  version: z.literal(1),
  seed: z.union([z.number(), z.string()]),
  heldOut: heldOutReportSchema.nullable(),
  variety: varietyReportSchema.nullable(),
});
export type CompareReport = z.infer<typeof reportSchema>;

/** @throws DuctusError `data/scores` where the numbers are none, or do not belong together */
export function makeReport(input: CompareReportInput): CompareReport {
  const { success, data, error } = inputSchema.safeParse(input);
  if (!success) throw new DuctusError("data/scores", "What was measured is not complete.", "Measure again.", { details: z.prettifyError(error) });
  const { seed, systems, written } = data;
  return { version: 1, seed, heldOut: systems.length === 0 ? null : heldOutReport(systems, seed), variety: written === undefined ? null : varietyReport(written, seed) };
}

/** From what it was kept as. @throws DuctusError `data/damaged-report` */
export function readReport(value: unknown): CompareReport {
  const { success, data, error } = reportSchema.safeParse(value);
  if (!success) throw new DuctusError("data/damaged-report", "This comparison is stored incompletely.", "Measure again.", { details: z.prettifyError(error) });
  return data;
}
