/**
 * Graphs of generation with a key-value cache: new tokens in, logits of the rows
 * asked for out, and the keys and values to be kept. The whole model as one
 * graph, or one layer and the head as graphs that take their weights as inputs.
 * Where the cache stays on the device it is handed back whole; where it is in
 * plain memory only what is new is, so that less is copied.
 *
 * Sizes: B batch, T new positions, N = B·T, P past positions, S = P + T, R rows
 * whose logits are wanted.
 */
import { Graph, type Target, type Tensor } from "../graph/graph";
import { product, type Dim } from "../graph/dims";
import { add } from "../graph/operators/elementwise";
import { embedding } from "../graph/operators/index";
import { matmul } from "../graph/operators/linear";
import { softmax } from "../graph/operators/neural";
import { concat, reshape } from "../graph/operators/shape";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "../model/config";
import type { GraphOptions } from "../model/graphs";
import { graphWeights, storageOf, type AnyWeights } from "../model/groups";
import type { Storage } from "../model/held";
import type { LoraShape, LoraUse } from "../model/lora";
import { decoderLayer, finalNorm, frozenLinear, head, layerNames, rotaryTables, type AttentionContext, type KeyValue } from "../model/qwen";

/** Which keys and values are handed back: of past and new positions together, or of the new ones. */
export type CacheOutput = "present" | "fresh";

export interface GenerationGraphOptions extends GraphOptions {
  /** Default "present". */
  cache?: CacheOutput;
}

function attentionContext(graph: Graph, config: ModelConfig, maxPositions: number): AttentionContext {
  return {
    positions: graph.input("positions", "i64", ["B", "T"]),
    mask: graph.input("mask", "f32", ["B", 1, "T", "S"]),
    tables: rotaryTables(graph, config, maxPositions),
  };
}

const adapterUse = (graph: Graph, lora: LoraShape | null): LoraUse | null =>
  lora && { ...lora, rowScale: graph.input("adapterScale", "f32", ["B*T", 1]) }; // scale [N, 1]

function pastOf(graph: Graph, config: ModelConfig, prefix: string): KeyValue {
  const cache = (name: string) => graph.input(`${prefix}.${name}`, "f32", ["B", config.numKeyValueHeads, "P", config.headDim]);
  return { key: cache("key"), value: cache("value") };
}

/**
 * Attention to past and new keys without laying the two in one tensor, which
 * would copy the whole cache: only the scores are joined.
 *
 * @param mask [B, 1, T, S]
 */
function attendApart(past: KeyValue, mask: Tensor): (q: Tensor, k: Tensor, v: Tensor) => Tensor {
  return (q, k, v) => {
    const { graph } = q;
    const [batch, heads, seq, headDim] = q.shape as [Dim, number, Dim, number];
    const kvHeads = k.dim(1) as number;
    const rows = product([heads / kvHeads, seq]);
    const grouped = reshape(q, [batch, kvHeads, rows, headDim]); // [B, kvHeads, group · T, headDim]
    const scores = concat([matmul(grouped, past.key, { transB: true }), matmul(grouped, k, { transB: true })], 3, "S"); // [B, kvHeads, group · T, S]
    const weights = reshape(softmax(add(reshape(scores, [batch, heads, seq, "S"]), mask)), [batch, kvHeads, rows, "S"]); // [B, kvHeads, group · T, S]
    const part = (from: Tensor, to: Tensor, size: string) => graph.node("Slice", [weights, from, to, graph.ints([3])], { dtype: "f32", shape: [batch, kvHeads, rows, size] });
    const edge = graph.shapeVector(["P"]);
    const [old, fresh] = [part(graph.ints([0]), edge, "P"), part(edge, graph.ints([MAX_SLOTS]), "T")];
    return reshape(add(matmul(old, past.value), matmul(fresh, v)), [batch, heads, seq, headDim]);
  };
}

/** Beyond any number of positions; a slice ends where the tensor does. */
const MAX_SLOTS = 2 ** 31 - 1;

/** A layer's options that concern its cache. */
const cached = (past: KeyValue, context: AttentionContext, cache: CacheOutput) => ({ past, ...(cache === "fresh" ? { attend: attendApart(past, context.mask) } : {}) });

