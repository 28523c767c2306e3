/**
 * From a batch to what the graphs are fed: embeddings looked up (with the rows
 * that are trained, and noise), the mask for every row of the batch, dropout
 * masks, targets where trained rows of the vocabulary stand.
 */
import { HEAD_ROWS, TOKEN_ROWS } from "../adapter/tensors";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { remapTargets } from "../model/added-tokens";
import type { ModelConfig } from "../model/config";
import { adaptedParts, groupInput, GROUPS, QKV, type AnyWeights } from "../model/groups";
import { MASKED } from "../model/qwen";
import type { LoraShape } from "../model/lora";
import { f32, i32, type NdArray } from "../runtime/session";
import type { Batch } from "../sft/batch";
import { dropoutMask } from "../sft/dropout";
import { addTokenGradient, embedTokens } from "./embed";
import type { AdapterTensors } from "./types";

/** What an execution is made for; the same for all its runs. */
export interface ExecutionSettings {
  lora: LoraShape;
  /** Rate of the adapter's dropout while training. */
  dropout: number;
  /** Longest row of a batch. */
  maxPositions: number;
  /** Tokens of a usual batch, where known: how graphs are laid out depends on it, what they compute does not. */
  batchTokens?: number | undefined;
  /** Token ids whose rows of the embedding and of the head are trained beside the adapter. */
  tokens: readonly number[];
}

/** Scores of rows are the same for all: [1, 1, T, T] is laid out for each of them. */
function everyRow(mask: NdArray, batch: number): NdArray {
  const [rows, , queries, keys] = mask.shape as [number, number, number, number];
  if (rows === batch) return mask;
  const size = queries * keys;
  const data = new Float32Array(batch * size); // [B, 1, T, T]
  for (let b = 0; b < batch; b++) data.set(mask.data as Float32Array, b * size);
  return f32(data, [batch, 1, queries, keys]);
}

/** The trained rows of an adapter, or none where the execution has none (or the base model is asked for). */
export function tokenRows(settings: ExecutionSettings, adapter: AdapterTensors | null): { ids: readonly number[]; rows: Float32Array } | null {
  const rows = adapter?.get(TOKEN_ROWS);
  return settings.tokens.length > 0 && rows ? { ids: settings.tokens, rows } : null;
}

/** The rows that the head reads for trained tokens, [count, hidden]: the embedding's, or of an untied model its own; null without any. */
export function headTokenRows(config: ModelConfig, settings: ExecutionSettings, adapter: AdapterTensors): Float32Array | null {
  if (settings.tokens.length === 0) return null;
  const name = config.tieWordEmbeddings ? TOKEN_ROWS : HEAD_ROWS;
  const rows = adapter.get(name);
  if (!rows) throw new DuctusError("adapter/tensors", `The adapter has no “${name}”.`, "Choose another adapter, or train again.");
  return rows;
}

/**
 * Gradients of trained rows by their names: a tied model's rows are used twice.
 *
 * @param dEmbeddings [N, hidden]
 * @param dHead of the rows that the head read, [count, hidden]; added to for a tied model
 */
export function tokenGradients(config: ModelConfig, settings: ExecutionSettings, batch: Batch, dEmbeddings: Float32Array, dHead: Float32Array): Map<string, Float32Array> {
  const rows = config.tieWordEmbeddings ? dHead : new Float32Array(dHead.length); // [count, hidden]
  addTokenGradient(batch.feeds.ids.data as Int32Array, dEmbeddings, settings.tokens, rows);
  const gradients = new Map([[TOKEN_ROWS, rows]]);
  if (!config.tieWordEmbeddings) gradients.set(HEAD_ROWS, dHead);
  return gradients;
}

/** Embeddings [N, hidden] of a batch. */
export function embeddingFeed(config: ModelConfig, weights: AnyWeights, settings: ExecutionSettings, batch: Batch, adapter: AdapterTensors | null, noise: Float32Array | null): NdArray {
  const ids = batch.feeds.ids.data as Int32Array;
  const data = embedTokens(config, weights, ids, tokenRows(settings, adapter)); // [N, hidden]
  if (noise) {
    if (noise.length !== data.length) throw new DuctusError("graph/shape", `Noise of ${noise.length} numbers for ${data.length}.`);
    for (let i = 0; i < data.length; i++) data[i] = data[i]! + noise[i]!;
  }
  return f32(data, [ids.length, config.hiddenSize]);
}

export function attentionFeeds(batch: Batch): { positions: NdArray; mask: NdArray } {
  const { positions, mask } = batch.feeds;
  return { positions, mask: everyRow(mask, positions.shape[0]!) };
}

/** Targets [M, 1]; a trained token's is its place behind the vocabulary. */
export function targetFeed(config: ModelConfig, settings: ExecutionSettings, batch: Batch): NdArray {
  const { targets } = batch.feeds;
  if (settings.tokens.length === 0) return targets;
  return i32(remapTargets(config, settings.tokens, targets.data as Int32Array), targets.shape);
}

/** Added to the logits of the whole vocabulary: trained tokens have their logits elsewhere. [vocab] */
export function replacedFeed(config: ModelConfig, settings: ExecutionSettings): NdArray {
  const data = new Float32Array(config.vocabSize);
  for (const id of settings.tokens) data[id] = MASKED;
  return f32(data, [config.vocabSize]);
}

/**
 * Masks of one layer's adapters, by the graph's names.
 *
 * @param seed null for masks of ones, where the graph wants some
 */
export function dropoutFeeds(config: ModelConfig, settings: ExecutionSettings, batch: Batch, layer: number, seed: string | null, prefix = `layers.${layer}`): Record<string, NdArray> {
  const feeds: Record<string, NdArray> = {};
  if (!(settings.dropout > 0)) return feeds;
  const random = seed === null ? null : new Random(`${seed}-${layer}`);
  for (const group of GROUPS) {
    if (adaptedParts(group, settings.lora).length === 0) continue;
    const width = groupInput(config, group), n = groupRows(config, batch, layer, group.name);
    const mask = random ? dropoutMask(n * width, settings.dropout, random) : new Float32Array(n * width).fill(1); // [n, in]
    feeds[`dropout.${prefix}.${group.name}`] = f32(mask, [n, width]);
  }
  return feeds;
}

/** How many rows a group's input has: after the last attention only the scored ones are left. */
const groupRows = (config: ModelConfig, batch: Batch, layer: number, group: string): number =>
  layer === config.numLayers - 1 && group !== QKV.name ? batch.completionTokens : batch.feeds.ids.shape[0]!;
