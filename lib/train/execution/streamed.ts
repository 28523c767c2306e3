/**
 * Layer by layer, with a few small graphs that serve all layers: the weights are
 * fed, and on a graphics device stay there. What a layer computed on the way
 * forward is kept for the way back, or computed again. Memory holds the weights
 * as they are held, one layer's working set, and either all layers' activations
 * or all layers' inputs.
 */
import type { Target } from "../graph/graph";
import type { ModelConfig } from "../model/config";
import { gradientName } from "../model/graphs";
import { layerTensors, packLayer, unpackGradients, type AnyWeights } from "../model/groups";
import type { Backend } from "../runtime/backend";
import { upload, type DeviceTensor } from "../runtime/device-tensor";
import { f32, Session, type Feeds } from "../runtime/session";
import type { Batch } from "../sft/batch";
import { backwardGraph, BLOCK_NAMES, forwardGraph, type Place } from "./blocks";
import { attentionFeeds, dropoutFeeds, embeddingFeed, headTokenRows, targetFeed, tokenGradients, type ExecutionSettings } from "./feeds";
import { freshAdapter } from "./fresh";
import { StreamedHead } from "./head";
import type { AdapterTensors, Execution, ExecutionPlan, TrainInputs } from "./types";
import { uploadHeld } from "./upload";

/** A layer's way forward: its input, and what else the way back reads. */
interface Passed {
  x: DeviceTensor;
  saved: Record<string, DeviceTensor>;
  adapter: Feeds;
  dropout: Feeds;
}

interface Forward {
  session: Session;
  saved: readonly string[];
}

export class StreamedExecution implements Execution {
  private readonly forwards = new Map<string, Promise<Forward>>();
  private readonly backwards = new Map<string, Promise<Session>>();
  private readonly target: Target;

  private constructor(
    readonly plan: ExecutionPlan,
    private readonly backend: Backend,
    private readonly config: ModelConfig,
    private readonly weights: AnyWeights,
    private readonly settings: ExecutionSettings,
    private readonly layers: readonly Record<string, DeviceTensor>[],
    private readonly head: StreamedHead,
  ) {
    this.target = backend.kind === "webgpu" ? "any" : "cpu";
  }

  static async create(
    backend: Backend, config: ModelConfig, weights: AnyWeights, settings: ExecutionSettings, options: { recompute: boolean; headChunkBytes?: number },
  ): Promise<StreamedExecution> {
    const layers: Record<string, DeviceTensor>[] = [];
    try {
      for (let layer = 0; layer < config.numLayers; layer++) {
        const tensors: Record<string, DeviceTensor> = {};
        layers.push(tensors);
        for (const [name, tensor] of layerTensors(config, weights, layer, BLOCK_NAMES.weights)) Object.assign(tensors, await uploadHeld(backend, name, tensor));
      }
      const head = await StreamedHead.create(backend, config, weights, settings.tokens, options.headChunkBytes);
      return new StreamedExecution({ kind: "streamed", recompute: options.recompute }, backend, config, weights, settings, layers, head);
    } catch (error) {
      for (const tensor of layers.flatMap((l) => Object.values(l))) tensor.dispose();
      throw error;
    }
  }

  async train(batch: Batch, { adapter, rowWeights, dropoutSeed, noise }: TrainInputs): Promise<{ loss: number; gradients: Map<string, Float32Array> }> {
    const { config, settings } = this;
    const live: DeviceTensor[] = [];
    const keep = <T extends DeviceTensor>(tensor: T): T => {
      live.push(tensor);
      return tensor;
    };
    try {
      const context = await this.context(batch, keep);
      const passed: Passed[] = [];
      let x = keep(await upload(this.backend, embeddingFeed(config, this.weights, settings, batch, adapter, noise))); // [N, hidden]
      for (let layer = 0; layer < config.numLayers; layer++) {
        const adapterFeeds = this.adapterFeeds(adapter, layer);
        const dropout = this.dropout(batch, layer, dropoutSeed);
        const { session, saved } = await this.forward(layer, !this.plan.recompute, true);
        const { device } = await session.compute({ x, ...this.contextOf(context, layer), ...this.layers[layer]!, ...adapterFeeds, ...dropout });
        passed.push({ x, adapter: adapterFeeds, dropout, saved: Object.fromEntries(saved.map((name) => [name, keep(device[name]!)])) });
        x = keep(device["y"]!); // [N, hidden], at last [M, hidden]
      }
      const hidden = (await x.read()).data as Float32Array; // [M, hidden]
      x.dispose();
      const rows = headTokenRows(config, settings, adapter);
      const { nll, dHidden, dTokens } = await this.head.run(hidden, targetFeed(config, settings, batch).data as Int32Array, rowWeights, rows);
      const loss = nll.reduce((sum, v, i) => sum + v * rowWeights[i]!, 0);

      const gradients = new Map<string, Float32Array>();
      let dy = keep(await upload(this.backend, f32(dHidden!, [nll.length, config.hiddenSize]))); // [M, hidden]
      for (let layer = config.numLayers - 1; layer >= 0; layer--) {
        const { x: input, saved, adapter: adapterFeeds, dropout } = passed[layer]!;
        const session = await this.backward(layer);
        const { host, device } = await session.compute(this.only(session, { dy, x: input, ...saved, ...context, ...this.layers[layer]!, ...adapterFeeds, ...dropout }));
        unpackGradients(config, settings.lora, layer, (name) => host[gradientName(name)]!.data as Float32Array, gradients, BLOCK_NAMES.adapter);
        for (const tensor of [dy, input, ...Object.values(saved)]) tensor.dispose();
        if (device["dx"]) dy = keep(device["dx"]); // [N, hidden]
      }
      if (dTokens) {
        const dEmbeddings = (await dy.read()).data as Float32Array; // [N, hidden]
        for (const [name, gradient] of tokenGradients(config, settings, batch, dEmbeddings, dTokens)) gradients.set(name, gradient);
      }
      return { loss, gradients };
    } finally {
      for (const tensor of live) tensor.dispose();
    }
  }

