/**
 * Qwen2, Qwen2.5, Qwen3 and Llama decoders as graphs, from a Hugging Face
 * config: grouped-query attention with rotary positions, RMSNorm, SwiGLU, and
 * by family biases in attention (Qwen2) or normalised queries and keys (Qwen3).
 * Weights are named and gathered as in groups.ts. Activations are kept as
 * [tokens, width] between attentions; attention sees them as [batch, heads, seq,
 * headDim].
 */
import type { Graph, Tensor } from "../graph/graph";
import { add, mul } from "../graph/operators/elementwise";
import { selectRows } from "../graph/operators/index";
import { gemm, linear } from "../graph/operators/linear";
import { attention, crossEntropy, linearCrossEntropy, linearCrossEntropyZ, rmsNorm, rotary, swiglu, type RotaryTables } from "../graph/operators/neural";
import { dequantize, matmulQuantized, quantizedShapes, toF32, type Bits, type QuantizedWeight } from "../graph/operators/quantized";
import { concat, reshape, split, transpose } from "../graph/operators/shape";
import type { ModelConfig } from "./config";
import { DOWN, GATE_UP, hasBias, headName, OUT, productRows, QKV, type Group } from "./groups";
import { isQuantized, type Storage } from "./held";
import { adapted, type LoraUse, type Multiply } from "./lora";
import { rotaryTable } from "./rope";

/** What attention needs besides activations; one for all layers. */
export interface AttentionContext {
  /** i64 [batch, seq] */
  positions: Tensor;
  /** f32 [1 or batch, 1, seq, keys], 0 where a query may look, a large negative number elsewhere. */
  mask: Tensor;
  /** [maxPositions, headDim / 2] each */
  tables: RotaryTables;
}

/** Keys and values of earlier positions, each [batch, keyValueHeads, past, headDim]. */
export interface KeyValue {
  key: Tensor;
  value: Tensor;
}

/** The finite stand-in for −∞ in masks: WebGPU and wasm disagree on rows that are all −∞. */
export const MASKED = -1e9;

/** Prefixes of a layer's tensors in a graph. */
export interface LayerNames {
  weights: string;
  adapter: string;
}

export const layerNames = (layer: number): LayerNames => ({ weights: `model.layers.${layer}`, adapter: `layers.${layer}` });

export interface LayerOptions {
  names: LayerNames;
  lora: LoraUse | null;
  /** How the weight of a name is held. */
  storage: (name: string) => Storage;
  /** Earlier keys and values; the mask's keys then cover past and new positions. */
  past?: KeyValue;
  /** Attention of new queries to past and new keys, where it is not done on the two joined. Takes and gives [batch, heads, seq, headDim]. */
  attend?: (q: Tensor, k: Tensor, v: Tensor) => Tensor;
  /** After attention, only these rows are computed: rows i32 [m], and the place of each token in it, rowOf i32 [tokens]. */
  only?: { rows: Tensor; rowOf: Tensor };
}

/**
 * Tables for {@link rotary}, with √(1/√headDim) in them: turned queries and keys
 * then bring attention's scale 1/√headDim with them.
 *
 * @param maxPositions rows of the tables; every position fed must be below it
 */
export function rotaryTables(graph: Graph, config: ModelConfig, maxPositions: number): RotaryTables {
  const half = config.headDim / 2;
  const root = config.headDim ** -0.25;
  const { cos, sin } = rotaryTable(config, maxPositions);
  const table = (name: string, values: Float32Array, factor: number) =>
    graph.constant("f32", [maxPositions, half], values.map((v) => v * factor), `rotary.${name}`);
  return { cos: table("cos", cos, root), sin: table("sin", sin, root), minusSin: table("minusSin", sin, -root) };
}

/**
 * x · Wᵀ with a frozen weight however it is held, plus bias and residual.
 *
 * @param x [n, in]
 * @param also bias [out] and residual [n, out], where there are
 * @param multiply stands in for the plain product, where the weight is not quantised
 * @returns [n, out]
 */
