/**
 * Layer by layer, with one graph that serves all layers and weights that are
 * fed (on a graphics device they stay there). The head is computed in chunks of
 * the vocabulary, so that its table is never in memory twice as f32.
 */
import type { AdapterTensors } from "../execution/types";
import { uploadAll, uploadHeld } from "../execution/upload";
import type { Target } from "../graph/graph";
import type { ModelConfig } from "../model/config";
import { held, headName, layerTensors, storageOf, type AnyWeights } from "../model/groups";
import type { HeldTensor, Storage } from "../model/held";
import { sliceRows } from "../model/quantize";
import type { Backend } from "../runtime/backend";
import { upload, type DeviceTensor } from "../runtime/device-tensor";
import { f32, Session, type NdArray } from "../runtime/session";
import type { KvCache } from "./cache";
import { cacheOutputOf, newCache, readyAdapter, rowLogits, stepFeeds, targetOf, type Decoder, type DecoderSettings, type ReadyAdapter, type StepRow } from "./decoder";
import { lastRowsGraph, LAYER_NAMES, layerGraph, logitsGraph, pickGraph, type CacheOutput } from "./graphs";

/** A chunk of the head's table, as f32. */
const CHUNK_BYTES = 64e6;

interface Chunk {
  rows: number;
  table: Record<string, DeviceTensor>;
}

interface Sessions {
  last: Session;
  /** Where the cache stays on the device. */
  picker: Session | null;
  /** By the storage of a layer's projections: every layer that is held alike shares one. */
  layers: Map<string, Session>;
  /** By rows and storage of a chunk. */
  logits: Map<string, Session>;
}

export class StreamedDecoder implements Decoder {
  private readonly target: Target;
  private readonly output: CacheOutput;
  private readonly layers: { tensors: Record<string, DeviceTensor>; session: Session }[] = [];
  private readonly chunks: Chunk[] = [];
  private norm: DeviceTensor | null = null;
  private storage: Storage = "f32";

  private constructor(
    private readonly backend: Backend,
    readonly config: ModelConfig,
    private readonly weights: AnyWeights,
    readonly settings: DecoderSettings,
    private readonly sessions: Sessions,
  ) {
    this.target = targetOf(backend);
    this.output = cacheOutputOf(backend, settings);
  }

  static async create(backend: Backend, config: ModelConfig, weights: AnyWeights, settings: DecoderSettings, chunkBytes = CHUNK_BYTES): Promise<StreamedDecoder> {
    const last = await Session.create(backend, lastRowsGraph(config), { keep: ["hidden"] });
    const decoder = new StreamedDecoder(backend, config, weights, settings, { last, picker: null, layers: new Map(), logits: new Map() });
    try {
      if (decoder.output === "present") decoder.sessions.picker = await Session.create(backend, pickGraph(config), { keep: ["picked"] });
      for (let layer = 0; layer < config.numLayers; layer++) await decoder.addLayer(layer);
      await decoder.addHead(chunkBytes);
      return decoder;
    } catch (error) {
      await decoder.dispose();
      throw error;
    }
  }

  newCache(rows: number): KvCache {
    return newCache(this.config, this.sessions.picker, rows);
  }

  ready(adapter: AdapterTensors | null): Promise<ReadyAdapter> {
    return readyAdapter(this.backend, this.config, this.weights, this.settings, adapter, () => LAYER_NAMES.adapter);
  }

  async decode(rows: readonly StepRow[], cache: KvCache, adapter: ReadyAdapter): Promise<Float32Array[]> {
    const { counts, seq, embeddings, shared, last } = stepFeeds(this.config, this.weights, this.settings, rows, cache, adapter);
    const live: DeviceTensor[] = [];
    const keep = (tensor: DeviceTensor) => {
      live.push(tensor);
      return tensor;
    };
    try {
      const context: Record<string, DeviceTensor> = {};
      for (const [name, array] of Object.entries(shared)) context[name] = keep(await upload(this.backend, array));
      let x = keep(await upload(this.backend, embeddings)); // [N, hidden]
      for (const [layer, { tensors, session }] of this.layers.entries()) {
        const past = { "past.key": cache.fed(layer, "key"), "past.value": cache.fed(layer, "value") };
        const { host, device } = await session.compute({ x, ...context, ...past, ...tensors, ...adapter.layers[layer]! });
        x.dispose();
        x = keep(device["y"]!); // [N, hidden]
        for (const kind of ["key", "value"] as const) cache.put(layer, kind, device[`${this.output}.${kind}`] ?? host[`${this.output}.${kind}`]!, counts);
      }
      cache.advance(counts, seq);
      const hidden = keep((await this.sessions.last.compute({ x, last })).device["hidden"]!); // [B, hidden]
      return await this.logits(rows, hidden, adapter);
    } finally {
      for (const tensor of live) tensor.dispose();
    }
  }