  async score(batch: Batch, adapter: AdapterTensors | null): Promise<Float32Array> {
    const { config, settings } = this;
    const used = adapter ?? freshAdapter(config, settings, this.weights);
    const live: DeviceTensor[] = [];
    const keep = <T extends DeviceTensor>(tensor: T): T => {
      live.push(tensor);
      return tensor;
    };
    try {
      const context = await this.context(batch, keep);
      let x = keep(await upload(this.backend, embeddingFeed(config, this.weights, settings, batch, used, null))); // [N, hidden]
      for (let layer = 0; layer < config.numLayers; layer++) {
        const { session } = await this.forward(layer, false, false);
        const { device } = await session.compute({ x, ...this.contextOf(context, layer), ...this.layers[layer]!, ...this.adapterFeeds(used, layer) });
        x.dispose();
        x = keep(device["y"]!);
      }
      const rows = headTokenRows(config, settings, used);
      return (await this.head.run((await x.read()).data as Float32Array, targetFeed(config, settings, batch).data as Int32Array, null, rows)).nll;
    } finally {
      for (const tensor of live) tensor.dispose();
    }
  }

  async dispose(): Promise<void> {
    for (const forward of this.forwards.values()) await (await forward.catch(() => null))?.session.dispose();
    for (const session of this.backwards.values()) await (await session.catch(() => null))?.dispose();
    for (const tensors of this.layers) for (const tensor of Object.values(tensors)) tensor.dispose();
    await this.head.dispose();
  }

  private async context(batch: Batch, keep: (tensor: DeviceTensor) => DeviceTensor): Promise<Record<string, DeviceTensor>> {
    const { positions, mask } = attentionFeeds(batch);
    const feeds = { positions, mask, rows: batch.feeds.rows, rowOf: batch.rowOf };
    const context: Record<string, DeviceTensor> = {};
    for (const [name, array] of Object.entries(feeds)) context[name] = keep(await upload(this.backend, array));
    return context;
  }

  /** What a layer's forward pass reads of it. */
  private contextOf({ positions, mask, rows }: Record<string, DeviceTensor>, layer: number): Feeds {
    return { positions: positions!, mask: mask!, ...(this.place(layer).last ? { rows: rows! } : {}) };
  }

  /** A backward graph reads only a part of all that there is. */
  private only(session: Session, feeds: Feeds): Feeds {
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => session.reads(name)));
  }

  private adapterFeeds(adapter: AdapterTensors, layer: number): Feeds {
    return Object.fromEntries([...packLayer(this.config, this.settings.lora, adapter, layer, BLOCK_NAMES.adapter)].map(([name, { shape, data }]) => [name, f32(data, shape)]));
  }

  private dropout(batch: Batch, layer: number, seed: string | null): Feeds {
    return dropoutFeeds(this.config, this.settings, batch, layer, seed, BLOCK_NAMES.adapter);
  }

  private place(layer: number): Place {
    return { last: layer === this.config.numLayers - 1, inputGradient: layer > 0 || this.settings.tokens.length > 0 };
  }

  private forward(layer: number, save: boolean, train: boolean): Promise<Forward> {
    const place = this.place(layer);
    const key = `${place.last} ${save && place.inputGradient} ${save} ${train}`;
    const known = this.forwards.get(key) ?? this.openForward(place, save, train && this.settings.dropout > 0);
    this.forwards.set(key, known);
    return known;
  }

  private async openForward(place: Place, save: boolean, dropout: boolean): Promise<Forward> {
    const { model, saved } = forwardGraph(this.config, this.settings, this.weights, this.target, place, { save, dropout });
    return { session: await Session.create(this.backend, model, { keep: ["y", ...saved] }), saved };
  }

  private backward(layer: number): Promise<Session> {
    const place = this.place(layer);
    const key = `${place.last} ${place.inputGradient}`;
    const known = this.backwards.get(key) ?? Session.create(
      this.backend, backwardGraph(this.config, this.settings, this.weights, this.target, place, { recompute: this.plan.recompute, dropout: this.settings.dropout > 0 }),
      { keep: place.inputGradient ? ["dx"] : [] },
    );
    this.backwards.set(key, known);
    return known;
  }
}
