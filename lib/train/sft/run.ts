/**
 * A whole fine-tuning run: prepare the data, train, measure the validation part
 * at set points, keep the best adapter by it, let the model write a sample each
 * time, and at the end score base and tuned on the test part. Reports through
 * hooks; where things are stored and shown is not its business.
 */
import type { SplitDocument } from "../../data/split";
import type { AdapterReport, Score } from "../../store/types";
import { bannedSequences } from "../generate/banned";
import { Generator } from "../generate/generator";
import { runLoop, type RunControl } from "../loop";
import type { ReadyModel } from "../model/embedded";
import { linearWithWarmup } from "../optimizer/schedule";
import type { Backend } from "../runtime/backend";
import { checkConfig } from "./check";
import type { SftConfig } from "./config";
import { planSteps } from "./plan";
import { prepareData, type PreparedData, type PreparedExample } from "./prepare";
import { poolScore } from "./score";
import { diverged, SftTrainer, type StepResult } from "./trainer";

export interface SftRunHooks {
  /** Called again and again while the data is prepared, which takes long for long texts; may throw to leave. */
  preparing?(): void | Promise<void>;
  prepared?(data: PreparedData, totalSteps: number): void | Promise<void>;
  step?(done: number, result: StepResult & { learningRate: number }): void | Promise<void>;
  /** `adapter` is live: copy it to keep it. `best`: this is the lowest validation loss so far. */
  heldOut?(done: number, score: Score, adapter: ReadonlyMap<string, Float32Array>, best: boolean): void | Promise<void>;
  sample?(done: number, prompt: string, text: string): void | Promise<void>;
  finishing?(): void | Promise<void>;
}

export interface SftRunResult {
  adapter: Map<string, Float32Array>;
  /** Steps after which the kept adapter was measured best. */
  bestStep: number;
  steps: number;
  stopped: boolean;
  tokens: number;
  report: AdapterReport;
}

const SAMPLE_TOKENS = 56;
const SAMPLING = { temperature: 0.7, topP: 0.95 } as const;
const EVALUATION_BATCH = 8;
/** Validation examples measured during a run, spread evenly over the part: enough to choose a checkpoint by. The test part is scored whole. */
const MAX_VALIDATION_EXAMPLES = 64;

/**
 * @throws DuctusError `train/diverged` with the best adapter so far handed to `hooks.heldOut` before; `train/settings`, `data/too-little`
 */
export async function runSft(
  backend: Backend, model: ReadyModel, documents: readonly SplitDocument[], splitSeed: number, config: SftConfig,
  control: RunControl, hooks: SftRunHooks = {},
): Promise<SftRunResult> {
  checkConfig(config);
  const data = await prepareData(documents, splitSeed, config, model.tokenizer, async () => {
    await new Promise((resolve) => setTimeout(resolve)); // lets a stop in
    await hooks.preparing?.();
  });
  const plan = planSteps(data.epochs, config) as PreparedExample[][][];
  const trainer = await SftTrainer.create(backend, model.config, model.weights, config);
  let writer: Generator | null = null;
  try {
    await hooks.prepared?.(data, plan.length);
    writer = await Generator.create(backend, model.config, model.weights, config.lora, 2 * config.maxLength);
    const samplePrompt = data.validation.find((e) => e.source.form === "continue") ?? data.validation[0]!;
    const banned = bannedSequences(model.tokenizer, documents.map((d) => d.text));
    const checked = spread(data.validation, MAX_VALIDATION_EXAMPLES);
    const fresh = copy(trainer.adapter);
    let best = { loss: Infinity, adapter: fresh, step: 0 };
    let tokens = 0;
    const warmup = Math.ceil(plan.length * config.warmupRatio);

    const { steps, stopped } = await runLoop({
      totalSteps: plan.length, evaluations: config.evaluations, control,
      step: async (index) => {
        const learningRate = config.learningRate * linearWithWarmup(index, plan.length, warmup);
        const result = await trainer.step(plan[index]!, learningRate);
        tokens += result.tokens;
        await hooks.step?.(index + 1, { ...result, learningRate });
      },
      evaluate: async (done) => {
        const score = poolScore(checked, await trainer.evaluate(checked, EVALUATION_BATCH));
        if (!Number.isFinite(score.loss)) throw diverged(`validation loss ${score.loss} after ${done} steps`);
        const better = score.loss < best.loss;
        if (better) best = { loss: score.loss, adapter: copy(trainer.adapter), step: done };
        await hooks.heldOut?.(done, score, trainer.adapter, better);
        if (!hooks.sample) return;
        const promptIds = samplePrompt.ids.slice(0, samplePrompt.promptLength);
        const [row] = await writer!.generate([{ promptIds, adapted: true, seed: config.seed }],
          { ...SAMPLING, maxNewTokens: SAMPLE_TOKENS, stopTokenIds: model.stopTokenIds, banned }, trainer.adapter);
        await hooks.sample(done, samplePrompt.source.messages.at(-1)!.content, model.tokenizer.decode(row!.tokens));
      },
    });
    await hooks.finishing?.();
    const report = { base: await scoreWith(trainer, fresh, data.test), tuned: await scoreWith(trainer, best.adapter, data.test) };
    return { adapter: best.adapter, bestStep: best.step, steps, stopped, tokens, report };
  } finally {
    await writer?.dispose();
    await trainer.dispose();
  }
}

/** Scores under other adapter tensors of the same shape; a fresh adapter (B zero) is the base model. */
async function scoreWith(trainer: SftTrainer, adapter: ReadonlyMap<string, Float32Array>, examples: readonly PreparedExample[]): Promise<Score> {
  const kept = copy(trainer.adapter);
  assign(trainer.adapter, adapter);
  const score = poolScore(examples, await trainer.evaluate(examples, EVALUATION_BATCH));
  assign(trainer.adapter, kept);
  return score;
}

/** At most `count` items, evenly spaced. */
function spread<T>(items: readonly T[], count: number): T[] {
  return items.length <= count ? [...items] : Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

const copy = (tensors: ReadonlyMap<string, Float32Array>) => new Map([...tensors].map(([name, data]) => [name, data.slice()]));

function assign(to: ReadonlyMap<string, Float32Array>, from: ReadonlyMap<string, Float32Array>): void {
  for (const [name, data] of from) to.get(name)!.set(data);
}
