/**
 * The whole model as one graph for generation with a key-value cache: new tokens
 * in, logits of the rows asked for out, keys and values of all positions handed
 * back to be fed as `past`.
 *
 * Sizes: B batch, T new positions, N = B·T, P past positions, S = P + T, R rows
 * whose logits are wanted.
 */
import { Graph, type Tensor } from "../graph/graph";
import { embedding } from "../graph/operators/index";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "../model/config";
import type { GraphOptions } from "../model/graphs";
import { graphWeights, storageOf, type AnyWeights } from "../model/groups";
import type { LoraShape, LoraUse } from "../model/lora";
import { decoderLayer, head, layerNames, rotaryTables, type AttentionContext } from "../model/qwen";

/**
 * Inputs: embeddings [N, hidden], positions [B, T], mask [B, 1, T, S], last i32
 * [R] (rows of N), past.{layer}.key|value [B, kvHeads, P, headDim], adapterScale
 * [N, 1] and the adapter (packed, see model/groups.ts) where there is one.
 * Outputs: logits [R, vocab], present.{layer}.key|value [B, kvHeads, S, headDim].
 */
export function generationGraph(config: ModelConfig, lora: LoraShape | null, weights: AnyWeights, options: GraphOptions): OnnxModel {
  const graph = new Graph(options.target);
  const context: AttentionContext = {
    positions: graph.input("positions", "i64", ["B", "T"]),
    mask: graph.input("mask", "f32", ["B", 1, "T", "S"]),
    tables: rotaryTables(graph, config, options.maxPositions),
  };
  const use: LoraUse | null = lora && { ...lora, rowScale: graph.input("adapterScale", "f32", ["B*T", 1]) }; // scale [N, 1]
  const storage = storageOf(weights);
  let x = graph.input("embeddings", "f32", ["B*T", config.hiddenSize]); // [N, hidden]
  const outputs: Record<string, Tensor> = {};
  for (let layer = 0; layer < config.numLayers; layer++) {
    const cache = (name: string) => graph.input(`past.${layer}.${name}`, "f32", ["B", config.numKeyValueHeads, "P", config.headDim]);
    const { output, present } = decoderLayer(x, config, context, { names: layerNames(layer), lora: use, storage, past: { key: cache("key"), value: cache("value") } });
    x = output;
    outputs[`present.${layer}.key`] = present.key;
    outputs[`present.${layer}.value`] = present.value;
  }
  const logits = head(embedding(x, graph.input("last", "i32", ["R"])), config, storage, options.tokens); // [R, vocab + tokens]
  return toOnnx(graph, { logits, ...outputs }, graphWeights(config, weights), options.externalOver === undefined ? {} : { externalOver: options.externalOver });
}
