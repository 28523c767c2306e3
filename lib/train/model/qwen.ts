/**
 * Qwen2, Qwen2.5 and Qwen3 decoders as graphs, from a Hugging Face config:
 * grouped-query attention with rotary positions, RMSNorm, SwiGLU, and by family
 * QKV bias (Qwen2) or normalised queries and keys (Qwen3). Parameter names are
 * those of the checkpoints. Activations are kept as [tokens, width] between
 * attentions; attention sees them as [batch, heads, seq, headDim].
 */
import type { Graph, Tensor } from "../graph/graph";
import { add, mul, scale, silu } from "../graph/operators/elementwise";
import { embedding } from "../graph/operators/index";
import { linear, matmul } from "../graph/operators/linear";
import { rmsNorm, rotary, softmax } from "../graph/operators/neural";
import { concat, reshape, transpose } from "../graph/operators/shape";
import type { ModelConfig } from "./config";
import { adaptedLinear, type LoraUse } from "./lora";

/** What attention needs besides activations; one for all layers. */
export interface AttentionContext {
  /** i64 [batch, seq] */
  positions: Tensor;
  /** f32 [1 or batch, 1, seq, keys], 0 where a query may look, a large negative number elsewhere. */
  mask: Tensor;
  /** [maxPositions, headDim / 2] */
  cos: Tensor;
  sin: Tensor;
}

/** Keys and values of earlier positions, each [batch, keyValueHeads, past, headDim]. */
export interface KeyValue {
  key: Tensor;
  value: Tensor;
}

/** The finite stand-in for −∞ in masks: WebGPU and wasm disagree on rows that are all −∞. */
export const MASKED = -1e9;

/**
 * Tables for {@link rotary}, computed in f32 steps as transformers does.
 *
 * @param maxPositions rows of the tables; every position fed must be below it
 */
