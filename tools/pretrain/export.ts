/**
 * From the last checkpoint to the finished folder: files, check, samples, model
 * card, and the entry for a manifest. Where the recipe keeps a running mean of
 * the weights, the better of the two by held-out bits is exported.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { countParameters } from "../../lib/train/model/config";
import type { ModelEntry } from "../../lib/train/model/manifest";
import { openNode } from "../../lib/train/runtime/node";
import { manifestEntry } from "../models/make-manifest";
import { readCheckpoint, type Checkpoint } from "./checkpoint";
import { readDocuments } from "./corpus";
import type { FormFacts, StageContext } from "./data-stages";
import { modelCard, readBench, readHeldOut, SOURCES, titleOf } from "./export-card";
import { checkExport, openExported, type CheckResult } from "./export-check";
import { writeModelFolder } from "./export-files";
import { writeSamples } from "./export-samples";
import { modelConfigOf, type Weights } from "./model";
import { totalSteps } from "./recipe";
import { writeWhole } from "./stages";

export interface ExportOptions {
  out: string;
  threads: number;
  /** A file with the lines of `npm run bench -- base-model` for the card; null: none. */
  bench: string | null;
  /** Whether the card shows samples; they take a while. */
  samples: boolean;
}

/** @returns the entry for a manifest, and what the check found. @throws DuctusError `model/export`, `model/range`, `train/no-checkpoint` */
export async function exportModel({ work, recipe, stages, signal, progress }: StageContext, { out, threads, bench, samples }: ExportOptions): Promise<{ entry: ModelEntry; check: CheckResult }> {
  const checkpoint = readCheckpoint(work, recipe, totalSteps(recipe));
  const heldOut = readHeldOut(work);
  const { weights, usesAverage } = choose(checkpoint, heldOut);
  mkdirSync(out, { recursive: true });
  writeModelFolder(recipe, work, weights, out);
  progress(`export: ${out}${usesAverage ? ", the weights' running mean" : ""}`);
  const backend = openNode(threads);
  const check = await checkExport(backend, recipe, work, out, weights, signal);
  progress(`check: logits differ from the checkpoint's by ${(100 * check.rounding).toPrecision(2)} % of their size, ${check.transformers === null ? "transformers was not asked (DUCTUS_PYTHON is not set)" : `from transformers' by ${(100 * check.transformers).toPrecision(2)} %`}`);
  const card = modelCard({
    recipe, usesAverage, bench: bench === null ? [] : readBench(bench),
    parameters: countParameters(modelConfigOf(recipe)), weightsBytes: statSync(join(out, "model.safetensors")).size,
    documents: { train: readDocuments(work, "train"), held: readDocuments(work, "held") },
    forms: stages.facts("forms") as FormFacts | undefined,
    heldOut: thinned(heldOut.map(({ step, bits, average }) => ({ step, bits: usesAverage ? (average ?? bits) : bits }))),
    samples: samples ? await writeSamples(backend, openExported(out)) : [],
  });
  writeWhole(join(out, "README.md"), card);
  const entry = manifestEntry(out, { id: recipe.name, name: titleOf(recipe), licence: SOURCES.licence.name });
  return { entry, check };
}

function choose({ weights, average }: Checkpoint, heldOut: ReturnType<typeof readHeldOut>): { weights: Weights; usesAverage: boolean } {
  const last = heldOut.at(-1);
  const usesAverage = average !== null && last?.average != null && last.average < last.bits;
  return { weights: usesAverage ? average : weights, usesAverage };
}

const MOST_SHOWN = 8;

/** At most so many points, evenly spread, with the last. */
function thinned<T>(points: readonly T[]): T[] {
  if (points.length <= MOST_SHOWN) return [...points];
  return Array.from({ length: MOST_SHOWN }, (_, i) => points[Math.round((i * (points.length - 1)) / (MOST_SHOWN - 1))] as T);
}
