/**
 * The writing worker's measuring: the hand's test part scored with the model as
 * it came and with an adapter, and what both write on from the same passages of
 * it. What is done is stored after each stage and each batch, so that a stop
 * loses little. What the numbers mean is lib/eval's.
 */
import { DuctusError } from "../lib/core/errors";
import { dataHash } from "../lib/data/examples";
import { heldOutPassages, somePassages, type HeldOutPassage } from "../lib/data/held-out-passages";
import { partsOf, type Split } from "../lib/data/split";
import { isWhole, type MeasuredSystem, type Measurement, readMeasurement, reportOf } from "../lib/eval/measurement";
import { listAdapters } from "../lib/store/adapters";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { splitOf } from "../lib/store/hand-split";
import { getHand, splitOptions } from "../lib/store/hands";
import { getMeasurement, saveMeasurement } from "../lib/store/measurements";
import type { AdapterReport, Hand, Score, StoredDocument } from "../lib/store/types";
import { openExecution } from "../lib/train/execution/open";
import type { AdapterTensors, Execution } from "../lib/train/execution/types";
import { prepareData, type PreparedExample } from "../lib/train/sft/prepare";
import { defaultConfig } from "../lib/train/sft/recipes";
import { scoreExamples } from "../lib/train/sft/trainer";
import { adapterTensors, tokenizerFor } from "./adapter-use";
import { type Compared, MAX_ROWS, type MeasureEvent, type MeasurePhase, type SamplingOptions } from "./protocol";
import { device } from "./resources";
import { closeGenerator, openStored, takeTurn, writeRows, type Opened } from "./writing";

const BATCH = 8;
/** Enough for intervals, and few enough to wait for. */
const PROMPTS = 24;
/** About as long as what the writer wrote next. */
const SAMPLING: SamplingOptions = { temperature: 0.7, topP: 0.95, maxNewTokens: 100 };
const SEED = 1;

/** Another call, or a stop, has ended it. */
class Stopped extends Error {}

interface Job extends Opened {
  hand: Hand;
  adapterId: string;
  stopped: () => boolean;
  onEvent: (event: MeasureEvent) => void;
}

export async function measure(handId: string, adapterId: string, onEvent: (event: MeasureEvent) => void): Promise<boolean> {
  const stopped = takeTurn();
  const hand = await requireHand(handId);
  const opened = await openStored(adapterId, (done, total) => onEvent({ type: "loading", done, total }));
  const job: Job = { ...opened, hand, adapterId, stopped, onEvent };
  try {
    await write(job, await score(job));
    return true;
  } catch (error) {
    if (error instanceof Stopped) return false;
    throw error;
  }
}

async function requireHand(id: string): Promise<Hand> {
  const hand = await getHand(id);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  return hand;
}

const writingOf = async (handId: string): Promise<StoredDocument[]> => usedDocuments(await listDocuments(handId, () => undefined));

/** Of the writing and its division. */
const basisOf = (documents: readonly StoredDocument[], split: Split): Promise<string> => dataHash(documents, split, "measured");

/** What was measured of an adapter; null where nothing was, or not on this writing. */
async function earlier(adapterId: string, basis: string): Promise<Measurement | null> {
  const stored = await getMeasurement(adapterId, () => undefined);
  if (stored === null) return null;
  try {
    const measurement = readMeasurement(stored.content);
    return measurement.basis === basis ? measurement : null;
  } catch {
    return null; // it is measured anew
  }
}

const baseIdOf = (sha256: string): string => `base/${sha256}`;

/** The same model on the same writing, measured with another adapter. */
async function baseMeasured({ hand, adapterId, model, addedTokens }: Job, basis: string): Promise<MeasuredSystem | null> {
  if (addedTokens.length > 0) return null; // read with another tokenizer
  for (const { id, modelSha256 } of await listAdapters(hand.id, () => undefined)) {
    if (id === adapterId || modelSha256 !== model.entry.sha256) continue;
    const other = await earlier(id, basis);
    if (other !== null && other.base.scores.tokenizer === model.entry.sha256) return other.base;
  }
  return null;
}