/**
 * The whole model, with the weights inside.
 *
 * Inputs: embeddings [N, hidden], positions [B, T], mask [B, 1, T, S], last i32
 * [R] (rows of N), past.{layer}.key|value [B, kvHeads, P, headDim], adapterScale
 * [N, 1] and the adapter (packed, see model/groups.ts) where there is one; with
 * rows of the vocabulary that an adapter brings also replaced [vocab] (added to
 * the logits) and tokens [count, hidden].
 * Outputs: logits [R, vocab + count], {present|fresh}.{layer}.key|value
 * [B, kvHeads, S|T, headDim].
 */
export function generationGraph(config: ModelConfig, lora: LoraShape | null, weights: AnyWeights, options: GenerationGraphOptions): OnnxModel {
  const { cache = "present" } = options;
  const graph = new Graph(options.target);
  const context = attentionContext(graph, config, options.maxPositions);
  const use = adapterUse(graph, lora);
  const storage = storageOf(weights);
  let x = graph.input("embeddings", "f32", ["B*T", config.hiddenSize]); // [N, hidden]
  const outputs: Record<string, Tensor> = {};
  for (let layer = 0; layer < config.numLayers; layer++) {
    const made = decoderLayer(x, config, context, { names: layerNames(layer), lora: use, storage, ...cached(pastOf(graph, config, `past.${layer}`), context, cache) });
    x = made.output;
    outputs[`${cache}.${layer}.key`] = made[cache].key;
    outputs[`${cache}.${layer}.value`] = made[cache].value;
  }
  const logits = head(embedding(x, graph.input("last", "i32", ["R"])), config, storage, options.tokens); // [R, vocab + count]
  return toOnnx(graph, { logits, ...outputs }, graphWeights(config, weights), options.externalOver === undefined ? {} : { externalOver: options.externalOver });
}

/** Prefixes of a layer's tensors in {@link layerGraph}. */
export const LAYER_NAMES = { weights: "weights", adapter: "adapter" } as const;

/**
 * One layer, which serves for all: inputs x [N, hidden], positions, mask,
 * past.key|value, adapterScale, weights.* and adapter.*; outputs y [N, hidden],
 * {present|fresh}.key|value.
 */
export function layerGraph(config: ModelConfig, lora: LoraShape | null, storage: (name: string) => Storage, options: { maxPositions: number; target: Target; cache: CacheOutput }): OnnxModel {
  const graph = new Graph(options.target);
  const context = attentionContext(graph, config, options.maxPositions);
  const x = graph.input("x", "f32", ["B*T", config.hiddenSize]); // [N, hidden]
  const made = decoderLayer(x, config, context, { names: LAYER_NAMES, lora: adapterUse(graph, lora), storage, ...cached(pastOf(graph, config, "past"), context, options.cache) });
  const { key, value } = made[options.cache];
  return toOnnx(graph, { y: made.output, [`${options.cache}.key`]: key, [`${options.cache}.value`]: value });
}

/** Picks rows before the head: inputs x [N, hidden], last i32 [R]; output hidden [R, hidden]. */
export function lastRowsGraph(config: ModelConfig): OnnxModel {
  const graph = new Graph();
  const hidden = embedding(graph.input("x", "f32", ["N", config.hiddenSize]), graph.input("last", "i32", ["R"])); // [R, hidden]
  return toOnnx(graph, { hidden });
}

/** Final norm and some rows of the head: inputs hidden [R, hidden], model.norm.weight, table (and table.scales); output logits [R, rows]. */
export function logitsGraph(config: ModelConfig, rows: number, storage: Storage, target: Target): OnnxModel {
  const graph = new Graph(target);
  const normed = finalNorm(graph.input("hidden", "f32", ["R", config.hiddenSize]), config); // [R, hidden]
  return toOnnx(graph, { logits: frozenLinear(normed, "table", rows, storage) });
}

/** Copies parts of a cache: inputs data [B, kvHeads, P, headDim], rows i32 [R], slots i32 [Q]; output picked [R, kvHeads, Q, headDim]. */
export function pickGraph(config: ModelConfig): OnnxModel {
  const { numKeyValueHeads: heads, headDim } = config;
  const graph = new Graph();
  const data = graph.input("data", "f32", ["B", heads, "P", headDim]); // [B, kvHeads, P, headDim]
  const gather = (t: Tensor, name: string, size: string, axis: number) =>
    graph.node("Gather", [t, graph.input(name, "i32", [size])], { dtype: "f32", shape: t.shape.map((d, i) => (i === axis ? size : d)) }, { attributes: { axis } });
  return toOnnx(graph, { picked: gather(gather(data, "rows", "R", 0), "slots", "Q", 2) });
}
