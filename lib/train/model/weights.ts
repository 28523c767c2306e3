/**
 * The weights of a Qwen model out of one safetensors file, as f32, under their
 * Hugging Face names. Every tensor that the graphs will read must be there in
 * its shape and finite, and nothing unknown may be there. It does not place
 * anything on a device.
 */
import { DuctusError } from "../../core/errors";
import { allFinite } from "../adapter/float16";
import { damaged, MODEL_FILE, readSafetensors, readSafetensorsHeader, readTensor, toFloat32, type ByteSource, type SafeTensor } from "../adapter/safetensors";
import { PROJECTIONS } from "../sft/config";
import { projectionShape, type ModelConfig } from "./config";

export interface WeightTensor {
  shape: readonly number[];
  data: Float32Array;
}

/** By Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight` [out, in]. */
export type ModelWeights = Map<string, WeightTensor>;

/** Name → shape of every tensor the model needs. `lm_head.weight` is among them only where the head is untied. */
export function weightShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize: hidden, headDim } = config;
  const shapes = new Map<string, readonly number[]>([["model.embed_tokens.weight", [config.vocabSize, hidden]]]);
  for (let i = 0; i < config.numLayers; i++) {
    const layer = `model.layers.${i}`;
    shapes.set(`${layer}.input_layernorm.weight`, [hidden]);
    for (const projection of PROJECTIONS) {
      const { module, out, in: input } = projectionShape(config, projection);
      shapes.set(`${layer}.${module}.${projection}.weight`, [out, input]);
      const biased = projection === "q_proj" || projection === "k_proj" || projection === "v_proj";
      if (config.attentionBias && biased) shapes.set(`${layer}.${module}.${projection}.bias`, [out]);
    }
    if (config.qkNorm) {
      shapes.set(`${layer}.self_attn.q_norm.weight`, [headDim]);
      shapes.set(`${layer}.self_attn.k_norm.weight`, [headDim]);
    }
    shapes.set(`${layer}.post_attention_layernorm.weight`, [hidden]);
  }
  shapes.set("model.norm.weight", [hidden]);
  if (!config.tieWordEmbeddings) shapes.set("lm_head.weight", [config.vocabSize, hidden]);
  return shapes;
}

/**
 * @param file the whole safetensors file; not changed and not kept.
 * @throws DuctusError `model/damaged`, `model/not-safetensors`, `model/number-type`, `model/tensors`.
 */
export function loadWeights(config: ModelConfig, file: Uint8Array): ModelWeights {
  const { tensors } = readSafetensors(file, MODEL_FILE);
  const shapes = weightShapes(config);
  checkNames(config, shapes, tensors);
  const weights: ModelWeights = new Map();
  for (const [name, shape] of shapes) weights.set(name, convert(tensors.get(name) as SafeTensor, shape));
  return weights;
}

/** As {@link loadWeights}, but a tensor at a time, so that the file is never whole in memory. */
export async function loadWeightsFrom(config: ModelConfig, source: ByteSource): Promise<ModelWeights> {
  const { entries } = await readSafetensorsHeader(source, MODEL_FILE);
  const shapes = weightShapes(config);
  checkNames(config, shapes, entries);
  const weights: ModelWeights = new Map();
  for (const [name, shape] of shapes) {
    const entry = entries.get(name);
    if (entry) weights.set(name, convert(await readTensor(source, entry, MODEL_FILE), shape));
  }
  return weights;
}

function checkNames(config: ModelConfig, shapes: Map<string, readonly number[]>, found: Map<string, { shape: readonly number[] }>): void {
  for (const [name, shape] of shapes) {
    const tensor = found.get(name);
    if (!tensor) throw mismatch(`it has no “${name}”`);
    if (tensor.shape.join() !== shape.join()) throw mismatch(`“${name}” has the shape ${tensor.shape.join(" × ")} instead of ${shape.join(" × ")}`);
  }
  for (const name of found.keys()) {
    if (!shapes.has(name) && !isHarmless(name, config)) throw mismatch(`it holds “${name.slice(0, 80)}”, which such a model does not have`);
  }
}

/** What some files carry although it follows from the rest: a copy of a tied head, the rotary frequencies. */
function isHarmless(name: string, config: ModelConfig): boolean {
  return (name === "lm_head.weight" && config.tieWordEmbeddings) || /^model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/.test(name);
}

function convert(tensor: SafeTensor, shape: readonly number[]): WeightTensor {
  const data = toFloat32(tensor, MODEL_FILE);
  if (!allFinite(data)) throw damaged(MODEL_FILE, `“${tensor.name}” holds a value that is not a number`);
  return { shape, data };
}

function mismatch(fault: string): DuctusError {
  return new DuctusError("model/tensors", `The model file does not fit its config.json: ${fault}.`, "Fetch the model again, with all its files from the same place.");
}
