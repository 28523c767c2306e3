/**
 * The LoRA adapter as the rest of the house sees it, whatever file it came
 * from. Terms and factors are PEFT's: y = W x + (alpha / rank) · B (A x).
 */
import type { AdapterReport } from "../../store/types";
import type { Projection, SftConfig } from "../sft/config";

export interface LoraTensor {
  /** lora_A: [rank, in]; lora_B: [out, rank]. */
  shape: [number, number];
  data: Float32Array;
}

export interface LoraAdapter {
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  targetModules: readonly Projection[];
  /** By `layers.{i}.{self_attn|mlp}.{projection}.lora_A` and `.lora_B`: one pair for every layer and target. */
  tensors: Map<string, LoraTensor>;
}

/** What is known of an adapter's making; it travels in the files. No text of the writer's. */
export interface AdapterInfo {
  name: string;
  /** Unix milliseconds. */
  createdAt: number;
  /** The base model: its id in the manifest, and the sha256 of its weights in hex. */
  modelId: string;
  modelSha256: string;
  /** Recipe of the run that made it. */
  recipe?: SftConfig;
  /** Optimizer steps taken, and tokens trained on. */
  steps?: number;
  trainTokens?: number;
  /** Measured on the test part of the writing. */
  report?: AdapterReport;
}
