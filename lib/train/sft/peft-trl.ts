/**
 * Settings as engineers write them: one JSON object with the names of TRL's
 * SFTConfig (and so of transformers' TrainingArguments) and of PEFT's
 * LoraConfig, to and from an {@link SftConfig}. What is left out has the value
 * that it has there. A name that is not known is refused, and so is a value that
 * would compute something else than it says; names that change no number are
 * passed over.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { LR_SCHEDULES } from "../optimizer/schedule";
import { checkConfig } from "./check";
import { LARGE_MODEL_DEFAULTS, PROJECTIONS, type LoraConfig, type Projection, type SftConfig } from "./config";

/** TRL's and PEFT's own defaults, and for what only we have, ours. */
export const TRL_DEFAULTS: SftConfig = {
  ...LARGE_MODEL_DEFAULTS,
  lora: { rank: 8, alpha: 8, dropout: 0, targetModules: ["q_proj", "v_proj"], useRslora: false, trainableTokenIndices: [] },
  learningRate: 2e-5, warmupRatio: 0, epochs: 3, batchSize: 8, gradientAccumulationSteps: 1, maxLength: 1024, seed: 42,
};

type Change = Partial<Omit<SftConfig, "lora">> & { lora?: Partial<LoraConfig> };
/** Reads the value of one name; undefined where it is of the wrong kind. */
type Key = (value: unknown) => Change | undefined;

function key<T>(schema: z.ZodType<T>, change: (value: T) => Change): Key {
  return (value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? change(parsed.data) : undefined;
  };
}
const number = z.number(), flag = z.boolean();
const whole = z.number().int();

/** transformers' names of optimizers, by what they compute: the pages and fusions of some change no number. */
const OPTIMIZER_NAMES: Record<string, SftConfig["optim"]> = {
  adamw: "adamw", adamw_torch: "adamw", adamw_torch_fused: "adamw", adamw_hf: "adamw",
  adamw_8bit: "adamw_8bit", adamw_bnb_8bit: "adamw_8bit", paged_adamw_8bit: "adamw_8bit",
};

const KEYS: Record<string, Key> = {
  learning_rate: key(number, (learningRate) => ({ learningRate })),
  lr_scheduler_type: key(z.enum(LR_SCHEDULES), (lrSchedulerType) => ({ lrSchedulerType })),
  warmup_ratio: key(number, (warmupRatio) => ({ warmupRatio })),
  // transformers 5 takes a number below 1 for a share of the steps.
  warmup_steps: key(number, (n) => (n >= 1 ? { warmupSteps: Math.floor(n) } : n === 0 ? {} : { warmupRatio: n })),
  num_train_epochs: key(number, (epochs) => ({ epochs })),
  max_steps: key(whole, (n) => ({ maxSteps: Math.max(0, n) })),
  per_device_train_batch_size: key(whole, (batchSize) => ({ batchSize })),
  gradient_accumulation_steps: key(whole, (gradientAccumulationSteps) => ({ gradientAccumulationSteps })),
  max_grad_norm: key(number, (maxGradNorm) => ({ maxGradNorm })),
  optim: (value) => (typeof value === "string" && Object.hasOwn(OPTIMIZER_NAMES, value) ? { optim: OPTIMIZER_NAMES[value]! } : undefined),
  weight_decay: key(number, (weightDecay) => ({ weightDecay })),
  adam_beta1: key(number, (adamBeta1) => ({ adamBeta1 })),
  adam_beta2: key(number, (adamBeta2) => ({ adamBeta2 })),
  adam_epsilon: key(number, (adamEpsilon) => ({ adamEpsilon })),
  max_length: key(whole, (maxLength) => ({ maxLength })),
  packing: key(flag, (packing) => ({ packing })),
  neftune_noise_alpha: key(number, (neftuneNoiseAlpha) => ({ neftuneNoiseAlpha })),
  shuffle: key(flag, (shuffle) => ({ shuffle })),
  evaluations: key(whole, (evaluations) => ({ evaluations })),
  eval_steps: key(whole, (evalSteps) => ({ evalSteps })),
  early_stopping_patience: key(whole, (earlyStoppingPatience) => ({ earlyStoppingPatience })),
  save_steps: key(whole, (saveSteps) => ({ saveSteps })),
  seed: key(number, (seed) => ({ seed })),
  r: key(whole, (rank) => ({ lora: { rank } })),
  lora_alpha: key(number, (alpha) => ({ lora: { alpha } })),
  lora_dropout: key(number, (dropout) => ({ lora: { dropout } })),
  use_rslora: key(flag, (useRslora) => ({ lora: { useRslora } })),
  target_modules: key(z.union([z.string(), z.array(z.string()).min(1).max(1000)]), (value) => ({ lora: { targetModules: projections(value) } })),
  trainable_token_indices: key(z.array(whole.nonnegative()), (trainableTokenIndices) => ({ lora: { trainableTokenIndices } })),
};