export function rotaryTables(graph: Graph, config: ModelConfig, maxPositions: number): { cos: Tensor; sin: Tensor } {
  const half = config.headDim / 2;
  const cos = new Float32Array(maxPositions * half); // [maxPositions, headDim / 2]
  const sin = new Float32Array(maxPositions * half); // [maxPositions, headDim / 2]
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(1 / Math.fround(config.ropeTheta ** ((2 * i) / config.headDim)));
    for (let position = 0; position < maxPositions; position++) {
      const angle = Math.fround(position * frequency);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return {
    cos: graph.constant("f32", [maxPositions, half], cos, "rotary.cos"),
    sin: graph.constant("f32", [maxPositions, half], sin, "rotary.sin"),
  };
}

/** Token embeddings: ids i32 [tokens] → [tokens, hidden]. */
export function embed(graph: Graph, config: ModelConfig, ids: Tensor): Tensor {
  return embedding(embeddingTable(graph, config), ids);
}

const embeddingTable = (graph: Graph, config: ModelConfig) =>
  graph.parameter("model.embed_tokens.weight", [config.vocabSize, config.hiddenSize]);

/** Final norm and head: hidden [rows, hidden] → logits [rows, vocab]. */
export function head(graph: Graph, config: ModelConfig, hidden: Tensor): Tensor {
  const normed = rmsNorm(hidden, graph.parameter("model.norm.weight", [config.hiddenSize]), config.rmsNormEps); // [rows, hidden]
  const table = config.tieWordEmbeddings
    ? embeddingTable(graph, config)
    : graph.parameter("lm_head.weight", [config.vocabSize, config.hiddenSize]);
  return linear(normed, table);
}

/**
 * One decoder layer.
 *
 * @param x [tokens, hidden], tokens = batch · seq
 * @param past earlier keys and values; the mask's keys then cover past and new positions
 * @returns the layer's output [tokens, hidden], and keys and values of all positions
 */
export function decoderLayer(
  x: Tensor, layer: number, config: ModelConfig, context: AttentionContext, lora: LoraUse | null, past: KeyValue | null = null,
): { output: Tensor; present: KeyValue } {
  const { graph } = x;
  const prefix = `model.layers.${layer}`;
  const norm = (t: Tensor, name: string, width: number) =>
    rmsNorm(t, graph.parameter(`${prefix}.${name}.weight`, [width]), config.rmsNormEps);
  const project = (t: Tensor, name: string, out: number, bias = false) => {
    const weight = graph.parameter(`${prefix}.${name}.weight`, [out, t.dim(1)]);
    const b = bias ? graph.parameter(`${prefix}.${name}.bias`, [out]) : null;
    return adaptedLinear(t, `layers.${layer}.${name}`, weight, b, lora);
  };
  const { headDim, numHeads, numKeyValueHeads } = config;
  const [batch, seq] = context.positions.shape as [string | number, string | number];

  const attended = norm(x, "input_layernorm", config.hiddenSize); // [tokens, hidden]
  /** [tokens, heads · headDim] → [batch, heads, seq, headDim] */
  const split = (t: Tensor, heads: number, gain: string | null) => {
    const parts = reshape(t, [batch, seq, heads, headDim]);
    return transpose(gain ? norm(parts, `self_attn.${gain}`, headDim) : parts, [0, 2, 1, 3]);
  };
  const q = split(project(attended, "self_attn.q_proj", numHeads * headDim, config.attentionBias), numHeads, config.qkNorm ? "q_norm" : null); // [batch, heads, seq, headDim]
  const k = split(project(attended, "self_attn.k_proj", numKeyValueHeads * headDim, config.attentionBias), numKeyValueHeads, config.qkNorm ? "k_norm" : null); // [batch, kvHeads, seq, headDim]
  const v = split(project(attended, "self_attn.v_proj", numKeyValueHeads * headDim, config.attentionBias), numKeyValueHeads, null); // [batch, kvHeads, seq, headDim]
  const turned = (t: Tensor) => rotary(t, context.positions, context.cos, context.sin);
  const keys = context.mask.dim(3);
  const join = (old: Tensor | undefined, fresh: Tensor) => (old ? concat([old, fresh], 2, keys) : fresh);
  const present = { key: join(past?.key, turned(k)), value: join(past?.value, v) }; // [batch, kvHeads, keys, headDim]
  const mixed = attention(scale(turned(q), headDim ** -0.5), present, context.mask); // [batch, heads, seq, headDim]
  const merged = reshape(transpose(mixed, [0, 2, 1, 3]), [x.dim(0), numHeads * headDim]); // [tokens, heads · headDim]
  const afterAttention = add(x, project(merged, "self_attn.o_proj", config.hiddenSize)); // [tokens, hidden]

  const fed = norm(afterAttention, "post_attention_layernorm", config.hiddenSize); // [tokens, hidden]
  const gated = mul(silu(project(fed, "mlp.gate_proj", config.intermediateSize)), project(fed, "mlp.up_proj", config.intermediateSize)); // [tokens, intermediate]
  return { output: add(afterAttention, project(gated, "mlp.down_proj", config.hiddenSize)), present };
}

/**
 * Grouped-query attention. The query heads that share a key head are laid one
 * under another as rows of one product, so that keys are never repeated.
 *
 * @param q scaled queries [batch, heads, seq, headDim]
 * @returns [batch, heads, seq, headDim]
 */
function attention(q: Tensor, { key, value }: KeyValue, mask: Tensor): Tensor {
  const [batch, heads, seq, headDim] = q.shape as [string | number, number, string | number, number];
  const kvHeads = key.dim(1) as number;
  const group = heads / kvHeads;
  const rows = typeof seq === "number" ? group * seq : group === 1 ? seq : `${group}*${seq}`;
  const keys = key.dim(2);
  const grouped = reshape(q, [batch, kvHeads, rows, headDim]); // [batch, kvHeads, group · seq, headDim]
  const scores = matmul(grouped, transpose(key, [0, 1, 3, 2])); // [batch, kvHeads, group · seq, keys]
  const weights = softmax(add(reshape(scores, [batch, heads, seq, keys]), mask)); // [batch, heads, seq, keys]
  const mixed = matmul(reshape(weights, [batch, kvHeads, rows, keys]), value); // [batch, kvHeads, group · seq, headDim]
  return reshape(mixed, [batch, heads, seq, headDim]);
}
