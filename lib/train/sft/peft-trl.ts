/**
 * Settings as engineers write them: one JSON object with the names of TRL's
 * SFTConfig (and so of transformers' TrainingArguments) and of PEFT's
 * LoraConfig, to and from an {@link SftConfig}. What is left out has the value
 * that it has there. A name that is not known is refused, and so is a value that
 * would compute something else than it says; names that change no number are
 * passed over. The command line's files and the page's are read by this alone.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { LR_SCHEDULES } from "../optimizer/schedule";
import { LARGE_MODEL_DEFAULTS, PROJECTIONS, type LoraConfig, type Projection, type SftConfig } from "./config";
import { nearestName, ONLY, PASSED_OVER } from "./peft-trl-names";
import { settingErrors } from "./setting-errors";

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

/** The version of a file that was written here; others have none. */
export const VERSION_NAME = "ductus_config";
const VERSION = 1;

/** Every name that may be given. */
export const PEFT_TRL_NAMES: readonly string[] = [...Object.keys(KEYS), ...Object.keys(ONLY), ...PASSED_OVER, VERSION_NAME].sort();
/** Those of them that are settings; the last two concern data and keeping, and are their reader's. */
export const SETTING_NAMES: readonly string[] = [...Object.keys(KEYS).sort(), "completion_only_loss", "load_best_model_at_end"];

export interface ReadOptions {
  /** For what is left out. */
  defaults?: SftConfig;
  /** Names whose value need not be one that is computed here: the caller sees to what they ask for, or says that it does not. */
  tolerated?: ReadonlySet<string>;
}

/**
 * @param json an object; null stands for the default, as there
 * @throws DuctusError `train/settings` naming each setting that is wrong; for an unknown one the nearest, and all that are known
 */
export function configFromPeftTrl(json: unknown, { defaults = TRL_DEFAULTS, tolerated = new Set() }: ReadOptions = {}): SftConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refuse("The settings are not a JSON object.", "Write them as {\"learning_rate\": 0.0002, …}.");
  requireVersion((json as Record<string, unknown>)[VERSION_NAME]);
  let config = defaults;
  const faults: string[] = [];
  for (const [name, value] of Object.entries(json)) {
    if (!PEFT_TRL_NAMES.includes(name)) throw unknown(name);
    if (value === null || value === undefined || PASSED_OVER.has(name) || name === VERSION_NAME) continue;
    if (Object.hasOwn(ONLY, name)) {
      const allowed = ONLY[name]!.map((one) => JSON.stringify(one));
      if (!tolerated.has(name) && !allowed.includes(JSON.stringify(value))) faults.push(`${name} can only be ${[...allowed, ...(allowed.length === 0 ? ["null"] : [])].join(" or ")} here`);
      continue;
    }
    const change = KEYS[name]!(value);
    if (!change) faults.push(`${name} cannot be ${typeof value === "number" ? value : JSON.stringify(value).slice(0, 80)}`);
    else config = { ...config, ...change, lora: { ...config.lora, ...change.lora } };
  }
  // As in TRL, where null stands for no limit.
  if (config.packing && (json as { max_length?: unknown }).max_length === null) faults.push("with packing, max_length cannot be null: it is the length of a row");
  faults.push(...settingErrors(config).map(({ name, should }) => `${name} must be ${should}`));
  if (faults.length > 0) throw refuse(faults.length === 1 ? `${faults[0]!}.` : `${faults.length} settings cannot be used: ${faults.join("; ")}.`, `Change ${faults.length === 1 ? "it" : "them"}, and start again.`);
  return config;
}

function requireVersion(version: unknown): void {
  if (version === undefined || version === VERSION) return;
  const newer = typeof version === "number" && version > VERSION;
  throw refuse(newer ? "These settings were saved by a newer version of Ductus." : `${VERSION_NAME} can only be ${VERSION} here.`, newer ? "Reload the page to get the newest version, and try again." : undefined);
}

function unknown(name: string): DuctusError {
  const nearest = nearestName(name, PEFT_TRL_NAMES);
  return refuse(`There is no setting “${name.slice(0, 80)}”.`,
    `${nearest === null ? "" : `Did you mean ${nearest}? `}These can be set: ${SETTING_NAMES.join(", ")}. TRL's and PEFT's other names may stand there too, where they change no number.`);
}

/** All settings under TRL's and PEFT's names; {@link configFromPeftTrl} reads them back the same. */
export function configToPeftTrl(config: SftConfig): Record<string, unknown> {
  return {
    [VERSION_NAME]: VERSION,
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