async function score(job: Job): Promise<Measurement> {
  const { model, adapter, addedTokens, hand, stopped, onEvent } = job;
  const documents = await writingOf(hand.id);
  const split = splitOf(hand, documents);
  const basis = await basisOf(documents, split);
  const before = await earlier(job.adapterId, basis);
  if (before !== null) return before;

  const tokenizer = await tokenizerFor(model, addedTokens);
  const { backend } = await device("auto");
  // On WebGPU onnxruntime gives weights of closed sessions back only once no session is open: one at a time. A large model does not fit twice anywhere.
  if (backend.kind === "webgpu" || model.storage !== "f32") await closeGenerator();
  const config = { ...defaultConfig(model.entry.parameters, 0), epochs: 0 };
  const { test } = await prepareData(documents, hand.seed, config, tokenizer, async () => {
    if (stopped()) throw new Stopped();
    await new Promise((resolve) => setTimeout(resolve)); // lets stop() in
  }, splitOptions(hand));
  const tokenizerId = [model.entry.sha256, ...addedTokens.map(({ id, content }) => `${id} ${content}`)].join("\n");
  const known = await baseMeasured(job, basis);
  const progress = progressOf("scoring", (known === null ? 2 : 1) * test.length, onEvent);
  const execution = await openExecution(backend, model, { lora: adapter, dropout: 0, maxPositions: config.maxLength, batchTokens: config.batchSize * config.maxLength, tokens: adapter.tokens?.ids ?? [] });
  try {
    const system = async (id: string, name: string, tensors: AdapterTensors | null): Promise<MeasuredSystem> =>
      ({ scores: { id, name, tokenizer: tokenizerId, passages: await scorePassages(execution, test, tensors, stopped, progress) }, texts: [] });
    const base = known ?? await system(baseIdOf(model.entry.sha256), model.entry.name, null);
    const tuned = await system(job.adapterId, job.name, adapterTensors(model, adapter));
    const own = promptsOf(hand, split).map(({ next }) => next);
    const measured: Measurement = { version: 1, basis, model: model.entry.sha256, base, tuned, own };
    await saveMeasurement({ handId: hand.id, adapterId: job.adapterId, content: measured }, { base: pooled(base), tuned: pooled(tuned) } satisfies AdapterReport);
    return measured;
  } finally {
    await execution.dispose();
  }
}

/** Shortest first, so that batches hold little padding. @throws DuctusError `data/scores` where the model's numbers are none */
async function scorePassages(execution: Execution, test: readonly PreparedExample[], tensors: AdapterTensors | null, stopped: () => boolean, progress: (more: number) => void): Promise<MeasuredSystem["scores"]["passages"]> {
  const order = [...test].sort((a, b) => a.ids.length - b.ids.length);
  const passages: MeasuredSystem["scores"]["passages"] = [];
  for (let start = 0; start < order.length; start += BATCH) {
    if (stopped()) throw new Stopped();
    const examples = order.slice(start, start + BATCH);
    const losses = await scoreExamples(execution, examples, BATCH, tensors);
    losses.forEach(({ nll, tokens }, i) => {
      const { source, documentId, completionBytes } = examples[i]!;
      if (!Number.isFinite(nll)) throw new DuctusError("data/scores", "What this adapter computes runs out of bounds, so there is nothing to measure.", "Train it again, or choose another one.", { details: `${source.id}: ${nll}` });
      passages.push({ id: source.id, documentId, tokens, nats: Math.max(0, nll), bytes: completionBytes });
    });
    progress(examples.length);
    await new Promise((resolve) => setTimeout(resolve)); // lets stop() in
  }
  return passages;
}

