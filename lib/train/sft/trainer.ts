/**
 * Supervised fine-tuning of an adapter: one optimizer step at a time. Loss is
 * taken on completions only; gradients of the micro-batches of a step are
 * summed, weighted so that every completion token counts the same (TRL's and
 * transformers' num_items_in_batch). All chance follows from the seed and the
 * number of the step, so that a trainer restored from its state repeats what
 * another did. It knows nothing of runs, pauses or storage: see fine-tune.ts.
 */
import { DuctusError } from "../../core/errors";
import type { ExecutionSettings } from "../execution/feeds";
import { narrower, openWithin } from "../execution/open";
import type { AdapterTensors, Execution, ExecutionPlan } from "../execution/types";
import { HEAD_ROWS, TOKEN_ROWS } from "../adapter/tensors";
import { initialTokenRows } from "../model/added-tokens";
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import { initialAdapter } from "../model/lora";
import { clipGradientNorm } from "../optimizer/clip";
import { createOptimizer, type Optimizer, type OptimizerState } from "../optimizer/optimizer";
import type { Backend } from "../runtime/backend";
import { collate, completionTokens, examplesOf, type Batch, type BatchRow, type TokenizedExample } from "./batch";
import type { SftConfig } from "./config";
import { neftuneNoise } from "./noise";

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

/** All that changes while training, copied. */
export interface TrainerState {
  steps: number;
  adapter: Map<string, Float32Array>;
  optimizer: OptimizerState;
}

export class SftTrainer {
  private readonly optimizer: Optimizer;
  private steps = 0;

  private constructor(
    private readonly model: ModelConfig,
    private readonly config: SftConfig,
    private current: Execution,
    /** Opens another in its place; null where the execution is somebody else's. */
    private readonly reopen: ((plan: ExecutionPlan) => Promise<Execution>) | null,
    /** By name, updated in place: `layers.{i}.{group}.{projection}.lora_A|B`. */
    readonly adapter: ReadonlyMap<string, Float32Array>,
  ) {
    this.optimizer = createOptimizer(config.optim, { beta1: config.adamBeta1, beta2: config.adamBeta2, epsilon: config.adamEpsilon, weightDecay: config.weightDecay });
  }

  /**
   * Opens an execution of its own.
   * @param adapter where to start from; absent: a fresh one from the config's seed
   * @param plan absent: the one that suits; where there is no room for it, the next that takes less is opened
   */
  static async create(
    backend: Backend, model: ModelConfig, weights: AnyWeights, config: SftConfig,
    adapter: ReadonlyMap<string, Float32Array> = startingAdapter(model, weights, config), plan?: ExecutionPlan,
  ): Promise<SftTrainer> {
    const open = (wanted?: ExecutionPlan) => openWithin(backend, { config: model, weights }, executionSettings(config), wanted);
    return new SftTrainer(model, config, await open(plan), open, adapter);
  }

  /**
   * Trains on an execution that others may use too, each with an adapter of its own: tensors are handed over with every
   * call, and nothing of a trainer stays behind in it. The execution's adapter shape, dropout and longest row must be the
   * config's. Disposing the trainer leaves it open.
   */
  static on(execution: Execution, model: ModelConfig, config: SftConfig, adapter: ReadonlyMap<string, Float32Array>): SftTrainer {
    return new SftTrainer(model, config, execution, null, adapter);
  }

  get execution(): Execution {
    return this.current;
  }

  /**
   * Goes on from the same state in less memory, with an execution that takes less.
   * @returns its plan; null where there is none, or the execution is not the trainer's own
   */
  async narrow(): Promise<ExecutionPlan | null> {
    const plan = narrower(this.current.plan);
    if (!plan || !this.reopen) return null;
    await this.current.dispose();
    this.current = await this.reopen(plan);
    return this.current.plan;
  }

  /**
   * One optimizer step over the given micro-batches. Where nothing in them is scored, loss and gradient are 0, as TRL has it.
   *
   * @param beforeUpdate called when loss and gradient of this step have proved the state so far to be sound, and it still stands
   * @throws DuctusError `train/diverged` as {@link prove}; the adapter is then unchanged
   */
  async step(microBatches: readonly (readonly BatchRow[])[], learningRate: number, beforeUpdate?: () => Promise<void>): Promise<StepResult> {
    const { sums, ...result } = await this.gradients(microBatches);
    await beforeUpdate?.();
    this.optimizer.step(this.adapter, sums, learningRate);
    this.steps++;
    return result;
  }

  /**
   * Computes what a step would, and changes nothing.
   * @throws DuctusError `train/diverged` on a loss or gradient that is no number, and on a gradient that is nothing at
   *   all under a loss: normalisation turns activations that overflow into zeros
   */
  async prove(microBatches: readonly (readonly BatchRow[])[]): Promise<void> {
    await this.gradients(microBatches);
  }

