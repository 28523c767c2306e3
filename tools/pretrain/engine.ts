/**
 * The training engine on our own graphs: every weight of a model trained by the
 * recipe, on onnxruntime-node. Weights are inputs of the graph, since they
 * change; the gradients of a step's micro-batches are summed here. A run that
 * was cut and goes on from its last checkpoint gives the same numbers to the
 * last bit, with the same number of threads. The other engine is train.py.
 */
import { addTokenGradient, embedTokens } from "../../lib/train/execution/embed";
import { gradientName, scoringGraph, trainingGraph } from "../../lib/train/model/graphs";
import { graphWeights, splitFused } from "../../lib/train/model/groups";
import { MASKED } from "../../lib/train/model/qwen";
import { weightShapes } from "../../lib/train/model/weights";
import { AdamW } from "../../lib/train/optimizer/adamw";
import { clipGradientNorm } from "../../lib/train/optimizer/clip";
import { Muon, type Matrix } from "../../lib/train/optimizer/muon";
import type { Backend } from "../../lib/train/runtime/backend";
import type { Port } from "../../lib/train/graph/onnx";
import { f32, i32, i64, Session, type NdArray } from "../../lib/train/runtime/session";
import type { ModelConfig } from "../../lib/train/model/config";
import type { Sequence } from "./batches";
import type { Checkpoint } from "./checkpoint";
import { isBlockMatrix, modelConfigOf, type Weights } from "./model";
import { momentumAt, rateFactor, type Recipe } from "./recipe";

/** What the optimizers are called with. */
export interface StepResult {
  /** Mean nll over the step's tokens before the update, z-loss left out, in nats. */
  loss: number;
  /** Of all gradients together, before clipping. */
  gradientNorm: number;
}

export class NodeEngine {
  private constructor(
    private readonly backend: Backend,
    private readonly recipe: Recipe,
    private readonly config: ModelConfig,
    private readonly session: Session,
    /** Names and shapes of the weights that the graph is fed. */
    private readonly ports: readonly Port[],
    private readonly muon: Muon,
    private readonly adam: AdamW,
    private readonly weights: Weights,
    private readonly average: Weights | null,
    private step: number,
  ) {}

  /** Goes on from a checkpoint, whose arrays it takes over. */
  static async create(backend: Backend, recipe: Recipe, from: Checkpoint): Promise<NodeEngine> {
    const config = modelConfigOf(recipe);
    const maxPositions = Math.max(recipe.sequenceLength, recipe.long.sequenceLength);
    const model = trainingGraph(config, { kind: "full", zLoss: recipe.zLoss }, from.weights, { maxPositions, target: "cpu" });
    const numbers = graphWeights(config, from.weights);
    const ports = model.inputs.filter(({ name }) => numbers.has(name));
    const session = await Session.create(backend, model);
    const { beta1, beta2, eps: epsilon, weightDecay } = recipe.adam;
    const muon = await Muon.create(backend, { weightDecay: recipe.muon.weightDecay, iterations: recipe.muon.nsSteps });
    const adam = new AdamW({ beta1, beta2, epsilon, weightDecay });
    const engine = new NodeEngine(backend, recipe, config, session, ports, muon, adam, from.weights, from.average, from.step);
    const named = (tensors: Weights, part: string) => [...tensors].map(([name, data]) => [`${name}:${part}`, data] as const);
    muon.restore({ steps: from.optimizerSteps, tensors: new Map(named(from.muon, "momentum_buffer")) }, engine.matrices());
    adam.restore({ steps: from.optimizerSteps, tensors: new Map([...named(from.adam.first, "exp_avg"), ...named(from.adam.second, "exp_avg_sq")]) }, engine.others());
    return engine;
  }

  /** One update from the micro-batches of its step. */
  async train(microBatches: readonly Sequence[][]): Promise<StepResult> {
    const { loss, gradients } = await this.gradients(microBatches);
    const gradientNorm = clipGradientNorm(gradients.values(), this.recipe.clip);
    const factor = rateFactor(this.recipe, this.step);
    await this.muon.step(this.matrices(), gradients, this.recipe.muon.lr * factor, momentumAt(this.recipe, this.step));
    this.adam.step(this.others(), gradients, this.recipe.adam.lr * factor);
    if (this.average) for (const [name, mean] of this.average) moveTowards(mean, this.weights.get(name)!, 1 - this.recipe.average!.decay);
    this.step++;
    return { loss, gradientNorm };
  }