export function frozenLinear(
  x: Tensor, name: string, out: number, storage: Storage, also: { bias?: Tensor | null; residual?: Tensor | null } = {}, multiply: Multiply = plain,
): Tensor {
  const { graph } = x;
  const columns = x.dim(1) as number;
  const { bias = null, residual = null } = also;
  const plus = (y: Tensor, term: Tensor | null) => (term ? add(y, term) : y);
  if (isQuantized(storage)) {
    const { weight, bits } = quantizedParameter(graph, name, [out, columns], storage);
    return plus(plus(matmulQuantized(x, weight, bits, [out, columns]), bias), residual);
  }
  const weight = frozenFloats(graph, name, [out, columns], storage);
  return bias ? plus(multiply(x, weight, bias), residual) : multiply(x, weight, residual);
}

/** A frozen matrix as f32 [rows, columns], however it is held. */
export function frozenFloats(graph: Graph, name: string, shape: readonly [number, number], storage: Storage): Tensor {
  if (isQuantized(storage)) {
    const { weight, bits } = quantizedParameter(graph, name, shape, storage);
    return dequantize(weight, bits, shape);
  }
  return storage === "f16" ? toF32(graph.parameter(name, shape, "f16")) : graph.parameter(name, shape);
}

function quantizedParameter(graph: Graph, name: string, shape: readonly [number, number], storage: "q8" | "q4"): { weight: QuantizedWeight; bits: Bits } {
  const bits = storage === "q4" ? 4 : 8;
  const { data, scales } = quantizedShapes(bits, shape);
  return { bits, weight: { data: graph.parameter(name, data, "u8"), scales: graph.parameter(`${name}.scales`, scales) } };
}

const plain: Multiply = (x, weight, c) => gemm(x, weight, { transB: true, c });

/** Final norm: hidden [rows, hidden] → [rows, hidden]. */
export const finalNorm = (hidden: Tensor, config: ModelConfig): Tensor =>
  rmsNorm(hidden, hidden.graph.parameter("model.norm.weight", [config.hiddenSize]), config.rmsNormEps);

/**
 * Final norm and head: hidden [rows, hidden] → logits [rows, vocab + tokens].
 * With trained rows of the vocabulary, their own logits stand at the end, in the
 * order of the rows, and the ones in their old places are masked out.
 */
export function head(hidden: Tensor, config: ModelConfig, storage: (name: string) => Storage, tokens = 0): Tensor {
  const { graph } = hidden;
  const normed = finalNorm(hidden, config); // [rows, hidden]
  const name = headName(config);
  const bias = tokens > 0 ? graph.input("replaced", "f32", [config.vocabSize]) : null;
  const logits = frozenLinear(normed, name, config.vocabSize, storage(name), { bias }); // [rows, vocab]
  return tokens > 0 ? concat([logits, linear(normed, graph.parameter("tokens", [tokens, config.hiddenSize]))], 1) : logits;
}

/** Each row's loss after final norm and head, [rows, 1]; targets i32 [rows, 1], as {@link head} orders the vocabulary. */
export function headLoss(hidden: Tensor, config: ModelConfig, storage: (name: string) => Storage, targets: Tensor, tokens = 0): Tensor {
  const name = headName(config);
  if (tokens > 0 || isQuantized(storage(name))) return crossEntropy(head(hidden, config, storage, tokens), targets);
  return linearCrossEntropy(finalNorm(hidden, config), headTable(hidden, config, storage), targets);
}

/** The same for a head that is trained, with z-loss: see linearCrossEntropyZ. */
export function headLossZ(hidden: Tensor, config: ModelConfig, storage: (name: string) => Storage, targets: Tensor, coefficient: number): { loss: Tensor; nll: Tensor } {
  return linearCrossEntropyZ(finalNorm(hidden, config), headTable(hidden, config, storage), targets, coefficient);
}

