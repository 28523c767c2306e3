/**
 * Supervised fine-tuning of an adapter: one optimizer step at a time. Loss is
 * taken on completions only; gradients of the micro-batches of a step are
 * summed, weighted so that every completion token counts the same (TRL's and
 * transformers' num_items_in_batch). It knows nothing of runs, pauses or
 * storage: see loop.ts.
 */
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import type { ModelConfig } from "../model/config";
import { gradientName, scoringGraph, trainingGraph, type WeightMap } from "../model/graphs";
import { adaptedModules, adapterShapes, initialAdapter } from "../model/lora";
import { AdamW } from "../optimizer/adamw";
import { clipGradientNorm } from "../optimizer/clip";
import type { Backend } from "../runtime/backend";
import { f32, Session, type NdArray } from "../runtime/session";
import { collate, completionTokens, type TokenizedExample } from "./batch";
import type { SftConfig } from "./config";
import { dropoutMask } from "./dropout";

export interface StepResult {
  /** Mean nats per completion token, before the update. */
  loss: number;
  /** Global L2 norm of the gradient before clipping. */
  gradNorm: number;
  tokens: number;
  completionTokens: number;
}

/** Sum of negative log-likelihood (nats) over completion tokens, by example. */
export interface ExampleLoss {
  nll: number;
  tokens: number;
}

export class SftTrainer {
  private readonly optimizer: AdamW;
  private steps = 0;

  private constructor(
    private readonly model: ModelConfig,
    private readonly config: SftConfig,
    private readonly training: Session,
    private readonly scoring: Session,
    /** By name, updated in place: `layers.{i}.{group}.{projection}.lora_A|B`. */
    readonly adapter: ReadonlyMap<string, Float32Array>,
  ) {
    this.optimizer = new AdamW({ beta1: config.adamBeta1, beta2: config.adamBeta2, epsilon: config.adamEpsilon, weightDecay: config.weightDecay });
  }

  /** @param adapter where to start from; absent: a fresh one from the config's seed */
  static async create(
    backend: Backend, model: ModelConfig, weights: WeightMap, config: SftConfig,
    adapter: ReadonlyMap<string, Float32Array> = initialAdapter(model, config.lora, config.seed),
  ): Promise<SftTrainer> {
    const trainable = { kind: "lora", lora: config.lora, dropout: config.lora.dropout > 0 } as const;
    const training = await Session.create(backend, trainingGraph(model, trainable, weights, config.maxLength));
    try {
      const scoring = await Session.create(backend, scoringGraph(model, config.lora, weights, config.maxLength));
      return new SftTrainer(model, config, training, scoring, adapter);
    } catch (error) {
      await training.dispose();
      throw error;
    }
  }

  /**
   * One optimizer step over the given micro-batches.
   *
   * @throws DuctusError `train/diverged` on a loss or gradient that is no number, and on a gradient that is nothing at
   *   all under a loss: normalisation turns activations that overflow into zeros. The adapter is then unchanged.
   */
  async step(microBatches: readonly (readonly TokenizedExample[])[], learningRate: number): Promise<StepResult> {
    const total = microBatches.flat().reduce((n, e) => n + completionTokens(e), 0);
    const sums = new Map<string, Float32Array>();
    let loss = 0, tokens = 0;
    for (const [index, examples] of microBatches.entries()) {
      const batch = collate(examples);
      tokens += batch.tokens;
      const weights = new Float32Array(batch.completionTokens).fill(1 / total); // [M, 1]
      const out = await this.training.run({
        ...batch.feeds,
        rowOf: batch.rowOf,
        ...this.adapterFeeds(),
        ...this.dropoutFeeds(batch.feeds.ids.shape[0]!, index),
        weights: f32(weights, [weights.length, 1]),
      });
      loss += out["loss"]!.data[0] as number;
      for (const name of this.adapter.keys()) {
        const gradient = out[gradientName(name)]!.data as Float32Array;
        const sum = sums.get(name);
        if (sum) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + gradient[i]!;
        else sums.set(name, gradient);
      }
    }
    const gradNorm = clipGradientNorm(sums.values(), this.config.maxGradNorm);
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm) || (gradNorm === 0 && loss > 0)) {
      throw diverged(`step ${this.steps}, loss ${loss}, gradient norm ${gradNorm}`);
    }
    this.optimizer.step(this.adapter, sums, learningRate);
    this.steps++;
    return { loss, gradNorm, tokens, completionTokens: total };
  }

  /** Loss of each example under the adapter as it stands, without dropout. */
  async evaluate(examples: readonly TokenizedExample[], batchSize = this.config.batchSize): Promise<ExampleLoss[]> {
    return scoreExamples(this.scoring, examples, batchSize, this.adapterFeeds());
  }

  async dispose(): Promise<void> {
    await this.training.dispose();
    await this.scoring.dispose();
  }

  private adapterFeeds(): Record<string, NdArray> {
    return adapterFeeds(this.adapter, adapterShapes(this.model, this.config.lora));
  }

  private dropoutFeeds(rows: number, microBatch: number): Record<string, NdArray> {
    const { dropout, targetModules } = this.config.lora;
    if (!(dropout > 0)) return {};
    const random = new Random(`dropout-${this.config.seed}-${this.steps}-${microBatch}`);
    return Object.fromEntries(adaptedModules(this.model, targetModules).map((m) =>
      [`dropout.${m.name}`, f32(dropoutMask(rows * m.in, dropout, random), [rows, m.in])]));
  }
}

/** @param details what was measured, for a bug report */
export function diverged(details: string): DuctusError {
  return new DuctusError("train/diverged", "Training went wrong: the model's numbers have run out of bounds.",
    "What it had learned by its last check, if it got so far, is kept. Your writing is safe. Look for pieces that are not prose, leave them out, and train again.", { details });
}

/** The adapter's tensors as inputs of a graph. */
export function adapterFeeds(adapter: ReadonlyMap<string, Float32Array>, shapes: ReadonlyMap<string, readonly number[]>): Record<string, NdArray> {
  return Object.fromEntries([...adapter].map(([name, data]) => [name, f32(data, shapes.get(name)!)]));
}

/**
 * Loss of examples under a scoring session. Runs them shortest first, so that
 * batches hold little padding; results come in the order given.
 */
export async function scoreExamples(
  session: Session, examples: readonly TokenizedExample[], batchSize: number, adapter: Record<string, NdArray>,
): Promise<ExampleLoss[]> {
  const order = examples.map((_, i) => i).sort((a, b) => examples[a]!.ids.length - examples[b]!.ids.length);
  const losses: ExampleLoss[] = examples.map(() => ({ nll: 0, tokens: 0 }));
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.slice(start, start + batchSize);
    const batch = collate(chosen.map((i) => examples[i]!));
    const { nll } = await session.run({ ...batch.feeds, ...adapter });
    batch.exampleOf.forEach((b, m) => {
      const loss = losses[chosen[b]!]!;
      loss.nll += nll!.data[m] as number;
      loss.tokens++;
    });
  }
  return losses;
}
