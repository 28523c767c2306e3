/**
 * What a run would take on this device, before it starts: from a look at the
 * writing through the model's tokenizer, the model's shape without its weights,
 * and how fast earlier runs were here. The sums are lib/train/sft/predict.ts's;
 * it opens no device and trains nothing.
 */
import { DuctusError } from "../lib/core/errors";
import { getAdapter } from "../lib/store/adapters";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { getHand, getSetting, listHands, splitOptions } from "../lib/store/hands";
import { listMetrics, listRuns } from "../lib/store/runs";
import type { DeviceReport, Hand, Run } from "../lib/store/types";
import { openAdapter } from "../lib/train/adapter/file";
import { memoryLimits } from "../lib/train/execution/choose";
import type { ModelConfig } from "../lib/train/model/config";
import type { TextTokenizer } from "../lib/train/model/tokenizer";
import type { SftConfig } from "../lib/train/sft/config";
import { predictRun } from "../lib/train/sft/predict";
import { measureRun, productSpeed, speedOf, type MeasuredRun, type Speed } from "../lib/train/sft/speed";
import { configFrom } from "../lib/train/sft/start";
import { lookAtWriting, type Writing } from "../lib/train/sft/work";
import type { PredictedRun, PredictRequest } from "./protocol";
import { type ModelSketch, sketch } from "./resources";

/** Of the past runs the newest are looked at. */
const RUNS_LOOKED_AT = 8;

export async function predict({ handId, config, startAdapterId, device }: PredictRequest): Promise<PredictedRun> {
  const hand = await getHand(handId);
  if (hand === null) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one, or begin a new one.");
  const documents = usedDocuments(await listDocuments(hand.id, () => undefined));
  const model = await sketch(hand.model);
  const settled = startAdapterId === undefined ? config : await withShapeOf(startAdapterId, model, config);
  const { kind } = device;
  const speed = await speedHere(device, model);
  const prediction = predictRun(settled, model, { kind, limits: memoryLimits({ kind }), speed }, look(documents, hand, model.tokenizer));
  const { maxPositions, vocabSize } = model.config;
  return { prediction, config: settled, limits: { maxPositions, vocabSize }, parameters: model.identity.parameters };
}

async function withShapeOf(adapterId: string, { identity, config: model }: ModelSketch, config: SftConfig): Promise<SftConfig> {
  const stored = await getAdapter(adapterId);
  if (stored === null) throw new DuctusError("store/missing", "The adapter to go on from is no longer here.", "Choose another one, or start from nothing.");
  return configFrom(config, openAdapter(stored.file, { ...identity, config: model }).adapter);
}

let looked: { documents: readonly { text: string }[]; division: string; tokenizer: TextTokenizer; writing: Writing } | null = null;

/** The same writing, divided in the same way, is looked at once, whatever the settings. */
function look(documents: readonly { id: string; text: string }[], { seed, ...hand }: Hand, tokenizer: TextTokenizer): Writing {
  const splitting = splitOptions(hand);
  const division = JSON.stringify([seed, splitting]);
  const same = looked?.division === division && looked.tokenizer === tokenizer && looked.documents.length === documents.length && looked.documents.every(({ text }, i) => text === documents[i]?.text);
  if (looked === null || !same) looked = { documents, division, tokenizer, writing: lookAtWriting(documents, seed, tokenizer, splitting) };
  return looked.writing;
}

/** By run and step: what was measured of it does not change. */
const measured = new Map<string, MeasuredRun | null>();

async function speedHere(device: Pick<DeviceReport, "kind" | "threads">, { identity, config }: ModelSketch): Promise<Speed> {
  const runs = await pastRuns().catch(() => []); // what cannot be read tells nothing
  const evidence = await Promise.all(runs.map((run) => measure(run, run.modelSha256 === identity.sha256 ? config : undefined).catch(() => null)));
  const timed = await getSetting("threads").catch(() => null);
  const product = device.kind === "wasm" && timed?.threads === device.threads && timed.ms !== undefined ? productSpeed(timed.ms) : undefined;
  return speedOf({ device, modelSha256: identity.sha256, runs: evidence.filter((one) => one !== null), ...(product === undefined ? {} : { product }) });
}

/** Of every hand, oldest first. */
async function pastRuns(): Promise<Run[]> {
  const hands = await listHands(() => undefined);
  const runs = (await Promise.all(hands.map(({ id }) => listRuns(id, () => undefined)))).flat();
  return runs.filter(({ status, step }) => status !== "running" && step > 0).sort((a, b) => a.createdAt - b.createdAt).slice(-RUNS_LOOKED_AT);
}

async function measure(run: Run, model: ModelConfig | undefined): Promise<MeasuredRun | null> {
  const key = `${run.id} ${run.step} ${model !== undefined}`;
  const known = measured.get(key);
  if (known !== undefined) return known;
  const found = measureRun(run, await listMetrics(run.id, () => undefined), model);
  measured.set(key, found);
  return found;
}
