/**
 * Every setting of a run that a person may change, with what it means: forms,
 * files and messages derive from this one table. Names are TRL's and PEFT's. It
 * says what is allowed and what is usual, not what is best (recipes.ts, dial.ts).
 */
import { OPTIMIZERS } from "../optimizer/optimizer";
import { LR_SCHEDULES } from "../optimizer/schedule";
import { PROJECTIONS, type LoraConfig, type SftConfig } from "./config";

/** A place in an {@link SftConfig}. */
export type SettingKey = Exclude<keyof SftConfig, "lora"> | `lora.${keyof LoraConfig}`;

export const SETTING_GROUPS = [
  { id: "length", label: "How long" },
  { id: "strength", label: "How strongly" },
  { id: "adapter", label: "Adapter" },
  { id: "text", label: "Text" },
  { id: "device", label: "Device" },
  { id: "checks", label: "Checking and keeping" },
] as const;
export type SettingGroup = (typeof SETTING_GROUPS)[number]["id"];

export interface NumberRange {
  least: number;
  most: number;
  whole?: boolean;
  /** The end itself is not allowed. */
  above?: boolean;
  below?: boolean;
}

/** Where a slider goes, which is less than what may be typed. On a logarithmic one `step` is a factor. */
export interface SliderRange {
  from: number;
  to: number;
  step: number;
  scale: "linear" | "log";
}

export interface SettingChoice {
  value: string;
  label: string;
  meaning: string;
}

interface SettingBase {
  key: SettingKey;
  /** TRL's or PEFT's; of what only we have, ours in their style. */
  name: string;
  group: SettingGroup;
  label: string;
  /** What it does, and what more and less of it lead to. */
  meaning: string;
  /** Why it does nothing beside the other settings; null where it does something. */
  idle?: (config: SftConfig) => string | null;
}

export interface NumberSetting extends SettingBase {
  control: "slider" | "number";
  range: NumberRange;
  slider: SliderRange;
  /** In the plural; empty for a bare number. */
  unit: string;
  /** What 0 means, where it is no amount. */
  zero?: string;
}

export type Setting = NumberSetting
  | (SettingBase & { control: "switch" })
  | (SettingBase & { control: "choice" | "choices"; choices: readonly SettingChoice[] })
  /** A list of token ids: not set by hand but with a tokenizer. */
  | (SettingBase & { control: "tokens" });

const MAX_STEPS = 10_000_000;
export const MAX_TOKEN_ID = 10_000_000;

const linear = (from: number, to: number, step: number): SliderRange => ({ from, to, step, scale: "linear" });
const log = (from: number, to: number, step: number): SliderRange => ({ from, to, step, scale: "log" });
const whole = (least: number, most: number): NumberRange => ({ least, most, whole: true });

type Choices<T extends string> = Record<T, readonly [label: string, meaning: string]>;
const choicesOf = <T extends string>(order: readonly T[], words: Choices<T>): SettingChoice[] =>
  order.map((value) => ({ value, label: words[value][0], meaning: words[value][1] }));

const bySteps = (config: SftConfig) => (config.maxSteps > 0 ? "The number of steps is given." : null);
const withoutDecay = (config: SftConfig) => (config.lrSchedulerType === "constant" ? "A constant rate has no warm-up." : null);