/** [vocab, hidden] */
function headTable({ graph }: Tensor, config: ModelConfig, storage: (name: string) => Storage): Tensor {
  const name = headName(config);
  return frozenFloats(graph, name, [config.vocabSize, config.hiddenSize], storage(name));
}

/**
 * One decoder layer.
 *
 * @param x [tokens, hidden], tokens = batch · seq
 * @returns the layer's output [tokens, hidden] (or [m, hidden]), keys and values of all positions, and of the new ones alone
 */
export function decoderLayer(x: Tensor, config: ModelConfig, context: AttentionContext, options: LayerOptions): { output: Tensor; present: KeyValue; fresh: KeyValue } {
  const { graph } = x;
  const { names, lora, storage, past, only } = options;
  const { headDim, numHeads, numKeyValueHeads, hiddenSize, rmsNormEps } = config;
  const [batch, seq] = context.positions.shape as [string | number, string | number];
  const gain = (name: string) => graph.parameter(`${names.weights}.${name}.weight`, [hiddenSize]);
  /** The products of a group, each [n, out]; a residual is for groups of one. */
  const project = (t: Tensor, group: Group, residual: Tensor | null = null) =>
    adapted(t, group, names.adapter, group.products.map((product) => {
      const name = `${names.weights}.${product.name}`, out = productRows(config, product);
      const bias = hasBias(config, product) ? graph.parameter(`${name}.bias`, [out]) : null;
      const heldAs = storage(`${name}.weight`);
      return { out, floats: !isQuantized(heldAs), product: (multiply?: Multiply) => frozenLinear(t, `${name}.weight`, out, heldAs, { bias, residual }, multiply) };
    }), lora);

  const [qkv] = project(rmsNorm(x, gain("input_layernorm"), rmsNormEps), QKV) as [Tensor]; // [tokens, (heads + 2 kvHeads) · headDim]
  const heads = transpose(reshape(qkv, [batch, seq, numHeads + 2 * numKeyValueHeads, headDim]), [0, 2, 1, 3]); // [batch, heads + 2 kvHeads, seq, headDim]
  const [qk, v] = split(heads, 1, [numHeads + numKeyValueHeads, numKeyValueHeads]) as [Tensor, Tensor];
  const gains = () => graph.parameter(`${names.weights}.self_attn.qk_norm.weight`, [numHeads + numKeyValueHeads, 1, headDim]);
  const even = config.qkNorm ? mul(rmsNorm(qk, null, rmsNormEps), gains()) : qk; // [batch, heads + kvHeads, seq, headDim]
  const [q, k] = split(rotary(even, context.positions, context.tables), 1, [numHeads, numKeyValueHeads]) as [Tensor, Tensor];
  const keys = context.mask.dim(3);
  const join = (old: Tensor | undefined, fresh: Tensor) => (old ? concat([old, fresh], 2, keys) : fresh);
  const present = { key: join(past?.key, k), value: join(past?.value, v) }; // [batch, kvHeads, keys, headDim]
  const mixed = options.attend?.(q, k, v) ?? attention(q, present.key, present.value, context.mask); // [batch, heads, seq, headDim]
  const merged = reshape(transpose(mixed, [0, 2, 1, 3]), [x.dim(0), numHeads * headDim]); // [tokens, heads · headDim]
  const pick = (t: Tensor) => (only ? selectRows(t, only.rows, only.rowOf) : t);
  const [afterAttention] = project(pick(merged), OUT, pick(x)) as [Tensor]; // [n, hidden]

  const [gate, up] = project(rmsNorm(afterAttention, gain("post_attention_layernorm"), rmsNormEps), GATE_UP) as [Tensor, Tensor]; // [n, intermediate]
  const [output] = project(swiglu(gate, up), DOWN, afterAttention) as [Tensor]; // [n, hidden]
  return { output, present, fresh: { key: k, value: v } };
}
