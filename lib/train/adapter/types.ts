/**
 * The LoRA adapter as the rest of the house sees it, whatever file it came
 * from. Terms and factors are PEFT's: y = W x + (alpha / rank) · B (A x), or
 * alpha / √rank with rsLoRA (Kalajdzievski 2023).
 */
import type { AdapterReport } from "../../store/types";
import type { Projection, SftConfig } from "../sft/config";

export interface LoraTensor {
  /** lora_A: [rank, in]; lora_B: [out, rank]. */
  shape: [number, number];
  data: Float32Array;
}

/** Rows of the vocabulary that stand in the place of the model's, or behind its last. */
export interface TrainedTokens {
  /** Each once; those beyond the model's vocabulary follow it without a gap. */
  ids: readonly number[];
  /** Rows of the embedding, and of the output head where the model ties the two, [ids.length, hidden]. */
  rows: Float32Array;
  /** Rows of an untied output head, [ids.length, hidden]; null where the head is tied, or keeps its own rows. */
  headRows: Float32Array | null;
}

/** A token that an adapter adds to the tokenizer. */
export interface AddedToken {
  id: number;
  content: string;
}

export interface LoraAdapter {
  rank: number;
  /** The update is scaled by alpha / rank, with rsLoRA by alpha / √rank. */
  alpha: number;
  useRslora: boolean;
  targetModules: readonly Projection[];
  /** By `layers.{i}.{self_attn|mlp}.{projection}.lora_A` and `.lora_B`: one pair for every layer and target. */
  tensors: Map<string, LoraTensor>;
  tokens: TrainedTokens | null;
}

/** What is known of an adapter's making; it travels in the files. No text of the writer's. */
export interface AdapterInfo {
  name: string;
  /** Unix milliseconds. */
  createdAt: number;
  /** The base model: its id in the manifest, and the sha256 of its weights in hex. */
  modelId: string;
  modelSha256: string;
  /** Tokens that the base model's tokenizer does not know. */
  addedTokens?: readonly AddedToken[];
  /** Recipe of the run that made it. */
  recipe?: SftConfig;
  /** Optimizer steps taken, and tokens trained on. */
  steps?: number;
  trainTokens?: number;
  /** Measured on the test part of the writing. */
  report?: AdapterReport;
}
