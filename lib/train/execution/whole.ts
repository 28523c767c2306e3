/**
 * The whole model as one graph with the weights inside, which each session has
 * a copy of: nothing is fed but the batch and the adapter, and nothing computed
 * twice. Quickest while weights and activations fit. Scoring has a session of
 * its own where the weights are small enough to be held once more; else it reads
 * the training session's token losses.
 */
import type { ModelConfig } from "../model/config";
import { gradientName, scoringGraph, trainingGraph, type GraphOptions } from "../model/graphs";
import { packLayer, unpackGradients, weightBytes, type AnyWeights } from "../model/groups";
import type { Backend } from "../runtime/backend";
import { f32, Session, type NdArray } from "../runtime/session";
import type { Batch } from "../sft/batch";
import { SCORING_APART_BYTES } from "./choose";
import { attentionFeeds, dropoutFeeds, embeddingFeed, headTokenRows, replacedFeed, targetFeed, tokenGradients, type ExecutionSettings } from "./feeds";
import { freshAdapter } from "./fresh";
import type { AdapterTensors, Execution, TrainInputs } from "./types";

/** Larger weights go to the runtime beside the model: the model's own form has a limit of 2 GB, and copies cost. */
const EXTERNAL_OVER_BYTES = 1 << 20;
const EXTERNAL_FROM_BYTES = 256e6;

export class WholeExecution implements Execution {
  readonly plan = { kind: "whole", recompute: false } as const;

  private constructor(
    private readonly config: ModelConfig,
    private readonly weights: AnyWeights,
    private readonly settings: ExecutionSettings,
    private readonly training: Session,
    private readonly scoring: Session | null,
  ) {}

  static async create(backend: Backend, config: ModelConfig, weights: AnyWeights, settings: ExecutionSettings): Promise<WholeExecution> {
    const bytes = weightBytes(weights);
    const options: GraphOptions = {
      maxPositions: settings.maxPositions, target: backend.kind === "webgpu" ? "any" : "cpu", tokens: settings.tokens.length,
      batchTokens: settings.batchTokens, ...(bytes > EXTERNAL_FROM_BYTES ? { externalOver: EXTERNAL_OVER_BYTES } : {}),
    };
    const training = await Session.create(backend, trainingGraph(config, { kind: "lora", lora: settings.lora, dropout: settings.dropout > 0 }, weights, options));
    if (bytes > SCORING_APART_BYTES) return new WholeExecution(config, weights, settings, training, null);
    try {
      return new WholeExecution(config, weights, settings, training, await Session.create(backend, scoringGraph(config, settings.lora, weights, options)));
    } catch (error) {
      await training.dispose();
      throw error;
    }
  }

  async train(batch: Batch, { adapter, rowWeights, dropoutSeed, noise }: TrainInputs): Promise<{ loss: number; gradients: Map<string, Float32Array> }> {
    const out = await this.training.run({ ...this.feeds(this.training, batch, adapter, noise), ...this.trainFeeds(batch, rowWeights, dropoutSeed) });
    const gradients = new Map<string, Float32Array>();
    for (let layer = 0; layer < this.config.numLayers; layer++) {
      unpackGradients(this.config, this.settings.lora, layer, (name) => out[gradientName(name)]!.data as Float32Array, gradients);
    }
    if (this.settings.tokens.length > 0) {
      const [dEmbeddings, dHead] = ["embeddings", "tokens"].map((name) => out[gradientName(name)]!.data as Float32Array) as [Float32Array, Float32Array];
      for (const [name, gradient] of tokenGradients(this.config, this.settings, batch, dEmbeddings, dHead)) gradients.set(name, gradient);
    }
    return { loss: out["loss"]!.data[0] as number, gradients };
  }

  async score(batch: Batch, adapter: AdapterTensors | null): Promise<Float32Array> {
    const used = adapter ?? freshAdapter(this.config, this.settings, this.weights);
    const { nll } = this.scoring
      ? await this.scoring.run(this.feeds(this.scoring, batch, used, null))
      : await this.training.run({ ...this.feeds(this.training, batch, used, null), ...this.trainFeeds(batch, new Float32Array(batch.completionTokens), null) });
    return nll!.data as Float32Array;
  }

  async dispose(): Promise<void> {
    await this.training.dispose();
    await this.scoring?.dispose();
  }

  private feeds(session: Session, batch: Batch, adapter: AdapterTensors, noise: Float32Array | null): Record<string, NdArray> {
    const { config, settings } = this;
    const rows = headTokenRows(config, settings, adapter);
    const feeds: Record<string, NdArray> = {
      embeddings: embeddingFeed(config, this.weights, settings, batch, adapter, noise),
      ...attentionFeeds(batch), rows: batch.feeds.rows, targets: targetFeed(config, settings, batch),
      // The way back from the scored rows: there is none in scoring, nor where all that is trained stands behind the last attention.
      ...(session.reads("rowOf") ? { rowOf: batch.rowOf } : {}),
      ...(rows ? { tokens: f32(rows, [settings.tokens.length, config.hiddenSize]), replaced: replacedFeed(config, settings) } : {}),
    };
    return { ...feeds, ...packedFeeds(config, settings.lora, adapter) };
  }

  private trainFeeds(batch: Batch, rowWeights: Float32Array, dropoutSeed: string | null): Record<string, NdArray> {
    const feeds: Record<string, NdArray> = { weights: f32(rowWeights, [rowWeights.length, 1]) };
    for (let layer = 0; layer < this.config.numLayers; layer++) {
      Object.assign(feeds, dropoutFeeds(this.config, this.settings, batch, layer, dropoutSeed));
    }
    return feeds;
  }
}

/** What is fed of an adapter, for callers that run a graph by themselves. */
export function packedFeeds(config: ModelConfig, lora: ExecutionSettings["lora"], adapter: AdapterTensors): Record<string, NdArray> {
  const layers = Array.from({ length: config.numLayers }, (_, layer) => [...packLayer(config, lora, adapter, layer)]).flat();
  return Object.fromEntries(layers.map(([name, { shape, data }]) => [name, f32(data, shape)]));
}