/** In the order of the panel. */
export const SETTINGS: readonly Setting[] = [
  {
    key: "epochs", name: "num_train_epochs", group: "length", label: "Passes (epochs)", control: "slider", unit: "passes", idle: bySteps,
    meaning: "How often the writing is read through. More passes bring it closer to this hand and take longer; too many, and it repeats sentences instead of writing new ones.",
    range: { least: 0, most: 1000, above: true }, slider: linear(0.5, 10, 0.5),
  },
  {
    key: "maxSteps", name: "max_steps", group: "length", label: "Number of steps", control: "number", unit: "steps", zero: "as many as the passes give",
    meaning: "Ends the run after this many steps, whatever the passes: the way to a run of a known length. More steps learn more and take longer.",
    range: whole(0, MAX_STEPS), slider: log(10, 10_000, 1.25),
  },
  {
    key: "earlyStoppingPatience", name: "early_stopping_patience", group: "length", label: "Patience before it stops by itself", control: "slider", unit: "checks", zero: "it never stops by itself",
    meaning: "Ends the run after so many checks in a row without progress on the text kept aside. Few save time and may stop too soon; the best state is kept either way.",
    range: whole(0, 10_000), slider: linear(0, 10, 1),
  },
  {
    key: "learningRate", name: "learning_rate", group: "strength", label: "Learning rate", control: "slider", unit: "",
    meaning: "How far each step moves the adapter. Higher learns faster, and beyond a point forgets grammar or breaks the run; lower is safe and may change nothing that shows. Small models need far more than large ones.",
    range: { least: 0, most: Number.MAX_VALUE }, slider: log(1e-5, 3e-2, 1.25),
  },
  {
    key: "lrSchedulerType", name: "lr_scheduler_type", group: "strength", label: "Schedule of the learning rate", control: "choice",
    meaning: "How the rate goes over the run. A falling one settles what was learned; a constant one keeps moving to the end.",
    choices: choicesOf(LR_SCHEDULES, {
      linear: ["Falling in a line", "Rises over the warm-up, then falls evenly to nothing at the end."],
      cosine: ["Falling in a curve", "Stays high for longer, then falls quickly and ends gently."],
      constant: ["Constant", "The same at every step, without a warm-up."],
      constant_with_warmup: ["Constant after the warm-up", "Rises over the warm-up, then stays."],
    }),
  },
  {
    key: "warmupRatio", name: "warmup_ratio", group: "strength", label: "Warm-up", control: "slider", unit: "of the run",
    meaning: "The share of the run over which the rate rises from nothing. A longer warm-up protects against a rough start with a high rate, and leaves less of the run at full strength.",
    range: { least: 0, most: 1 }, slider: linear(0, 0.5, 0.01), idle: (config) => withoutDecay(config) ?? (config.warmupSteps > 0 ? "The steps of the warm-up are given." : null),
  },
  {
    key: "warmupSteps", name: "warmup_steps", group: "strength", label: "Number of warm-up steps", control: "number", unit: "steps", zero: "by the share above",
    meaning: "The warm-up as a number of steps instead of a share. More of them begin more gently.",
    range: whole(0, MAX_STEPS), slider: linear(0, 200, 1), idle: withoutDecay,
  },
  {
    key: "weightDecay", name: "weight_decay", group: "strength", label: "Weight decay", control: "slider", unit: "", zero: "off",
    meaning: "Pulls the adapter back towards nothing at every step. More holds it closer to the plain model and guards a little against memorising.",
    range: { least: 0, most: Number.MAX_VALUE }, slider: linear(0, 0.3, 0.01),
  },
  {
    key: "maxGradNorm", name: "max_grad_norm", group: "strength", label: "Largest gradient norm", control: "slider", unit: "", zero: "no limit",
    meaning: "Limits how far one odd passage can push a step. Lower is steadier and slower; without a limit a single bad batch can spoil a run.",
    range: { least: 0, most: Number.MAX_VALUE }, slider: linear(0, 5, 0.1),
  },
  {
    key: "adamBeta1", name: "adam_beta1", group: "strength", label: "First beta of AdamW", control: "number", unit: "",
    meaning: "How much of the direction of earlier steps is kept. Nearer to 1 is smoother and slower to turn.",
    range: { least: 0, most: 1, below: true }, slider: linear(0.8, 0.99, 0.01),
  },
  {
    key: "adamBeta2", name: "adam_beta2", group: "strength", label: "Second beta of AdamW", control: "number", unit: "",
    meaning: "How long the size of earlier gradients is remembered. Nearer to 1 is steadier; lower adapts sooner, which short runs can use.",
    range: { least: 0, most: 1, below: true }, slider: linear(0.9, 0.999, 0.001),
  },
  {
    key: "adamEpsilon", name: "adam_epsilon", group: "strength", label: "Epsilon of AdamW", control: "number", unit: "",
    meaning: "Keeps the division by tiny gradients in bounds. Larger damps the steps of numbers that hardly move; rarely worth changing.",
    range: { least: 0, most: Number.MAX_VALUE, above: true }, slider: log(1e-9, 1e-6, 10),
  },
  {
    key: "lora.rank", name: "r", group: "adapter", label: "Rank", control: "slider", unit: "",
    meaning: "How much room the adapter has for what it learns. More can hold more of a hand, makes a larger file and a slower step, and memorises sooner; 8 to 16 is enough for a person's writing.",
    range: whole(1, 1024), slider: log(1, 128, 2),
  },
  {
    key: "lora.alpha", name: "lora_alpha", group: "adapter", label: "Alpha", control: "slider", unit: "",
    meaning: "How strongly the adapter is mixed in: its effect is alpha divided by the rank. More acts like a higher learning rate; mostly it is kept at twice the rank.",
    range: { least: 0, most: Number.MAX_VALUE, above: true }, slider: log(1, 256, 2),
  },
  {
    key: "lora.dropout", name: "lora_dropout", group: "adapter", label: "Dropout", control: "slider", unit: "", zero: "off",
    meaning: "Hides a random share of the adapter's input at each step, so that it cannot lean on a single detail. More guards against memorising little writing; steps get slower and learn less.",
    range: { least: 0, most: 1, below: true }, slider: linear(0, 0.5, 0.01),
  },
  {
    key: "lora.useRslora", name: "use_rslora", group: "adapter", label: "Rank-stabilised scale", control: "switch",
    meaning: "Divides alpha by the square root of the rank instead of the rank, so that high ranks are not weakened. Turned on, the same alpha acts more strongly.",
  },
  {
    key: "lora.targetModules", name: "target_modules", group: "adapter", label: "Layers to adapt", control: "choices",
    meaning: "Which parts of every layer get an adapter. More parts learn more of a hand; fewer make a smaller file and quicker steps.",
    choices: choicesOf(PROJECTIONS, {
      q_proj: ["Attention: queries", "What a word looks for in the words before it."],
      k_proj: ["Attention: keys", "What a word offers to be found by."],
      v_proj: ["Attention: values", "What a word hands on where it is found."],
      o_proj: ["Attention: output", "How what was found is put together."],
      gate_proj: ["Inner layer: gate", "Which inner features are let through."],
      up_proj: ["Inner layer: up", "Which inner features there are."],
      down_proj: ["Inner layer: down", "How the features shape the next word."],
    }),
  },
  {
    key: "lora.trainableTokenIndices", name: "trainable_token_indices", group: "adapter", label: "List of trained tokens", control: "tokens",
    meaning: "Tokens whose own meaning is trained beside the adapter, for words that the model does not know. Each one adds a row of the vocabulary to the file.",
  },
  {
    key: "maxLength", name: "max_length", group: "text", label: "Longest example", control: "slider", unit: "tokens",
    meaning: "Examples are cut after so many tokens, about three quarters as many words. Longer ones show how passages hang together; memory and time grow with them.",
    range: whole(2, 32_768), slider: linear(64, 2048, 32),
  },
  {
    key: "packing", name: "packing", group: "text", label: "Packing", control: "switch",
    meaning: "Puts several short examples into one row instead of filling rows up with nothing. Quicker with short pieces; every step then reads more of them.",
  },
  {
    key: "neftuneNoiseAlpha", name: "neftune_noise_alpha", group: "text", label: "Noise on embeddings", control: "slider", unit: "", zero: "off",
    meaning: "Blurs the words it reads a little (NEFTune), which makes it harder to memorise them. 5 is usual; far more drowns the text.",
    range: { least: 0, most: Number.MAX_VALUE }, slider: linear(0, 15, 0.5),
  },
  {
    key: "shuffle", name: "shuffle", group: "text", label: "Shuffled order", control: "switch",
    meaning: "Draws the order of the examples anew for each pass. Without it they come in the order of the text, and the last pieces count more.",
  },
  {
    key: "seed", name: "seed", group: "text", label: "Seed", control: "number", unit: "",
    meaning: "Where all chance begins: the same seed, writing and settings give the same run. Another one shows how much of a result was luck.",
    range: { least: -Number.MAX_VALUE, most: Number.MAX_VALUE }, slider: linear(0, 100, 1),
  },
  {
    key: "batchSize", name: "per_device_train_batch_size", group: "device", label: "Batch size", control: "slider", unit: "examples",
    meaning: "Examples that are computed at once. More make steadier steps and need more memory; fewer make more, rougher steps.",
    range: whole(1, 1024), slider: linear(1, 32, 1),
  },
  {
    key: "gradientAccumulationSteps", name: "gradient_accumulation_steps", group: "device", label: "Number of accumulated batches", control: "slider", unit: "batches",
    meaning: "Batches that are added up before the adapter moves: as good as a larger batch, in the memory of a small one. More make fewer, steadier steps.",
    range: whole(1, 1024), slider: linear(1, 32, 1),
  },
  {
    key: "optim", name: "optim", group: "device", label: "Optimizer", control: "choice",
    meaning: "How the memory of earlier steps is held.",
    choices: choicesOf(OPTIMIZERS, {
      adamw: ["AdamW", "Exact; takes twice the adapter's size."],
      adamw_8bit: ["AdamW in 8 bits", "Takes a quarter of that, and rounds a little."],
    }),
  },
  {
    key: "evaluations", name: "evaluations", group: "checks", label: "Number of checks", control: "slider", unit: "checks", idle: (config) => (config.evalSteps > 0 ? "The steps between checks are given." : null),
    meaning: "How often it is checked on the text kept aside and writes a sample. More show the course better and find the best state more surely; each takes a little time.",
    range: whole(0, 10_000), slider: linear(1, 20, 1), zero: "at the start and at the end only",
  },
  {
    key: "evalSteps", name: "eval_steps", group: "checks", label: "Number of steps between checks", control: "number", unit: "steps", zero: "by the number of checks",
    meaning: "Checks after every so many steps instead of a fixed number. Smaller checks more often, and takes longer.",
    range: whole(0, MAX_STEPS), slider: linear(0, 200, 1),
  },
  {
    key: "saveSteps", name: "save_steps", group: "checks", label: "Number of steps between checkpoints", control: "number", unit: "steps", zero: "as often as costs little time",
    meaning: "How often the run is stored, so that it can go on if the tab is closed. Smaller loses less work and writes more to the disk.",
    range: whole(0, MAX_STEPS), slider: linear(0, 500, 5),
  },
];

const BY_KEY = new Map(SETTINGS.map((setting) => [setting.key, setting]));
export const settingOf = (key: SettingKey): Setting => BY_KEY.get(key)!;

export type SettingValue = number | boolean | string | readonly string[] | readonly number[];

export function valueOf(config: SftConfig, key: SettingKey): SettingValue {
  return key.startsWith("lora.") ? config.lora[key.slice(5) as keyof LoraConfig] : config[key as Exclude<keyof SftConfig, "lora">];
}

/** Whatever is typed: {@link settingErrors} says whether it can be used. */
export function withValue(config: SftConfig, key: SettingKey, value: SettingValue): SftConfig {
  if (!key.startsWith("lora.")) return { ...config, [key]: value };
  return { ...config, lora: { ...config.lora, [key.slice(5)]: value } };
}
