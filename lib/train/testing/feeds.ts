/**
 * Feeds of the graphs for tests that run a graph by itself: a batch of examples
 * as one prompt, and every weight as an input. Knows no Node, so that the page's
 * tests use it too.
 */
import { attentionFeeds } from "../execution/feeds";
import { addTokenGradient, embedTokens } from "../execution/embed";
import { packedFeeds } from "../execution/whole";
import type { OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "../model/config";
import { gradientName } from "../model/graphs";
import { graphWeights, splitFused } from "../model/groups";
import { loraScale, type LoraShape } from "../model/lora";
import { f32, i32, type NdArray } from "../runtime/session";
import { collate, type TokenizedExample } from "../sft/batch";

type Weights = ReadonlyMap<string, Float32Array>;
interface Adapted {
  lora: LoraShape;
  tensors: ReadonlyMap<string, Float32Array>;
}

/** Of a generation graph without past; `last` are the rows of [batch · seq] whose logits are wanted, all of them if absent. */
export function promptFeeds(config: ModelConfig, weights: Weights, examples: readonly TokenizedExample[], adapted: Adapted | null, last?: readonly number[]): Record<string, NdArray> {
  const batch = collate(examples.map((e) => ({ ...e, promptLength: 1 })));
  const ids = batch.feeds.ids.data as Int32Array;
  const empty = f32(new Float32Array(0), [examples.length, config.numKeyValueHeads, 0, config.headDim]);
  const rows = last ?? Array.from(ids, (_, i) => i);
  return {
    embeddings: f32(embedTokens(config, weights, ids), [ids.length, config.hiddenSize]), ...attentionFeeds(batch),
    last: i32(Int32Array.from(rows), [rows.length]),
    ...Object.fromEntries(Array.from({ length: config.numLayers }, (_, l) => [`past.${l}.key`, `past.${l}.value`]).flat().map((name) => [name, empty])),
    ...(adapted ? { adapterScale: f32(new Float32Array(ids.length).fill(loraScale(adapted.lora)), [ids.length, 1]), ...packedFeeds(config, adapted.lora, adapted.tensors) } : {}),
  };
}

/** Of a training or scoring graph; every row of the loss weighs the same. */
export function lossFeeds(config: ModelConfig, weights: Weights, examples: readonly TokenizedExample[]): Record<string, NdArray> {
  const batch = collate(examples);
  const ids = batch.feeds.ids.data as Int32Array;
  const { completionTokens } = batch;
  return {
    embeddings: f32(embedTokens(config, weights, ids), [ids.length, config.hiddenSize]), ...attentionFeeds(batch),
    rows: batch.feeds.rows, rowOf: batch.rowOf, targets: batch.feeds.targets,
    weights: f32(new Float32Array(completionTokens).fill(1 / completionTokens), [completionTokens, 1]),
  };
}

/** Every weight that a graph takes as an input. */
export function weightFeeds(config: ModelConfig, weights: Weights, model: OnnxModel): Record<string, NdArray> {
  const numbers = graphWeights(config, weights);
  return Object.fromEntries(model.inputs.filter((port) => numbers.has(port.name)).map((port) => [port.name, f32(numbers.get(port.name) as Float32Array, port.shape as number[])]));
}

/** Gradients of a training graph of every weight, under the checkpoint's names; that of the embedding is gathered from its uses. */
export function fullGradients(config: ModelConfig, weights: Weights, examples: readonly TokenizedExample[], out: Readonly<Record<string, NdArray>>): Map<string, Float32Array> {
  const gradients = new Map([...graphWeights(config, weights).keys()].flatMap((n) => [...splitFused(config, n, out[gradientName(n)]!.data as Float32Array)]));
  const table = gradients.get("model.embed_tokens.weight") ?? new Float32Array(config.vocabSize * config.hiddenSize); // [vocab, hidden]; the head's part, where it is tied
  const every = Array.from({ length: config.vocabSize }, (_, id) => id);
  addTokenGradient(collate(examples).feeds.ids.data as Int32Array, out[gradientName("embeddings")]!.data as Float32Array, every, table);
  return gradients.set("model.embed_tokens.weight", table);
}
