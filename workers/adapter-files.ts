/**
 * Adapters in and out of the writing worker as files: which model an adapter was
 * made for, whether it fits, and the folder for Python with its card. Reading and
 * writing the formats is lib/train/adapter's.
 */
import { DuctusError, serializeError } from "../lib/core/errors";
import { lossIntervals, readMeasurement } from "../lib/eval/measurement";
import { getAdapter, saveAdapter } from "../lib/store/adapters";
import { getHand } from "../lib/store/hands";
import { getMeasurement } from "../lib/store/measurements";
import { listModels } from "../lib/store/models";
import { getRun, listSamples } from "../lib/store/runs";
import type { AdapterReport, Hand, StoredAdapter } from "../lib/store/types";
import type { CardExtras } from "../lib/train/adapter/card";
import { baseNamed, baseOfFile, isCalled, openAdapter, packAdapter, withName, zipPeft } from "../lib/train/adapter/file";
import { adapterToPeft } from "../lib/train/adapter/peft";
import type { AdapterInfo } from "../lib/train/adapter/types";
import { fitAdapter, tokenizerFor } from "./adapter-use";
import type { ImportedAdapter } from "./protocol";
import { embeddedEntry, identify, isHere } from "./resources";
import { baseOf, openModel, openStored } from "./writing";

export async function importAdapter(handId: string, name: string, bytes: Uint8Array): Promise<ImportedAdapter> {
  const hand = await getHand(handId);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  const base = await baseFor(bytes, hand);
  const model = await openModel(base.sha256, base.id);
  const opened = openAdapter(bytes, baseOf(model));
  const { adapter, addedTokens } = fitAdapter(model, opened);
  await tokenizerFor(model, addedTokens); // refused here, and not when it is first used
  const { entry } = model;
  const { addedTokens: _, ...info } = opened.info ?? { createdAt: Date.now() };
  const described: AdapterInfo = { ...info, name, modelId: entry.id, modelSha256: entry.sha256, ...(addedTokens.length > 0 ? { addedTokens } : {}) };
  const { id } = await saveAdapter({ handId, name, modelId: entry.id, modelSha256: entry.sha256, file: packAdapter(adapter, described) });
  const named = baseNamed(bytes);
  return { id, model: entry.name, ...(named === null || isCalled(named, entry.id) ? {} : { otherBase: named }) };
}

/** A file of ours names its model by its hash, a folder of PEFT's by a name alone; what names none that is here is tried with the hand's. */
async function baseFor(bytes: Uint8Array, { model }: Hand): Promise<{ id: string; sha256: string }> {
  const exact = baseOfFile(bytes);
  if (exact !== null) return (await isHere(exact.sha256)) ? exact : identify(model);
  const named = baseNamed(bytes);
  if (named === null || (model !== undefined && isCalled(named, model.name))) return identify(model);
  const stored = (await listModels(() => undefined)).find(({ name }) => isCalled(named, name));
  if (stored !== undefined) return { id: stored.name, sha256: stored.id };
  const embedded = await embeddedEntry().catch(() => null);
  return embedded !== null && isCalled(named, embedded.id) ? embedded : identify(model);
}

/** The one file, with the name that the adapter has now in its notes. */
export async function exportFile(adapterId: string): Promise<Uint8Array> {
  const stored = await getAdapter(adapterId);
  if (stored === null) throw new DuctusError("store/missing", "This adapter is no longer here; it was deleted in another tab.", "Reload the page.");
  try {
    return withName(stored.file, stored.name);
  } catch (error) {
    // Whoever opens it is told what is wrong with it; here it is only handed out.
    console.warn("The adapter's file cannot be read.", serializeError(error));
    return stored.file;
  }
}

export async function exportPeft(adapterId: string, withTexts: boolean): Promise<Uint8Array> {
  const { model, adapter, addedTokens, info, name } = await openStored(adapterId);
  const { entry } = model;
  const { report, ...extras } = await cardExtras(adapterId, info?.steps, withTexts);
  return zipPeft(adapterToPeft(adapter, { ...(info ?? { createdAt: Date.now() }), name, modelId: entry.id, modelSha256: entry.sha256, addedTokens, ...(report === undefined ? {} : { report }) }, extras));
}

/** With the figures that the intervals belong to. */
type Extras = CardExtras & { report?: AdapterReport };

/** What its run and its measurement can say; of one that was brought in, nobody knows whether what it was measured on was new to it. @param steps of the state that was kept; its text is the one that was written last before or at it */
async function cardExtras(adapterId: string, steps: number | undefined, withTexts: boolean): Promise<Extras> {
  const stored = await getAdapter(adapterId);
  const run = stored?.runId === undefined ? null : await getRun(stored.runId).catch(() => null);
  if (stored === null || run === null) return {};
  const extras: Extras = { ...(run.trainExamples > 0 ? { learnedFrom: { examples: run.trainExamples, heldOut: run.heldOutExamples } } : {}), ...(await measured(stored)) };
  if (!withTexts) return extras;
  const samples = (await listSamples(run.id, () => undefined)).filter(({ step }) => step <= (steps ?? Infinity));
  const [first, last] = [samples[0], samples.at(-1)];
  if (last === undefined || last.step === 0) return extras;
  return { ...extras, texts: { prompt: last.prompt, after: last.text, ...(first?.step === 0 && first.prompt === last.prompt ? { before: first.text } : {}) } };
}

/** As Compare shows it; nothing where it was not measured there, or on too little for intervals. */
async function measured({ id, handId, report }: StoredAdapter): Promise<Pick<Extras, "report" | "lossIntervals">> {
  try {
    const [measurement, hand] = [await getMeasurement(id), await getHand(handId)];
    if (measurement === null || hand === null || report === undefined) return {};
    const intervals = lossIntervals(readMeasurement(measurement.content), hand.seed);
    return intervals === null ? {} : { report, lossIntervals: intervals };
  } catch (error) {
    // Whoever looks at it there is told; a card does without.
    console.warn("What was measured cannot be read.", serializeError(error));
    return {};
  }
}
