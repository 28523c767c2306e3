/**
 * How a layer's projections are gathered for the graphs: q, k and v as one
 * product; gate and up with one product for the A factors of their adapters. It
 * is the only place that knows both forms: outside the graphs, weights and
 * adapters have the names and shapes of checkpoints and of PEFT.
 */
import { DuctusError } from "../../core/errors";
import type { TypedData } from "../graph/graph";
import type { Projection } from "../sft/config";
import { projectionShape, type ModelConfig } from "./config";
import type { HeldTensor, HeldWeights, Storage } from "./held";
import type { LoraShape } from "./lora";
import { concatRows, heldBytes } from "./quantize";

/** A product of a layer, `{module}.{name}`; its rows are those of its parts, one under another. */
export interface Product {
  name: string;
  parts: readonly Projection[];
}

/** Products that read the same input, and so share the A factors and the dropout of their adapters. */
export interface Group {
  name: string;
  products: readonly Product[];
}

export const QKV: Group = { name: "self_attn.qkv", products: [{ name: "self_attn.qkv_proj", parts: ["q_proj", "k_proj", "v_proj"] }] };
export const OUT: Group = { name: "self_attn.o", products: [{ name: "self_attn.o_proj", parts: ["o_proj"] }] };
export const GATE_UP: Group = {
  name: "mlp.gate_up", products: [{ name: "mlp.gate_proj", parts: ["gate_proj"] }, { name: "mlp.up_proj", parts: ["up_proj"] }],
};
export const DOWN: Group = { name: "mlp.down", products: [{ name: "mlp.down_proj", parts: ["down_proj"] }] };
export const GROUPS: readonly Group[] = [QKV, OUT, GATE_UP, DOWN];

/** The projections of a group that an adapter changes, in the order of their rows in A. */
export const adaptedParts = (group: Group, lora: Pick<LoraShape, "targetModules">): Projection[] =>
  group.products.flatMap((p) => p.parts).filter((part) => lora.targetModules.includes(part));

export const productRows = (config: ModelConfig, product: Product): number =>
  product.parts.reduce((sum, part) => sum + projectionShape(config, part).out, 0);

export const groupInput = (config: ModelConfig, group: Group): number => projectionShape(config, group.products[0]!.parts[0]!).in;

const moduleName = (config: ModelConfig, part: Projection) => `${projectionShape(config, part).module}.${part}`;

/** f32 weights by checkpoint name, or held ones. */
export type AnyWeights = HeldWeights | ReadonlyMap<string, Float32Array>;

export function held(weights: AnyWeights, name: string): HeldTensor {
  const tensor = weights.get(name);
  if (!tensor) throw new DuctusError("model/tensors", `The model has no “${name}”.`);
  return tensor instanceof Float32Array ? { storage: "f32", shape: [tensor.length], data: tensor } : tensor;
}

/** How the tensor that a graph reads under this name is held. */
export function storageOf(weights: AnyWeights): (name: string) => Storage {
  return (name) => held(weights, name.replace("qkv_proj", "q_proj")).storage;
}

/** How most of a model is held: by its first projection. */
export const mainStorage = (weights: AnyWeights): Storage => held(weights, "model.layers.0.self_attn.q_proj.weight").storage;

/** What all weights take, as they are held. */
export const weightBytes = (weights: AnyWeights): number => [...weights.keys()].reduce((sum, name) => sum + heldBytes(held(weights, name)), 0);

/** The tensors of one layer, under the names that {@link decoderLayer} gives them. */
export function layerTensors(config: ModelConfig, weights: AnyWeights, layer: number, prefix = `model.layers.${layer}`): Map<string, HeldTensor> {
  const from = `model.layers.${layer}`;
  const out = new Map<string, HeldTensor>();
  for (const name of ["input_layernorm.weight", "post_attention_layernorm.weight"]) out.set(`${prefix}.${name}`, held(weights, `${from}.${name}`));
  for (const product of GROUPS.flatMap((g) => g.products)) {
    const joined = (kind: "weight" | "bias") => {
      const parts = product.parts.map((part) => shaped(config, held(weights, `${from}.${moduleName(config, part)}.${kind}`), part, kind));
      return parts.length === 1 ? parts[0]! : concatRows(parts);
    };
    out.set(`${prefix}.${product.name}.weight`, joined("weight"));
    if (hasBias(config, product)) out.set(`${prefix}.${product.name}.bias`, joined("bias"));
  }
  if (config.qkNorm) out.set(`${prefix}.self_attn.qk_norm.weight`, { storage: "f32", ...headGains(config, weights, from) });
  return out;
}

