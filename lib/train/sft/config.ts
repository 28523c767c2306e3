/**
 * Settings of a supervised fine-tuning run with LoRA. The meanings are those of
 * PEFT's LoraConfig and of TRL's and transformers' training arguments; names are
 * their camel-case forms.
 */
import type { OptimizerName } from "../optimizer/optimizer";
import type { LrSchedulerType } from "../optimizer/schedule";

export const PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export type Projection = (typeof PROJECTIONS)[number];

export interface LoraConfig {
  /** Rank of the two factors. */
  rank: number;
  /** The update is scaled by alpha / rank, with rank-stabilised LoRA by alpha / √rank. */
  alpha: number;
  /** Probability of dropping an input of the adapter while training. */
  dropout: number;
  targetModules: readonly Projection[];
  /** Rank-stabilised LoRA (Kalajdzievski 2023). */
  useRslora: boolean;
  /**
   * Tokens whose rows of the embedding and of the head are trained beside the factors. For a tied head that is what PEFT
   * does with such a list; for an untied one what it does with `{embed_tokens: […], lm_head: […]}`.
   */
  trainableTokenIndices: readonly number[];
}

export interface SftConfig {
  lora: LoraConfig;
  learningRate: number;
  /** How the rate goes over the run; all but `constant` begin with the warm-up. */
  lrSchedulerType: LrSchedulerType;
  /** Share of the steps over which the rate rises linearly from 0. */
  warmupRatio: number;
  /** Steps of the warm-up; 0: by the ratio. */
  warmupSteps: number;
  /** Passes over the examples; of a broken number the last pass is cut. */
  epochs: number;
  /** Optimizer steps, whatever the epochs; 0: by the epochs. */
  maxSteps: number;
  /** Rows in one forward and backward pass: examples, or with packing rows of several. */
  batchSize: number;
  /** Passes whose gradients are summed, weighted by their completion tokens, before an optimizer step. */
  gradientAccumulationSteps: number;
  /** Global L2 norm to which gradients are clipped; 0 turns clipping off. */
  maxGradNorm: number;
  /** Holds the optimizer's moments as f32, or in 8 bits. */
  optim: OptimizerName;
  weightDecay: number;
  adamBeta1: number;
  adamBeta2: number;
  adamEpsilon: number;
  /** Tokens of prompt and completion together; longer examples are cut at the end. With packing, tokens of a row. */
  maxLength: number;
  /** Several examples in a row instead of padding; they never see one another. */
  packing: boolean;
  /** Size of the noise on embeddings while training (NEFTune, Jain et al. 2023); 0: none. */
  neftuneNoiseAlpha: number;
  /** Draws the order of examples anew for each epoch; else they come as they are given. */
  shuffle: boolean;
  /** How many times the held-out loss is measured during the run, the start not counted. */
  evaluations: number;
  /** Instead of that number: measured every so many steps, and at the end; 0: by the number. */
  evalSteps: number;
  /** Ends the run after this many measurements in a row without a lower held-out loss; 0: never. */
  earlyStoppingPatience: number;
  /** Steps between two checkpoints; 0: as often as costs little. */
  saveSteps: number;
  seed: number;
}

/** Settings for real models of half a billion parameters and more. */
export const LARGE_MODEL_DEFAULTS: SftConfig = {
  lora: { rank: 8, alpha: 16, dropout: 0.05, targetModules: PROJECTIONS, useRslora: false, trainableTokenIndices: [] },
  learningRate: 2e-4,
  lrSchedulerType: "linear",
  warmupRatio: 0.03,
  warmupSteps: 0,
  epochs: 2,
  maxSteps: 0,
  batchSize: 2,
  gradientAccumulationSteps: 4,
  maxGradNorm: 1,
  optim: "adamw",
  weightDecay: 0,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  maxLength: 512,
  packing: false,
  neftuneNoiseAlpha: 0,
  shuffle: true,
  evaluations: 8,
  evalSteps: 0,
  earlyStoppingPatience: 0,
  saveSteps: 0,
  seed: 1,
};

/** Steps of the warm-up in a run of `totalSteps`. */
export function warmupSteps(config: Pick<SftConfig, "warmupRatio" | "warmupSteps">, totalSteps: number): number {
  return config.warmupSteps > 0 ? config.warmupSteps : Math.ceil(totalSteps * config.warmupRatio);
}
