/** A tiny model's configuration, a random adapter for it and what is known of its making, for the tests of lib/train/adapter. Never part of the product. */
import { Random } from "../../core/random";
import { parseModelConfig, type ModelConfig } from "../model/config";
import { toLoraAdapter } from "../adapter/tensors";
import { adapterShapes } from "../model/lora";
import { PROJECTIONS, type Projection } from "../sft/config";
import { settings } from "./tiny";
import type { AdapterInfo, LoraAdapter } from "../adapter/types";

const TINY_CONFIG_JSON = {
  model_type: "qwen3",
  vocab_size: 64,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  head_dim: 6,
  intermediate_size: 40,
  hidden_act: "silu",
  max_position_embeddings: 128,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};

export const tinyModel: ModelConfig = parseModelConfig(TINY_CONFIG_JSON);

/** Every number of every factor drawn, normal. */
export function randomAdapter(seed: number, targetModules: readonly Projection[] = PROJECTIONS, rank = 4): LoraAdapter {
  const random = new Random(seed);
  const lora = { rank, alpha: 8, targetModules };
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
  return toLoraAdapter(tinyModel, lora, new Map([...adapterShapes(tinyModel, lora)].map(([name, [rows, columns]]) => [name, draw(rows * columns)])));
}

export const tinySha256 = "a".repeat(64);

export const info: AdapterInfo = {
  name: "Allotment diary",
  createdAt: 1_790_000_000_000,
  modelId: "ductus-base",
  modelSha256: tinySha256,
  recipe: settings({ learningRate: 3e-3, warmupRatio: 0.03, epochs: 2, batchSize: 4, gradientAccumulationSteps: 2, lora: { dropout: 0.05 } }),
  steps: 35,
  trainTokens: 18_459,
  report: {
    base: { loss: 4.1, perplexity: 60.34, bitsPerByte: 1.571, tokens: 900, bytes: 3400, examples: 12 },
    tuned: { loss: 3.7, perplexity: 40.447, bitsPerByte: 1.41, tokens: 900, bytes: 3400, examples: 12 },
  },
};
