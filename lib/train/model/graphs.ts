/**
 * The whole model as one graph, in the two forms that training needs: loss with
 * gradients, and the loss of each token. Weights are written into the model when
 * it is exported; an adapter's tensors stay inputs, since they change. Token
 * embeddings are looked up outside and fed.
 *
 * Sizes: B batch, T positions, N = B·T, M rows whose next token is scored.
 */
import { gradients } from "../graph/autodiff";
import { Graph, type Target, type Tensor } from "../graph/graph";
import { mul } from "../graph/operators/elementwise";
import { reduceSum } from "../graph/operators/reduce";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "./config";
import { adaptedParts, graphWeights, groupInput, GROUPS, productRows, storageOf, type AnyWeights } from "./groups";
import type { LoraShape, LoraUse } from "./lora";
import { decoderLayer, headLoss, headLossZ, layerNames, rotaryTables, type AttentionContext } from "./qwen";

export interface GraphOptions {
  /** Rows of the rotary tables: every position fed must be below it. */
  maxPositions: number;
  target?: Target;
  /** Rows of the vocabulary that are trained or replaced: input `tokens` [count, hidden]. */
  tokens?: number;
  /** Tokens of a usual batch, see {@link LoraUse}. */
  batchTokens?: number | undefined;
  /** Initializers above this many bytes are handed to the runtime beside the model instead of inside it. */
  externalOver?: number;
}

/** The shape of every adapter tensor as the graphs are fed it, see groups.ts. */
export function packedShapes(config: ModelConfig, lora: LoraShape): Map<string, [number, number]> {
  const shapes = new Map<string, [number, number]>();
  for (let layer = 0; layer < config.numLayers; layer++) {
    for (const [name, shape] of layerShapes(config, lora, `layers.${layer}`)) shapes.set(name, shape);
  }
  return shapes;
}

export function layerShapes(config: ModelConfig, lora: LoraShape, prefix: string): Map<string, [number, number]> {
  const shapes = new Map<string, [number, number]>();
  for (const group of GROUPS) {
    const parts = adaptedParts(group, lora);
    if (parts.length === 0) continue;
    const ranks = parts.length * lora.rank;
    shapes.set(`${prefix}.${group.name}.lora_A`, [ranks, groupInput(config, group)]);
    for (const product of group.products) {
      if (product.parts.some((part) => parts.includes(part))) shapes.set(`${prefix}.${product.name}.lora_B`, [productRows(config, product), ranks]);
    }
  }
  return shapes;
}

function scoring(config: ModelConfig, lora: LoraUse | null, weights: AnyWeights, options: GraphOptions, zLoss = 0): { graph: Graph; loss: Tensor; nll: Tensor; embeddings: Tensor } {
  const graph = new Graph(options.target);
  const embeddings = graph.input("embeddings", "f32", ["B*T", config.hiddenSize]); // [N, hidden]
  const context: AttentionContext = {
    positions: graph.input("positions", "i64", ["B", "T"]),
    mask: graph.input("mask", "f32", ["B", 1, "T", "T"]),
    tables: rotaryTables(graph, config, options.maxPositions),
  };
  const only = { rows: graph.input("rows", "i32", ["M"]), rowOf: graph.input("rowOf", "i32", ["B*T"]) };
  const storage = storageOf(weights);
  let x = embeddings;
  for (let layer = 0; layer < config.numLayers; layer++) {
    // After the last attention only rows whose next token is scored are of use to anyone.
    const last = layer === config.numLayers - 1;
    x = decoderLayer(x, config, context, { names: layerNames(layer), lora, storage, ...(last ? { only } : {}) }).output; // [N, hidden], at last [M, hidden]
  }
  const targets = graph.input("targets", "i32", ["M", 1]);
  if (zLoss > 0) return { graph, embeddings, ...headLossZ(x, config, storage, targets, zLoss) }; // [M, 1]
  const nll = headLoss(x, config, storage, targets, options.tokens); // [M, 1]
  return { graph, embeddings, loss: nll, nll };
}

/** What a training graph computes gradients for. */
export type Trainable =
  | { kind: "lora"; lora: LoraShape; dropout: boolean }
  /**
   * Weights under the graph's names (splitFused gives the checkpoint's), all of them if none is named, and the
   * embeddings fed. With `zLoss`, which all of them are needed for, the loss of a row is nll + zLoss · logsumexp².
   */
  | { kind: "full"; names?: readonly string[]; zLoss?: number };

/** Output name of a gradient. */
export const gradientName = (parameter: string) => `grad:${parameter}`;

/**
 * loss = Σ nll · weights (or what z-loss makes of it), and its gradients. `weights` [M, 1] holds 1 / (all
 * completion tokens of the optimizer step), so that accumulated micro-batches
 * add up to the mean over tokens.
 *
 * Inputs: embeddings [N, hidden], positions, mask [B, 1, T, T], rows, rowOf, targets, weights, the adapter, dropout
 * masks; with trained tokens also replaced [vocab] and tokens [count, hidden].
 * Outputs: loss [], nll [M, 1], grad:{name}.
 */
export function trainingGraph(config: ModelConfig, trainable: Trainable, weights: AnyWeights, options: GraphOptions): OnnxModel {
  const lora = trainable.kind === "lora" ? { ...trainable.lora, dropoutMasks: trainable.dropout, batchTokens: options.batchTokens } : null;
  const { graph, loss: losses, nll, embeddings } = scoring(config, lora, weights, options, trainable.kind === "full" ? trainable.zLoss : 0);
  const loss = reduceSum(mul(losses, graph.input("weights", "f32", ["M", 1])), [0, 1]); // []
  const numbers = graphWeights(config, weights);
  const names = trainable.kind === "lora" ? [...packedShapes(config, trainable.lora).keys()] : (trainable.names ?? [...numbers.keys()]);
  const wanted = new Map<string, Tensor>(names.map((name) => [name, graph.named(name)]));
  if (options.tokens) wanted.set("tokens", graph.named("tokens"));
  if (options.tokens || (trainable.kind === "full" && !trainable.names)) wanted.set("embeddings", embeddings);
  const adjoints = gradients(graph, loss, [...wanted.values()]);
  const outputs: Record<string, Tensor> = { loss, nll };
  [...wanted.keys()].forEach((name, i) => (outputs[gradientName(name)] = adjoints[i]!));
  for (const name of trainable.kind === "full" ? names : []) numbers.delete(name); // what is trained is fed
  return toOnnx(graph, outputs, numbers, exportOptions(options));
}

/** nll [M, 1] of each scored row; inputs as for training, without weights and dropout. */
export function scoringGraph(config: ModelConfig, lora: LoraShape | null, weights: AnyWeights, options: GraphOptions): OnnxModel {
  const { graph, nll } = scoring(config, lora && { ...lora, batchTokens: options.batchTokens }, weights, options);
  return toOnnx(graph, { nll }, graphWeights(config, weights), exportOptions(options));
}

const exportOptions = ({ externalOver }: GraphOptions) => (externalOver === undefined ? {} : { externalOver });
