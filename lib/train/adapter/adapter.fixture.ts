/** A tiny model's configuration and a random adapter for it, for the tests of this folder. */
import { Random } from "../../core/random";
import { parseModelConfig, type ModelConfig } from "../model/config";
import { PROJECTIONS, type Projection, type SftConfig } from "../sft/config";
import { loraShapes } from "./peft";
import type { AdapterInfo, LoraAdapter, LoraTensor } from "./types";

export const TINY_CONFIG_JSON = {
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

export function randomAdapter(seed: number, targetModules: readonly Projection[] = PROJECTIONS, rank = 4): LoraAdapter {
  const random = new Random(seed);
  const tensors = new Map<string, LoraTensor>();
  for (const [key, shape] of loraShapes(tinyModel, rank, targetModules)) {
    tensors.set(key, { shape, data: Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()) });
  }
  return { rank, alpha: 8, targetModules, tensors };
}

export const recipe: SftConfig = {
  lora: { rank: 4, alpha: 8, dropout: 0.05, targetModules: PROJECTIONS },
  learningRate: 3e-3,
  warmupRatio: 0.03,
  epochs: 2,
  batchSize: 4,
  gradientAccumulationSteps: 2,
  maxGradNorm: 1,
  weightDecay: 0,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  maxLength: 256,
  evaluations: 8,
  seed: 1,
};

export const tinySha256 = "a".repeat(64);

export const info: AdapterInfo = {
  name: "Allotment diary",
  createdAt: 1_790_000_000_000,
  modelId: "ductus-base",
  modelSha256: tinySha256,
  recipe,
  steps: 35,
  trainTokens: 18_459,
  report: {
    base: { loss: 4.1, perplexity: 60.34, bitsPerByte: 1.571, tokens: 900, bytes: 3400, examples: 12 },
    tuned: { loss: 3.7, perplexity: 40.447, bitsPerByte: 1.41, tokens: 900, bytes: 3400, examples: 12 },
  },
};