  private async gradients(microBatches: readonly (readonly BatchRow[])[]): Promise<StepResult & { sums: Map<string, Float32Array> }> {
    const total = microBatches.flat().flatMap(examplesOf).reduce((n, e) => n + completionTokens(e), 0);
    const sums = new Map<string, Float32Array>();
    let loss = 0, tokens = 0;
    for (const [index, rows] of microBatches.entries()) {
      const examples = rows.flatMap(examplesOf);
      tokens += examples.reduce((n, { ids }) => n + ids.length, 0);
      if (!examples.some((e) => completionTokens(e) > 0)) continue; // texts of one token: a loss and a gradient of 0
      const batch = collate(rows);
      const { loss: part, gradients } = await this.execution.train(batch, {
        adapter: this.adapter,
        rowWeights: new Float32Array(batch.completionTokens).fill(1 / total), // [M]
        dropoutSeed: this.config.lora.dropout > 0 ? this.seedOf("dropout", index) : null,
        noise: this.noise(batch, index),
      });
      loss += part;
      for (const name of this.adapter.keys()) {
        const gradient = gradients.get(name)!;
        const sum = sums.get(name);
        if (sum) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + gradient[i]!;
        else sums.set(name, gradient);
      }
    }
    if (total === 0) for (const [name, { length }] of this.adapter) sums.set(name, new Float32Array(length));
    const gradNorm = clipGradientNorm(sums.values(), this.config.maxGradNorm);
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm) || (gradNorm === 0 && loss > 0)) {
      throw diverged(`step ${this.steps}, loss ${loss}, gradient norm ${gradNorm}`);
    }
    return { loss, gradNorm, tokens, completionTokens: total, sums };
  }

  /** Loss of each example under the adapter as it stands, or under another of the same shape; null: the base model. Without dropout and noise. */
  async evaluate(examples: readonly TokenizedExample[], batchSize = this.config.batchSize, adapter: AdapterTensors | null = this.adapter): Promise<ExampleLoss[]> {
    return scoreExamples(this.execution, examples, batchSize, adapter);
  }

  state(): TrainerState {
    return { steps: this.steps, adapter: copyTensors(this.adapter), optimizer: this.optimizer.state() };
  }

  /** @throws DuctusError `train/checkpoint-other`, `train/optimizer-state` where the state is of an adapter or an optimizer of another shape; nothing is then changed */
  restore({ steps, adapter, optimizer }: TrainerState): void {
    const fits = adapter.size === this.adapter.size && [...this.adapter].every(([name, { length }]) => adapter.get(name)?.length === length);
    if (!fits) throw new DuctusError("train/checkpoint-other", "The stored state of this run belongs to an adapter of another shape.", "Start a new run.");
    this.optimizer.restore(optimizer, this.adapter);
    for (const [name, data] of adapter) this.adapter.get(name)!.set(data);
    this.steps = steps;
  }

  async dispose(): Promise<void> {
    if (this.reopen) await this.current.dispose();
  }

  private noise(batch: Batch, index: number): Float32Array | null {
    const { neftuneNoiseAlpha } = this.config;
    if (!(neftuneNoiseAlpha > 0)) return null;
    const [rows, seq] = batch.feeds.positions.shape as [number, number];
    return neftuneNoise(rows, seq, this.model.hiddenSize, neftuneNoiseAlpha, this.seedOf("neftune", index));
  }

  private seedOf(what: string, microBatch: number): string {
    return `${what}-${this.config.seed}-${this.steps}-${microBatch}`;
  }
}

/** What an execution must be made for, so that it can train with these settings. */
export const executionSettings = ({ lora, maxLength, batchSize }: Pick<SftConfig, "lora" | "maxLength" | "batchSize">): ExecutionSettings =>
  ({ lora, dropout: lora.dropout, maxPositions: maxLength, batchTokens: batchSize * maxLength, tokens: lora.trainableTokenIndices });

/**
 * A fresh adapter from the config's seed, which changes nothing yet; trained tokens begin with the model's own rows, new
 * ones near the mean of all.
 *
 * @param added ids that are new to the tokenizer: a model may have rows for them that nobody has trained. Those beyond
 *   its vocabulary are new in any case
 */
export function startingAdapter(model: ModelConfig, weights: AnyWeights, { lora, seed }: Pick<SftConfig, "lora" | "seed">, added: Iterable<number> = []): Map<string, Float32Array> {
  const adapter = initialAdapter(model, lora, seed);
  if (lora.trainableTokenIndices.length === 0) return adapter;
  const { rows, headRows } = initialTokenRows(model, weights, lora.trainableTokenIndices, new Set(added), seed);
  adapter.set(TOKEN_ROWS, rows);
  if (headRows) adapter.set(HEAD_ROWS, headRows);
  return adapter;
}

export const copyTensors = (tensors: ReadonlyMap<string, Float32Array>) => new Map([...tensors].map(([name, data]) => [name, data.slice()]));

/** @param details what was measured, for a bug report */
export function diverged(details: string): DuctusError {
  return new DuctusError("train/diverged", "Training went wrong: the model's numbers have run out of bounds.",
    "What it had learned by its last check, if it got so far, is kept. Your writing is safe. Look for pieces that are not prose, leave them out, and train again.", { details });
}

/**
 * Loss of examples; those of which nothing is scored have none. Runs them
 * shortest first, so that batches hold little padding; results come in the order
 * given.
 *
 * @param adapter null for the base model
 */
export async function scoreExamples(execution: Execution, examples: readonly TokenizedExample[], batchSize: number, adapter: AdapterTensors | null): Promise<ExampleLoss[]> {
  const order = [...examples.keys()].filter((i) => completionTokens(examples[i]!) > 0).sort((a, b) => examples[a]!.ids.length - examples[b]!.ids.length);
  const losses: ExampleLoss[] = examples.map(() => ({ nll: 0, tokens: 0 }));
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.slice(start, start + batchSize);
    const batch = collate(chosen.map((i) => examples[i]!));
    const nll = await execution.score(batch, adapter); // [M]
    batch.exampleOf.forEach((b, m) => {
      const loss = losses[chosen[b]!]!;
      loss.nll += nll[m]!;
      loss.tokens++;
    });
  }
  return losses;
}
