/**
 * A whole fine-tuning run on a person's documents: prepare the data, train (see
 * fine-tune.ts), let the model write a sample at each evaluation, and at the end
 * score base and tuned on the test part. Reports through hooks; where things are
 * stored and shown is not its business.
 */
import type { SplitDocument, SplitOptions } from "../../data/split";
import type { AdapterReport, Score } from "../../store/types";
import type { LoraAdapter } from "../adapter/types";
import { planFor } from "../execution/open";
import type { AdapterTensors, ExecutionPlan } from "../execution/types";
import { bannedSequences } from "../generate/banned";
import { Generator } from "../generate/generator";
import type { RunControl } from "../loop";
import type { ReadyModel } from "../model/embedded";
import { mainStorage } from "../model/groups";
import type { Backend } from "../runtime/backend";
import { checkConfig } from "./check";
import { machineOf, type SftCheckpoint } from "./checkpoint";
import type { SftConfig } from "./config";
import { fineTune, type FineTuneHooks, type FineTuneResult } from "./fine-tune";
import { planSteps } from "./plan";
import { prepareData, type PreparedData } from "./prepare";
import { poolScore } from "./score";
import { changesNothing, startFrom } from "./start";
import { SftTrainer } from "./trainer";

export interface SftRunHooks extends Omit<FineTuneHooks, "evaluated"> {
  /** Called again and again while the data is prepared, which takes long for long texts; may throw to leave. */
  preparing?(): void | Promise<void>;
  prepared?(data: PreparedData, totalSteps: number): void | Promise<void>;
  /** What the model writes after `done` steps, always from the same prompt and seed. */
  sample?(done: number, prompt: string, text: string): void | Promise<void>;
  finishing?(): void | Promise<void>;
}

export interface SftRunOptions {
  /** Where to go on. Its settings need not be the run's, but its data must be. */
  resume?: SftCheckpoint;
  /** Absent: that of {@link runPlan}. */
  execution?: ExecutionPlan;
  /** An adapter to go on from; the settings must have its shape, see configFrom. The report is of the model without it, and with what came of it. */
  start?: LoraAdapter;
  /** Shares and groups of the split; absent: 80/10/10, and no groups. */
  splitting?: SplitOptions;
}

export interface SftRunResult extends FineTuneResult {
  report: AdapterReport;
}

const SAMPLE_TOKENS = 56;
const SAMPLING = { temperature: 0.7, topP: 0.95 } as const;
const EVALUATION_BATCH = 8;
/** Validation examples measured during a run, spread evenly over the part: enough to choose a checkpoint by. The test part is scored whole. */
const MAX_VALIDATION_EXAMPLES = 64;

/** How a run is executed: as its checkpoint was, where it goes on upon a like device and weights; else as suits training with the samples' generator beside it. */
export function runPlan(backend: Backend, model: Pick<ReadyModel, "config" | "weights">, config: SftConfig, resume?: SftCheckpoint | null): ExecutionPlan {
  const before = resume?.machine;
  if (before?.device === backend.kind && before.storage === mainStorage(model.weights)) return before.execution;
  return planFor(backend, model, { batch: config.batchSize, seq: config.maxLength, otherCopies: 1 });
}

/**
 * @throws DuctusError `train/diverged` with the best adapter so far handed to `hooks.heldOut` before, and the last
 *   checkpoint older than the fault; `train/settings`, `data/too-little`, `train/checkpoint-other`, `adapter/shapes`
 */
export async function runSft(
  backend: Backend, model: ReadyModel, documents: readonly SplitDocument[], splitSeed: number, config: SftConfig,
  control: RunControl, hooks: SftRunHooks = {}, { resume, execution = runPlan(backend, model, config, resume), start, splitting }: SftRunOptions = {},
): Promise<SftRunResult> {
  checkConfig(config);
  const adapter = start && startFrom(start, model.config, model.weights, config);
  const data = await prepareData(documents, splitSeed, config, model.tokenizer, async () => {
    await new Promise((resolve) => setTimeout(resolve)); // lets a stop in
    await hooks.preparing?.();
  }, splitting);
  const plan = planSteps(data.epochs, config);
  const trainer = await SftTrainer.create(backend, model.config, model.weights, config, adapter, execution);
  let writer: Generator | null = null;
  try {
    const opened = trainer.execution.plan;
    if (opened.kind !== execution.kind || opened.recompute !== execution.recompute) await hooks.narrowed?.(opened);
    await hooks.prepared?.(data, plan.length);
    writer = await Generator.create(backend, model.config, model.weights, config.lora, 2 * config.maxLength, { execution: opened.kind, tokens: config.lora.trainableTokenIndices });
    const samplePrompt = data.validation.find((e) => e.source.form === "continue") ?? data.validation[0]!;
    const banned = bannedSequences(model.tokenizer, documents.map((d) => d.text));
    const machine = machineOf(backend, model.weights, trainer.execution.plan);
    const evaluated = async (done: number, adapter: AdapterTensors) => {
      if (!hooks.sample) return;
      const promptIds = samplePrompt.ids.slice(0, samplePrompt.promptLength);
      const [row] = await writer!.generate([{ promptIds, adapted: true, seed: config.seed }],
        { ...SAMPLING, maxNewTokens: SAMPLE_TOKENS, stopTokenIds: model.stopTokenIds, banned }, adapter);
      await hooks.sample(done, samplePrompt.source.messages.at(-1)!.content, model.tokenizer.decode(row!.tokens));
    };
    const result = await fineTune(trainer, plan, spread(data.validation, MAX_VALIDATION_EXAMPLES), config, machine, control, { ...hooks, evaluated }, resume ?? null);
    await hooks.finishing?.();
    const score = async (adapter: AdapterTensors | null): Promise<Score> => poolScore(data.test, await trainer.evaluate(data.test, EVALUATION_BATCH, adapter));
    const base = await score(null);
    // Nothing learned, no difference: not even in the last digits.
    return { ...result, report: { base, tuned: changesNothing(result.adapter) ? base : await score(result.adapter) } };
  } finally {
    await writer?.dispose();
    await trainer.dispose();
  }
}

/** At most `count` items, evenly spaced. */
function spread<T>(items: readonly T[], count: number): T[] {
  return items.length <= count ? [...items] : Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}
