/**
 * The whole model as one graph, in the three forms the product runs: training
 * (loss and gradients), scoring (loss of each token), and generation with a
 * key-value cache. Weights are written into the model when it is exported; an
 * adapter's tensors stay inputs, since they change.
 *
 * Sizes: B batch, T positions, N = B·T, M rows whose next token is scored,
 * S = past and new positions.
 */
import { gradients } from "../graph/autodiff";
import { Graph, type Tensor } from "../graph/graph";
import { mul } from "../graph/operators/elementwise";
import { embedding, selectRows } from "../graph/operators/index";
import { crossEntropy } from "../graph/operators/neural";
import { reduceSum } from "../graph/operators/reduce";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "./config";
import { adapterShapes, type LoraShape, type LoraUse } from "./lora";
import { decoderLayer, embed, head, rotaryTables, type AttentionContext } from "./qwen";

export type WeightMap = ReadonlyMap<string, Float32Array>;

interface ScoringInputs {
  graph: Graph;
  /** Negative log-likelihood of each scored row, [M, 1]. */
  nll: Tensor;
}

function scoring(config: ModelConfig, lora: LoraUse | null, maxPositions: number): ScoringInputs {
  const graph = new Graph();
  const ids = graph.input("ids", "i32", ["B*T"]); // [N]
  const context: AttentionContext = {
    positions: graph.input("positions", "i64", ["B", "T"]),
    mask: graph.input("mask", "f32", [1, 1, "T", "T"]),
    ...rotaryTables(graph, config, maxPositions),
  };
  let x = embed(graph, config, ids); // [N, hidden]
  for (let layer = 0; layer < config.numLayers; layer++) x = decoderLayer(x, layer, config, context, lora).output;
  // The head is the widest product of a small model: only rows whose next token is scored pass it.
  const rows = selectRows(x, graph.input("rows", "i32", ["M"]), graph.input("rowOf", "i32", ["B*T"])); // [M, hidden]
  const logits = head(graph, config, rows); // [M, vocab]
  return { graph, nll: crossEntropy(logits, graph.input("targets", "i32", ["M", 1])) }; // [M, 1]
}

/** Which parameters a training graph computes gradients for. */
export type Trainable =
  | { kind: "lora"; lora: LoraShape; dropout: boolean }
  /** Full parameters, by checkpoint name. */
  | { kind: "full"; names: readonly string[] };

/** Output name of a parameter's gradient. */
export const gradientName = (parameter: string) => `grad:${parameter}`;

/**
 * loss = Σ nll · weights, and its gradients. `weights` [M, 1] holds 1 / (all
 * completion tokens of the optimizer step), so that accumulated micro-batches
 * add up to the mean over tokens.
 *
 * Inputs: ids, positions, mask, rows, rowOf, targets, weights, the adapter, dropout masks.
 * Outputs: loss [], grad:{name}.
 */
export function trainingGraph(config: ModelConfig, trainable: Trainable, weights: WeightMap, maxPositions: number): OnnxModel {
  const lora = trainable.kind === "lora" ? { ...trainable.lora, dropoutMasks: trainable.dropout } : null;
  const { graph, nll } = scoring(config, lora, maxPositions);
  const loss = reduceSum(mul(nll, graph.input("weights", "f32", ["M", 1])), [0, 1]); // []
  const names = trainable.kind === "lora" ? [...adapterShapes(config, trainable.lora).keys()] : trainable.names;
  const adjoints = gradients(graph, loss, names.map((name) => graph.named(name)));
  const outputs: Record<string, Tensor> = { loss };
  names.forEach((name, i) => (outputs[gradientName(name)] = adjoints[i]!));
  return toOnnx(graph, outputs, new Map([...weights].filter(([name]) => !names.includes(name)))); // what is trained is fed
}

/** nll [M, 1] of each scored row; inputs as for training, without weights and dropout. */
export function scoringGraph(config: ModelConfig, lora: LoraShape | null, weights: WeightMap, maxPositions: number): OnnxModel {
  const { graph, nll } = scoring(config, lora, maxPositions);
  return toOnnx(graph, { nll }, weights);
}

/**
 * One step of generation: new tokens in, logits of the row asked for out, keys
 * and values of all positions handed back to be fed as `past`.
 *
 * Inputs: ids [N], positions [B, T], mask [B, 1, T, S], last i32 [R] (rows of N
 * whose logits are wanted), past.{layer}.key|value [B, kvHeads, P, headDim],
 * adapterScale [N, 1] and the adapter where there is one.
 * Outputs: logits [R, vocab], present.{layer}.key|value [B, kvHeads, S, headDim].
 */
export function generationGraph(config: ModelConfig, lora: LoraShape | null, weights: WeightMap, maxPositions: number): OnnxModel {
  const graph = new Graph();
  const ids = graph.input("ids", "i32", ["B*T"]); // [N]
  const context: AttentionContext = {
    positions: graph.input("positions", "i64", ["B", "T"]),
    mask: graph.input("mask", "f32", ["B", 1, "T", "S"]),
    ...rotaryTables(graph, config, maxPositions),
  };
  const use: LoraUse | null = lora && { ...lora, rowScale: graph.input("adapterScale", "f32", ["B*T", 1]) }; // scale [N, 1]
  let x = embed(graph, config, ids); // [N, hidden]
  const outputs: Record<string, Tensor> = {};
  for (let layer = 0; layer < config.numLayers; layer++) {
    const cache = (name: string) => graph.input(`past.${layer}.${name}`, "f32", ["B", config.numKeyValueHeads, "P", config.headDim]);
    const { output, present } = decoderLayer(x, layer, config, context, use, { key: cache("key"), value: cache("value") });
    x = output;
    outputs[`present.${layer}.key`] = present.key;
    outputs[`present.${layer}.value`] = present.value;
  }
  const logits = head(graph, config, embedding(x, graph.input("last", "i32", ["R"]))); // [R, vocab]
  return toOnnx(graph, { logits, ...outputs }, weights);
}
