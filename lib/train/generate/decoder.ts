/**
 * One step of a decoder: new tokens of each row and the cache of what it has
 * read in, logits of its next token out. Two implementations give the same
 * numbers: the whole model as one graph (whole-decoder.ts), and layer by layer
 * with weights that are fed (streamed-decoder.ts). Here is what they share:
 * adapters made ready, the feeds of a step, and logits by row. What is drawn
 * from them is not its business.
 */
import { DuctusError } from "../../core/errors";
import { HEAD_ROWS, TOKEN_ROWS } from "../adapter/tensors";
import { embedTokens, type TokenRows } from "../execution/embed";
import type { AdapterTensors } from "../execution/types";
import type { Target } from "../graph/graph";
import type { ModelConfig } from "../model/config";
import { held, headName, packLayer, type AnyWeights } from "../model/groups";
import { adapterShapes, loraScale, type LoraShape } from "../model/lora";
import { MASKED } from "../model/qwen";
import { heldRow } from "../model/quantize";
import type { Backend } from "../runtime/backend";
import { upload, type DeviceTensor } from "../runtime/device-tensor";
import { f32, i32, i64, type NdArray, type Session } from "../runtime/session";
import { DeviceCache, HostCache, type KvCache } from "./cache";
import type { CacheOutput } from "./graphs";

/** What a decoder is made for; the same for all its steps. */
export interface DecoderSettings {
  /** Shape of the adapters that will be used; null for the base alone. */
  lora: LoraShape | null;
  /** Positions of a row, prompt and continuation together. */
  maxPositions: number;
  /** Rows of the vocabulary that adapters bring. */
  tokens: readonly number[];
  /** Whether the cache stays on the device and comes back whole ("present"), as is best on a graphics device, or lies in plain memory. */
  cache?: CacheOutput;
}

export interface StepRow {
  /** New tokens; a row without any is carried along, and its logits are of no use. */
  tokens: readonly number[];
  /** Whether the adapter takes part in this row. */
  adapted: boolean;
}

/** An adapter as a decoder takes it, used for many steps. */
export interface ReadyAdapter {
  /** By layer, under the names of that layer's graph. */
  readonly layers: readonly Record<string, DeviceTensor>[];
  /** Its own rows of the embedding; null where it has none. */
  readonly embedding: TokenRows | null;
  /** Its own rows of the head, [count, hidden]; zeros where the rows are the model's alone. */
  readonly head: DeviceTensor | null;
  /** Whether it is an adapter at all, and not the place of one. */
  readonly real: boolean;
  dispose(): void;
}