/** Names whose other values ask for something that is not done here. */
const ONLY: Record<string, readonly unknown[]> = {
  bias: ["none"], task_type: ["CAUSAL_LM"], peft_type: ["LORA"], init_lora_weights: [true], use_dora: [false], fan_in_fan_out: [false], lora_bias: [false],
  packing_strategy: ["bfd"], completion_only_loss: [true], assistant_only_loss: [false], loss_type: ["nll"], label_smoothing_factor: [0], truncation_mode: ["keep_start"],
  bf16: [false], fp16: [false], eval_strategy: ["steps"], load_best_model_at_end: [true], save_strategy: ["steps"], save_total_limit: [2],
};

/** Names that change no number. */
const PASSED_OVER = new Set([
  "output_dir", "run_name", "report_to", "logging_steps", "logging_strategy", "logging_first_step", "disable_tqdm", "log_level",
  "use_cpu", "do_train", "dataloader_num_workers", "dataloader_pin_memory", "gradient_checkpointing", "gradient_checkpointing_kwargs",
]);

/** Every name that may be given. */
export const PEFT_TRL_NAMES: readonly string[] = [...Object.keys(KEYS), ...Object.keys(ONLY), ...PASSED_OVER].sort();

/**
 * @param json an object; null stands for the default, as there
 * @param defaults for what is left out
 * @throws DuctusError `train/settings` naming the first setting that is wrong; for an unknown one with all that are known
 */
export function configFromPeftTrl(json: unknown, defaults: SftConfig = TRL_DEFAULTS): SftConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refuse("The settings are not a JSON object.", "Write them as {\"learning_rate\": 0.0002, …}.");
  let config = defaults;
  for (const [name, value] of Object.entries(json)) {
    if (!PEFT_TRL_NAMES.includes(name)) throw refuse(`There is no setting “${name.slice(0, 80)}”.`, `These can be set: ${PEFT_TRL_NAMES.join(", ")}.`);
    if (value === null || value === undefined || PASSED_OVER.has(name)) continue;
    if (Object.hasOwn(ONLY, name)) {
      const allowed = ONLY[name]!;
      if (!allowed.includes(value)) throw refuse(`${name} can only be ${allowed.map((v) => JSON.stringify(v)).join(" or ")} here.`);
      continue;
    }
    const change = KEYS[name]!(value);
    if (!change) throw refuse(`${name} cannot be ${typeof value === "number" ? value : JSON.stringify(value).slice(0, 80)}.`);
    config = { ...config, ...change, lora: { ...config.lora, ...change.lora } };
  }
  // As in TRL, where null stands for no limit.
  if (config.packing && (json as { max_length?: unknown }).max_length === null) throw refuse("With packing, max_length cannot be null: it is the length of a row.");
  checkConfig(config);
  return config;
}

/** The settings under TRL's and PEFT's names; {@link configFromPeftTrl} reads them back the same. */
export function configToPeftTrl(config: SftConfig): Record<string, unknown> {
  return {
    learning_rate: config.learningRate,
    lr_scheduler_type: config.lrSchedulerType,
    warmup_ratio: config.warmupRatio,
    warmup_steps: config.warmupSteps,
    num_train_epochs: config.epochs,
    max_steps: config.maxSteps > 0 ? config.maxSteps : -1,
    per_device_train_batch_size: config.batchSize,
    gradient_accumulation_steps: config.gradientAccumulationSteps,
    max_grad_norm: config.maxGradNorm,
    optim: config.optim === "adamw" ? "adamw_torch" : "adamw_8bit",
    weight_decay: config.weightDecay,
    adam_beta1: config.adamBeta1,
    adam_beta2: config.adamBeta2,
    adam_epsilon: config.adamEpsilon,
    max_length: config.maxLength,
    packing: config.packing,
    neftune_noise_alpha: config.neftuneNoiseAlpha > 0 ? config.neftuneNoiseAlpha : null,
    shuffle: config.shuffle,
    evaluations: config.evaluations,
    eval_steps: config.evalSteps,
    early_stopping_patience: config.earlyStoppingPatience,
    save_steps: config.saveSteps,
    seed: config.seed,
    r: config.lora.rank,
    lora_alpha: config.lora.alpha,
    lora_dropout: config.lora.dropout,
    use_rslora: config.lora.useRslora,
    target_modules: [...config.lora.targetModules],
    trainable_token_indices: config.lora.trainableTokenIndices.length > 0 ? [...config.lora.trainableTokenIndices] : null,
  };
}

function projections(value: string | readonly string[]): Projection[] {
  if (typeof value === "string") {
    if (value.toLowerCase() === "all-linear") return [...PROJECTIONS];
    // PEFT matches it with whole names, such as model.layers.0.self_attn.q_proj: "q_proj" by itself matches none of them.
    throw refuse(`target_modules is the text “${value.slice(0, 80)}”, which PEFT takes for a pattern of whole names; patterns are not read here.`, `Write a list, with some of ${PROJECTIONS.join(", ")}, or "all-linear".`);
  }
  const unknown = value.find((name) => !(PROJECTIONS as readonly string[]).includes(name));
  if (unknown !== undefined) throw refuse(`There is nothing named “${unknown.slice(0, 80)}” to adapt.`, `target_modules may be "all-linear" or a list of some of ${PROJECTIONS.join(", ")}.`);
  return PROJECTIONS.filter((projection) => value.includes(projection));
}

function refuse(message: string, next = "Change it, and start again."): DuctusError {
  return new DuctusError("train/settings", message, next);
}