  async dispose(): Promise<void> {
    const { last, picker, layers, logits } = this.sessions;
    for (const session of [last, picker, ...layers.values(), ...logits.values()]) await session?.dispose();
    for (const { tensors } of this.layers) for (const tensor of Object.values(tensors)) tensor.dispose();
    for (const { table } of this.chunks) for (const tensor of Object.values(table)) tensor.dispose();
    this.norm?.dispose();
  }

  private async addLayer(layer: number): Promise<void> {
    const { config, settings: { lora, maxPositions }, sessions } = this;
    const held = storageOf(this.weights);
    const storage = (name: string) => held(name.replace(LAYER_NAMES.weights, `model.layers.${layer}`));
    const weights = layerTensors(config, this.weights, layer, LAYER_NAMES.weights);
    const key = [...weights.values()].map((tensor) => tensor.storage).join();
    const session = sessions.layers.get(key) ?? await Session.create(this.backend, layerGraph(config, lora, storage, { maxPositions, target: this.target, cache: this.output }), {
      keep: ["y", ...(this.output === "present" ? ["present.key", "present.value"] : [])],
    });
    sessions.layers.set(key, session);
    this.layers.push({ tensors: await uploadAll(this.backend, weights), session });
  }

  private async addHead(chunkBytes: number): Promise<void> {
    const { config, settings: { tokens } } = this;
    const table = held(this.weights, headName(config));
    const whole: HeldTensor = table.storage === "f32" ? { ...table, shape: [config.vocabSize, config.hiddenSize] } : table;
    this.storage = whole.storage;
    this.norm = await upload(this.backend, f32(held(this.weights, "model.norm.weight").data as Float32Array, [config.hiddenSize]));
    const perChunk = Math.ceil(config.vocabSize / Math.ceil((config.vocabSize * config.hiddenSize * 4) / chunkBytes));
    for (let start = 0; start < config.vocabSize; start += perChunk) {
      const end = Math.min(start + perChunk, config.vocabSize);
      this.chunks.push({ rows: end - start, table: await uploadHeld(this.backend, "table", sliceRows(whole, start, end)) });
      await this.addLogits(end - start, this.storage);
    }
    if (tokens.length > 0) await this.addLogits(tokens.length, "f32");
  }

  private async addLogits(rows: number, storage: Storage): Promise<void> {
    const key = `${rows} ${storage}`;
    if (!this.sessions.logits.has(key)) this.sessions.logits.set(key, await Session.create(this.backend, logitsGraph(this.config, rows, storage, this.target)));
  }

  private async logits(rows: readonly StepRow[], hidden: DeviceTensor, adapter: ReadyAdapter): Promise<Float32Array[]> {
    const { config, settings: { tokens } } = this;
    const of = async (count: number, storage: Storage, table: Record<string, DeviceTensor>): Promise<NdArray> =>
      (await this.sessions.logits.get(`${count} ${storage}`)!.run({ hidden, "model.norm.weight": this.norm!, ...table }))["logits"]!; // [B, count]
    const vocabulary = rows.map(() => new Float32Array(config.vocabSize)); // [B] of [vocab]
    let start = 0;
    for (const chunk of this.chunks) {
      const part = (await of(chunk.rows, this.storage, chunk.table)).data as Float32Array;
      vocabulary.forEach((row, b) => row.set(part.subarray(b * chunk.rows, (b + 1) * chunk.rows), start));
      start += chunk.rows;
    }
    const own = adapter.head && ((await of(tokens.length, "f32", { table: adapter.head })).data as Float32Array);
    return rowLogits(config, tokens, rows, (b) => vocabulary[b]!, own && ((b) => own.subarray(b * tokens.length, (b + 1) * tokens.length)));
  }
}
