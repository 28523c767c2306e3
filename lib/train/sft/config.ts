/**
 * Settings of a supervised fine-tuning run with LoRA. The meanings are those of
 * PEFT's LoraConfig and TRL's SFTConfig; names are their camel-case forms.
 */
export const PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export type Projection = (typeof PROJECTIONS)[number];

export interface LoraConfig {
  /** Rank of the two factors. */
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  /** Probability of dropping an input of the adapter while training. */
  dropout: number;
  targetModules: readonly Projection[];
}

export interface SftConfig {
  lora: LoraConfig;
  learningRate: number;
  /** Share of the steps over which the rate rises linearly from 0; then it falls linearly to 0. */
  warmupRatio: number;
  epochs: number;
  /** Examples in one forward and backward pass. */
  batchSize: number;
  /** Passes whose gradients are summed, weighted by their completion tokens, before an optimizer step. */
  gradientAccumulationSteps: number;
  /** Global L2 norm to which gradients are clipped; 0 turns clipping off. */
  maxGradNorm: number;
  weightDecay: number;
  adamBeta1: number;
  adamBeta2: number;
  adamEpsilon: number;
  /** Tokens of prompt and completion together; longer examples are cut at the end. */
  maxLength: number;
  /** How many times the held-out loss is measured during the run, the start not counted. */
  evaluations: number;
  seed: number;
}

/** Settings for real models of half a billion parameters and more. */
export const LARGE_MODEL_DEFAULTS: SftConfig = {
  lora: { rank: 8, alpha: 16, dropout: 0.05, targetModules: PROJECTIONS },
  learningRate: 2e-4,
  warmupRatio: 0.03,
  epochs: 2,
  batchSize: 2,
  gradientAccumulationSteps: 4,
  maxGradNorm: 1,
  weightDecay: 0,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  maxLength: 512,
  evaluations: 8,
  seed: 1,
};
