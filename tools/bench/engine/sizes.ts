/**
 * The three sizes at which the engine is measured, and what stands for a batch
 * and a base model there: random tokens, half of every example masked as prompt,
 * and random weights. What counts is shapes and work; the numbers are not those
 * of the PyTorch peer. Knows no browser and no Node.
 */
import { Random } from "../../../lib/core/random";
import { parseModelConfig, type ModelConfig } from "../../../lib/train/model/config";
import { weightShapes } from "../../../lib/train/model/weights";
import type { HeldWeights, Storage } from "../../../lib/train/model/held";
import { emptyHeld, fillHeld, storageFor } from "../../../lib/train/model/quantize";
import type { TokenizedExample } from "../../../lib/train/sft/batch";
import { LARGE_MODEL_DEFAULTS, PROJECTIONS, type SftConfig } from "../../../lib/train/sft/config";

export const SIZE_NAMES = ["nano", "mid", "q05"] as const;
export type SizeName = (typeof SIZE_NAMES)[number];

export interface Size {
  /** config.json, read by our parser and by transformers alike. */
  config: Readonly<Record<string, unknown>>;
  batch: number;
  /** Tokens of each example; the first half is prompt. */
  seq: number;
  rounds: number;
}

const qwen2 = (layers: number, hidden: number, heads: number, keyValueHeads: number, intermediate: number, vocab: number): Size["config"] => ({
  model_type: "qwen2", architectures: ["Qwen2ForCausalLM"], num_hidden_layers: layers, hidden_size: hidden, num_attention_heads: heads, num_key_value_heads: keyValueHeads,
  intermediate_size: intermediate, vocab_size: vocab, tie_word_embeddings: true, hidden_act: "silu", rms_norm_eps: 1e-6, rope_theta: 1_000_000, max_position_embeddings: 32_768,
});

export const SIZES: Readonly<Record<SizeName, Size>> = {
  nano: { config: qwen2(6, 256, 4, 2, 704, 4096), batch: 8, seq: 128, rounds: 15 },
  mid: { config: qwen2(12, 512, 8, 2, 1408, 8192), batch: 4, seq: 128, rounds: 9 },
  /** Qwen2.5-0.5B's dimensions. */
  q05: { config: qwen2(24, 896, 14, 2, 4864, 151_936), batch: 1, seq: 128, rounds: 5 },
};

export const RANK = 8;
export const ALPHA = 16;
export const LEARNING_RATE = 2e-4;

/** Of the prompt; the tokens after it are all scored, none is the first of its example. */
export const promptLength = ({ seq }: Size): number => seq / 2;

export const modelOf = (size: Size): ModelConfig => parseModelConfig(size.config);

export function sftConfig(size: Size): SftConfig {
  return {
    ...LARGE_MODEL_DEFAULTS, learningRate: LEARNING_RATE, warmupRatio: 0, batchSize: size.batch, gradientAccumulationSteps: 1, maxLength: size.seq, optim: "adamw", weightDecay: 0, neftuneNoiseAlpha: 0,
    lora: { ...LARGE_MODEL_DEFAULTS.lora, rank: RANK, alpha: ALPHA, dropout: 0, targetModules: PROJECTIONS },
  };
}

export function examplesOf(size: Size): TokenizedExample[] {
  const random = new Random("bench-examples");
  const { vocabSize } = modelOf(size);
  return Array.from({ length: size.batch }, (_, i) => {
    const ids = Array.from({ length: size.seq }, () => random.int(vocabSize));
    return { ids, promptLength: promptLength(size), documentId: String(i), completionBytes: 4 * (size.seq - promptLength(size)) };
  });
}

/** Values made at a time: no matrix ever stands whole as f32 beside its held form. A multiple of every block. */
const CHUNK = 1 << 18;

/** Norm gains 1; everything else uniform with transformers' initial standard deviation, 0.02. Held as they are made. */
export function randomWeights(model: ModelConfig, storage: Storage): HeldWeights {
  const width = 0.04 * Math.sqrt(3);
  const chunk = new Float32Array(CHUNK);
  return new Map([...weightShapes(model)].map(([name, shape]) => {
    const random = new Random(name);
    const tensor = emptyHeld(shape, storageFor(shape, storage));
    const isGain = name.endsWith("norm.weight");
    const count = shape.reduce((a, b) => a * b, 1);
    for (let start = 0; start < count; start += CHUNK) {
      const values = chunk.subarray(0, Math.min(CHUNK, count - start));
      for (let i = 0; i < values.length; i++) values[i] = isGain ? 1 : (random.uniform() - 0.5) * width;
      fillHeld(tensor, start, values, name);
    }
    return [name, tensor];
  }));
}