/** Tensors as a graph reads them: a quantised one in two parts. */
export function numbersOf(tensors: ReadonlyMap<string, HeldTensor>): Map<string, TypedData> {
  const out = new Map<string, TypedData>();
  for (const [name, tensor] of tensors) {
    out.set(name, tensor.data);
    if ("scales" in tensor) out.set(`${name}.scales`, tensor.scales);
  }
  return out;
}

export const hasBias = (config: ModelConfig, product: Product) =>
  product.name === "self_attn.qkv_proj" ? config.attentionBias : product.name === "self_attn.o_proj" && config.outputBias;

/** Everything outside the layers that a graph with a head reads. */
export function headTensors(config: ModelConfig, weights: AnyWeights): Map<string, HeldTensor> {
  return new Map(["model.norm.weight", headName(config)].map((name) => [name, held(weights, name)]));
}

export const headName = (config: ModelConfig) => (config.tieWordEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");

/** All that a graph of the whole model reads, by its names; quantised tensors come with `{name}.scales`. What it joins is new memory. */
export function graphWeights(config: ModelConfig, weights: AnyWeights): Map<string, TypedData> {
  const out = numbersOf(headTensors(config, weights));
  for (let layer = 0; layer < config.numLayers; layer++) for (const [name, data] of numbersOf(layerTensors(config, weights, layer))) out.set(name, data);
  return out;
}

/** Tensors given as bare f32 arrays get their shape from the config. */
function shaped(config: ModelConfig, tensor: HeldTensor, part: Projection, kind: "weight" | "bias"): HeldTensor {
  if (tensor.storage !== "f32" || kind === "bias") return tensor;
  const { out, in: columns } = projectionShape(config, part);
  return { ...tensor, shape: [out, columns] };
}

/** Qwen3's gains of queries and keys, repeated for each head: [heads + kvHeads, 1, headDim]. */
function headGains(config: ModelConfig, weights: AnyWeights, from: string): { shape: number[]; data: Float32Array } {
  const { numHeads, numKeyValueHeads, headDim } = config;
  const data = new Float32Array((numHeads + numKeyValueHeads) * headDim); // [heads + kvHeads, 1, headDim]
  for (let head = 0; head < numHeads + numKeyValueHeads; head++) {
    const gain = held(weights, `${from}.self_attn.${head < numHeads ? "q" : "k"}_norm.weight`);
    data.set(gain.data, head * headDim);
  }
  return { shape: [numHeads + numKeyValueHeads, 1, headDim], data };
}

/** A gradient (or weight) under a graph's name as the checkpoint's tensors, f32. */
export function splitFused(config: ModelConfig, name: string, data: Float32Array): Map<string, Float32Array> {
  const qk = /^(.*self_attn)\.qk_norm\.weight$/.exec(name);
  if (qk) {
    const sum = (from: number, to: number) => {
      const out = new Float32Array(config.headDim);
      for (let head = from; head < to; head++) for (let i = 0; i < config.headDim; i++) out[i] = out[i]! + data[head * config.headDim + i]!;
      return out;
    };
    return new Map([[`${qk[1]}.q_norm.weight`, sum(0, config.numHeads)], [`${qk[1]}.k_norm.weight`, sum(config.numHeads, config.numHeads + config.numKeyValueHeads)]]);
  }
  const fused = /^(.*)\.self_attn\.qkv_proj\.(weight|bias)$/.exec(name);
  if (!fused) return new Map([[name, data]]);
  const width = fused[2] === "weight" ? config.hiddenSize : 1;
  let at = 0;
  return new Map(QKV.products[0]!.parts.map((part) => {
    const length = projectionShape(config, part).out * width;
    return [`${fused[1]}.self_attn.${part}.${fused[2]}`, data.subarray(at, (at += length))];
  }));
}

/** What a graph is fed of an adapter, by the graph's names. */
export type PackedAdapter = Map<string, { shape: readonly [number, number]; data: Float32Array }>;

/**
 * One layer's A factors one under another, [R, in], and each product's B factors
 * as blocks, [out, R], zero where a row and a column belong to different parts.
 *
 * @param adapter by name, `layers.{i}.{module}.lora_A|B`
 * @throws DuctusError `adapter/tensors` where one is missing
 */
export function packLayer(config: ModelConfig, lora: LoraShape, adapter: ReadonlyMap<string, Float32Array>, layer: number, prefix = `layers.${layer}`): PackedAdapter {
  const packed: PackedAdapter = new Map();
  const of = (part: Projection, factor: "A" | "B") => {
    const name = `layers.${layer}.${moduleName(config, part)}.lora_${factor}`;
    const data = adapter.get(name);
    if (!data) throw new DuctusError("adapter/tensors", `The adapter has no “${name}”.`, "Choose another adapter, or train again.");
    return data;
  };
  for (const group of GROUPS) {
    const parts = adaptedParts(group, lora);
    if (parts.length === 0) continue;
    const width = groupInput(config, group), ranks = parts.length * lora.rank;
    const first = of(parts[0]!, "A");
    const a = parts.length === 1 ? first : new Float32Array(ranks * width); // [R, in]
    if (parts.length > 1) parts.forEach((part, i) => a.set(of(part, "A"), i * lora.rank * width));
    packed.set(`${prefix}.${group.name}.lora_A`, { shape: [ranks, width], data: a });
    for (const product of group.products) {
      if (!product.parts.some((part) => parts.includes(part))) continue;
      const rows = productRows(config, product);
      if (parts.length === 1 && product.parts.length === 1) {
        packed.set(`${prefix}.${product.name}.lora_B`, { shape: [rows, ranks], data: of(parts[0]!, "B") });
        continue;
      }
      const b = new Float32Array(rows * ranks); // [out, R]
      eachBlock(config, lora, product, parts, (part, first, rows) => {
        const block = of(part, "B");
        for (let i = 0; i < rows; i++) for (let r = 0; r < lora.rank; r++) b[first + i * ranks + r] = block[i * lora.rank + r]!;
      });
      packed.set(`${prefix}.${product.name}.lora_B`, { shape: [rows, ranks], data: b });
    }
  }
  return packed;
}

/** The gradients of one layer's packed factors, as gradients of the adapter's own tensors. `of` gives one by its packed name. */
export function unpackGradients(
  config: ModelConfig, lora: LoraShape, layer: number, of: (name: string) => Float32Array, into: Map<string, Float32Array>, prefix = `layers.${layer}`,
): void {
  for (const group of GROUPS) {
    const parts = adaptedParts(group, lora);
    if (parts.length === 0) continue;
    const size = lora.rank * groupInput(config, group);
    const a = of(`${prefix}.${group.name}.lora_A`); // [R, in]
    parts.forEach((part, i) => into.set(`layers.${layer}.${moduleName(config, part)}.lora_A`, a.subarray(i * size, (i + 1) * size)));
    for (const product of group.products) {
      if (!product.parts.some((part) => parts.includes(part))) continue;
      const b = of(`${prefix}.${product.name}.lora_B`); // [out, R]
      const ranks = parts.length * lora.rank;
      eachBlock(config, lora, product, parts, (part, first, rows) => {
        const name = `layers.${layer}.${moduleName(config, part)}.lora_B`;
        if (parts.length === 1 && product.parts.length === 1) return void into.set(name, b);
        const block = new Float32Array(rows * lora.rank); // [out of the part, rank]
        for (let i = 0; i < rows; i++) for (let r = 0; r < lora.rank; r++) block[i * lora.rank + r] = b[first + i * ranks + r]!;
        into.set(name, block);
      });
    }
  }
}

/** Visits the adapted parts of a product; `first` is the place of a part's B [rows, rank] in the packed B [out, R]: its rows stand R apart. */
function eachBlock(
  config: ModelConfig, lora: LoraShape, product: Product, parts: readonly Projection[],
  visit: (part: Projection, first: number, rows: number) => void,
): void {
  const ranks = parts.length * lora.rank;
  let row = 0;
  for (const part of product.parts) {
    const rows = projectionShape(config, part).out;
    const column = parts.indexOf(part) * lora.rank;
    if (column >= 0) visit(part, row * ranks + column, rows);
    row += rows;
  }
}