  /** The mean loss over the micro-batches, and the gradient of what is minimised, by Hugging Face name. */
  async gradients(microBatches: readonly Sequence[][]): Promise<{ loss: number; gradients: Weights }> {
    const tokens = microBatches.flat().reduce((sum, sequence) => sum + sequence.length - 1, 0);
    const fixed = this.weightFeeds();
    const gradients: Weights = new Map([...weightShapes(this.config)].map(([name, shape]) => [name, new Float32Array(shape.reduce((a, b) => a * b, 1))]));
    const table = gradients.get(EMBEDDING)!; // [vocab, hidden]
    const everyToken = Array.from({ length: this.config.vocabSize }, (_, id) => id);
    let nats = 0;
    for (const sequences of microBatches) {
      const { ids, feeds } = batchFeeds(this.config, this.weights, sequences);
      const out = await this.session.run({ ...fixed, ...feeds, weights: f32(new Float32Array(ids.length).fill(1 / tokens), [ids.length, 1]) });
      for (const name of Object.keys(fixed)) for (const [part, gradient] of splitFused(this.config, name, out[gradientName(name)]!.data as Float32Array)) addTo(gradients.get(part)!, gradient);
      addTokenGradient(ids, out[gradientName("embeddings")]!.data as Float32Array, everyToken, table);
      nats += sum(out["nll"]!.data as Float32Array);
    }
    return { loss: nats / tokens, gradients };
  }

  /** Mean nll over the sequences in nats, of the weights and, where the recipe keeps one, of their mean. */
  async score(microBatches: readonly Sequence[][]): Promise<{ loss: number; averageLoss: number | null }> {
    return { loss: await this.scoreWith(this.weights, microBatches), averageLoss: this.average && (await this.scoreWith(this.average, microBatches)) };
  }

  private async scoreWith(weights: Weights, microBatches: readonly Sequence[][]): Promise<number> {
    const session = await Session.create(this.backend, scoringGraph(this.config, null, weights, { maxPositions: this.recipe.sequenceLength, target: "cpu" }));
    let nats = 0, tokens = 0;
    try {
      for (const sequences of microBatches) {
        const { ids, feeds: { embeddings, positions, mask, rows, targets } } = batchFeeds(this.config, weights, sequences);
        const { nll } = await session.run({ embeddings, positions, mask, rows, targets });
        nats += sum(nll!.data as Float32Array);
        tokens += ids.length;
      }
    } finally {
      await session.dispose();
    }
    return nats / tokens;
  }

  /** A copy of all that the run needs to go on. */
  checkpoint(): Checkpoint {
    const muon = this.muon.state(), adam = this.adam.state();
    const part = (tensors: typeof adam.tensors, suffix: string): Weights =>
      new Map([...tensors].filter(([name]) => name.endsWith(`:${suffix}`)).map(([name, data]) => [name.slice(0, -suffix.length - 1), data as Float32Array]));
    const copy = (tensors: Weights): Weights => new Map([...tensors].map(([name, data]) => [name, data.slice()]));
    return {
      step: this.step, optimizerSteps: adam.steps, weights: copy(this.weights), muon: part(muon.tensors, "momentum_buffer"),
      adam: { first: part(adam.tensors, "exp_avg"), second: part(adam.tensors, "exp_avg_sq") }, average: this.average && copy(this.average),
    };
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
    await this.muon.dispose();
  }

  private matrices(): Map<string, Matrix> {
    const shapes = weightShapes(this.config);
    return new Map([...this.weights].filter(([name]) => isBlockMatrix(name)).map(([name, data]) => [name, { shape: shapes.get(name) as [number, number], data }]));
  }

  private others(): Weights {
    return new Map([...this.weights].filter(([name]) => !isBlockMatrix(name)));
  }

  /** By the graph's names. */
  private weightFeeds(): Record<string, NdArray> {
    const numbers = graphWeights(this.config, this.weights);
    return Object.fromEntries(this.ports.map(({ name, shape }) => [name, f32(numbers.get(name) as Float32Array, shape as number[])]));
  }
}

const EMBEDDING = "model.embed_tokens.weight";

/** Of sequences of one length T: the whole batch is scored. ids [B·T]. */
function batchFeeds(config: ModelConfig, weights: Weights, sequences: readonly Sequence[]): { ids: Int32Array; feeds: Record<"embeddings" | "positions" | "mask" | "rows" | "rowOf" | "targets", NdArray> } {
  const batch = sequences.length, length = sequences[0]!.length - 1, tokens = batch * length;
  const ids = new Int32Array(tokens), targets = new Int32Array(tokens); // [B·T], [B·T, 1]
  sequences.forEach((sequence, b) => {
    ids.set(sequence.subarray(0, length), b * length);
    targets.set(sequence.subarray(1), b * length);
  });
  const mask = new Float32Array(batch * length * length); // [B, 1, T, T]
  for (let query = 0; query < batch * length; query++) mask.fill(MASKED, query * length + (query % length) + 1, (query + 1) * length);
  const every = Int32Array.from(ids, (_, i) => i); // [M] and [B·T]: M = B·T
  return {
    ids,
    feeds: {
      embeddings: f32(embedTokens(config, weights, ids), [tokens, config.hiddenSize]),
      positions: i64(BigInt64Array.from(ids, (_, i) => BigInt(i % length)), [batch, length]),
      mask: f32(mask, [batch, 1, length, length]),
      rows: i32(every, [tokens]), rowOf: i32(every, [tokens]), targets: i32(targets, [tokens, 1]),
    },
  };
}

function addTo(total: Float32Array, part: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!;
}

function moveTowards(mean: Float32Array, to: Float32Array, share: number): void {
  for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! + (to[i]! - mean[i]!) * share;
}

function sum(values: Float32Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