export interface Decoder {
  readonly config: ModelConfig;
  readonly settings: DecoderSettings;
  newCache(rows: number): KvCache;
  /** @param adapter null where no row is adapted */
  ready(adapter: AdapterTensors | null): Promise<ReadyAdapter>;
  /** Reads the new tokens into the cache. @returns logits of each row's next token, [logitsWidth] each, the caller's to change */
  decode(rows: readonly StepRow[], cache: KvCache, adapter: ReadyAdapter): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

export const targetOf = (backend: Backend): Target => (backend.kind === "webgpu" ? "any" : "cpu");
export const cacheOutputOf = (backend: Backend, { cache }: DecoderSettings): CacheOutput => cache ?? (backend.gpu ? "present" : "fresh");

export const newCache = (config: ModelConfig, picker: Session | null, rows: number): KvCache =>
  picker ? DeviceCache.empty(config, picker, rows) : HostCache.empty(config, rows);

/** Tokens that logits are given for: the vocabulary, and what adapters add behind it. */
export const logitsWidth = (config: ModelConfig, tokens: readonly number[]): number => Math.max(config.vocabSize, ...tokens.map((id) => id + 1));

/**
 * Packs an adapter's factors, and puts them on the device.
 *
 * @param prefix of a layer's adapter in the decoder's graphs
 * @throws DuctusError `generate/no-adapter` where a tensor is missing
 */
export async function readyAdapter(
  backend: Backend, config: ModelConfig, weights: AnyWeights, settings: DecoderSettings, adapter: AdapterTensors | null, prefix: (layer: number) => string,
): Promise<ReadyAdapter> {
  const { lora, tokens } = settings;
  const made: DeviceTensor[] = [];
  const put = async (array: NdArray) => {
    const tensor = await upload(backend, array);
    made.push(tensor);
    return tensor;
  };
  const dispose = () => {
    for (const tensor of made) tensor.dispose();
  };
  try {
    const layers: Record<string, DeviceTensor>[] = [];
    const factors = lora && completeFactors(config, lora, adapter);
    for (let layer = 0; layer < config.numLayers; layer++) {
      const tensors: Record<string, DeviceTensor> = {};
      layers.push(tensors);
      if (!lora || !factors) continue;
      for (const [name, { shape, data }] of packLayer(config, lora, factors, layer, prefix(layer))) tensors[name] = await put(f32(data, shape));
    }
    const rows = adapter?.get(TOKEN_ROWS);
    if (adapter && tokens.length > 0 && rows?.length !== tokens.length * config.hiddenSize) throw new DuctusError("generate/no-adapter", "The adapter lacks its own tokens.");
    const head = tokens.length > 0 ? await put(f32(headRows(config, weights, tokens, adapter), [tokens.length, config.hiddenSize])) : null;
    return { layers, embedding: rows && tokens.length > 0 ? { ids: tokens, rows } : null, head, real: adapter !== null, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Every factor of an adapter; zeros where there is no adapter. */
function completeFactors(config: ModelConfig, lora: LoraShape, adapter: AdapterTensors | null): Map<string, Float32Array> {
  return new Map([...adapterShapes(config, lora)].map(([name, [rows, columns]]) => {
    const data = adapter?.get(name);
    if (adapter && data?.length !== rows * columns) throw new DuctusError("generate/no-adapter", `The adapter lacks "${name}".`, "Choose another adapter, or train again.");
    return [name, data ?? new Float32Array(rows * columns)];
  }));
}

/** Of the adapter where it has them (a tied head shares the embedding's), else of the model: [count, hidden]. */
function headRows(config: ModelConfig, weights: AnyWeights, tokens: readonly number[], adapter: AdapterTensors | null): Float32Array {
  const own = adapter?.get(HEAD_ROWS) ?? (config.tieWordEmbeddings ? adapter?.get(TOKEN_ROWS) : undefined);
  if (own) return own;
  const rows = new Float32Array(tokens.length * config.hiddenSize); // [count, hidden]
  const table = held(weights, headName(config));
  const shaped = table.storage === "f32" ? { ...table, shape: [config.vocabSize, config.hiddenSize] } : table;
  tokens.forEach((id, i) => {
    if (id < config.vocabSize) heldRow(shaped, id, rows.subarray(i * config.hiddenSize, (i + 1) * config.hiddenSize));
  });
  return rows;
}

export interface StepFeeds {
  /** New tokens of each row. */
  counts: number[];
  /** T */
  seq: number;
  /** [B · T, hidden] */
  embeddings: NdArray;
  /** positions [B, T], mask [B, 1, T, P + T], and adapterScale [B · T, 1] where there may be an adapter. */
  shared: Record<string, NdArray>;
  /** Where in B · T the logits wanted stand, [B]. */
  last: NdArray;
}

/** @throws DuctusError `generate/no-adapter` where an adapted row comes without an adapter, `generate/token` for a token that there is not */
export function stepFeeds(config: ModelConfig, weights: AnyWeights, settings: DecoderSettings, rows: readonly StepRow[], cache: KvCache, adapter: ReadyAdapter): StepFeeds {
  const { lora, maxPositions } = settings;
  if (rows.some((row) => row.adapted) && !(adapter.real && lora)) throw new DuctusError("generate/no-adapter", "There is no adapter to write with.", "Choose an adapter.");
  const batch = rows.length;
  const counts = rows.map((row) => row.tokens.length);
  const seq = Math.max(1, ...counts);
  const past = cache.slots, keys = past + seq;
  const { lengths } = cache;
  const width = config.hiddenSize;
  const embeddings = new Float32Array(batch * seq * width); // [B · T, hidden]; padding is zeros
  const positions = new BigInt64Array(batch * seq); // [B, T]
  const mask = new Float32Array(batch * seq * keys); // [B, 1, T, P + T]
  rows.forEach(({ tokens, adapted }, b) => {
    const own = adapted ? adapter.embedding : null;
    embeddings.set(embedTokens(config, weights, tokens, own), b * seq * width);
    const first = b * seq * keys;
    cache.maskRow(b, mask, first);
    for (let t = 0; t < seq; t++) {
      positions[b * seq + t] = BigInt(Math.min(lengths[b]! + t, maxPositions - 1)); // only padding may reach beyond
      const at = first + t * keys;
      if (t > 0) mask.copyWithin(at, first, first + past);
      mask.fill(MASKED, at + past + t + 1, at + keys);
    }
  });
  const scale = lora ? loraScale(lora) : 0;
  const scales = () => f32(Float32Array.from({ length: batch * seq }, (_, i) => (rows[Math.floor(i / seq)]!.adapted ? scale : 0)), [batch * seq, 1]);
  return {
    counts, seq,
    embeddings: f32(embeddings, [batch * seq, width]),
    shared: { positions: i64(positions, [batch, seq]), mask: f32(mask, [batch, 1, seq, keys]), ...(lora ? { adapterScale: scales() } : {}) },
    last: i32(Int32Array.from(counts, (count, b) => b * seq + Math.max(0, count - 1)), [batch]),
  };
}

/**
 * Each row's logits.
 *
 * @param vocabulary of the model's own head, [B, vocab]
 * @param own of the rows that the adapter brings, [B, count]; null where there are none
 */
export function rowLogits(config: ModelConfig, tokens: readonly number[], rows: readonly StepRow[], vocabulary: (row: number) => Float32Array, own: ((row: number) => Float32Array) | null): Float32Array[] {
  const width = logitsWidth(config, tokens);
  return rows.map(({ adapted }, b) => {
    if (!own) return vocabulary(b);
    const logits = new Float32Array(width).fill(-Infinity, config.vocabSize); // what the model does not know it cannot write
    logits.set(vocabulary(b));
    if (adapted) own(b).forEach((logit, i) => (logits[tokens[i]!] = logit));
    return logits;
  });
}