function pooled({ scores: { passages } }: MeasuredSystem): Score {
  const total = (of: "tokens" | "nats" | "bytes"): number => passages.reduce((sum, one) => sum + one[of], 0);
  const loss = total("nats") / total("tokens");
  return { loss, perplexity: Math.exp(loss), bitsPerByte: total("nats") / Math.LN2 / total("bytes"), tokens: total("tokens"), bytes: total("bytes"), examples: passages.length };
}

const promptsOf = (hand: Hand, split: Split): HeldOutPassage[] => somePassages(heldOutPassages(split, hand.seed), PROMPTS, `${hand.seed}/measured`);

async function write(job: Job, scored: Measurement): Promise<void> {
  const { hand, adapterId, stopped, onEvent } = job;
  const documents = await writingOf(hand.id);
  const split = splitOf(hand, documents);
  // Changed while it was scored: what is there is of the writing before.
  if (isWhole(scored) || (await basisOf(documents, split)) !== scored.basis) return;
  const prompts = promptsOf(hand, split);
  const known = await baseMeasured(job, scored.basis);
  if (known !== null && known.texts.length > scored.base.texts.length) scored.base.texts = [...known.texts];
  const { base, tuned } = scored;
  const progress = progressOf("writing", 2 * prompts.length, onEvent, base.texts.length + tuned.texts.length);
  while (!isWhole(scored)) {
    // Both in one batch where neither has written yet.
    const systems = [base, tuned].filter(({ texts }) => texts.length === Math.min(base.texts.length, tuned.texts.length));
    const from = systems[0]!.texts.length;
    const asked = prompts.slice(from, from + MAX_ROWS / systems.length);
    const rows = systems.flatMap((system) => asked.map(({ text }) => ({ voice: system === base ? "base" as const : "tuned" as const, ask: { form: "continue" as const, passage: text }, seed: SEED })));
    const texts = rows.map(() => "");
    if (stopped()) throw new Stopped();
    await writeRows({ handId: hand.id, adapterId, rows, sampling: SAMPLING, device: "auto" }, stopped, (event) => {
      if (event.type !== "done") return;
      if (event.stop === "stopped") throw new Stopped();
      texts[event.row] = event.text;
    });
    systems.forEach((system, s) => system.texts.push(...texts.slice(s * asked.length, (s + 1) * asked.length)));
    await saveMeasurement({ handId: hand.id, adapterId, content: scored });
    progress(rows.length);
  }
}

/** Tells how far a phase has come. @param before done in an earlier call, which says nothing about the time */
function progressOf(phase: MeasurePhase, total: number, onEvent: (event: MeasureEvent) => void, before = 0): (more: number) => void {
  const startedAt = performance.now();
  let done = before;
  const tell = (): void => onEvent({ type: "progress", phase, done, total, remainingMs: done === before ? null : ((performance.now() - startedAt) / (done - before)) * (total - done) });
  tell();
  return (more) => {
    done += more;
    tell();
  };
}

export async function compareReport(handId: string, adapterIds: readonly string[]): Promise<Compared | null> {
  const [adapterId] = adapterIds;
  const stored = adapterId === undefined ? null : await getMeasurement(adapterId);
  if (adapterId === undefined || stored === null) return null;
  const first = readMeasurement(stored.content);
  const hand = await requireHand(handId);
  const documents = await writingOf(handId);
  const split = splitOf(hand, documents);
  const current = (await basisOf(documents, split)) === first.basis;
  const others = await Promise.all(adapterIds.slice(1).map(async (id) => ({ id, measurement: await earlier(id, first.basis) })));
  const known = others.flatMap(({ measurement }) => measurement ?? []);
  return {
    report: reportOf([first, ...known], current ? partsOf(split, "train").map(({ text }) => text) : [], hand.seed),
    adapterId, baseId: first.base.scores.id, measuredAt: stored.measuredAt, whole: isWhole(first), current,
    leftOut: others.flatMap(({ id, measurement }) => (measurement === null ? [id] : [])),
  };
}
