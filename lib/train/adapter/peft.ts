/**
 * The folder layout of Hugging Face PEFT 0.21 for a LoRA adapter:
 * adapter_config.json and adapter_model.safetensors, with a model card, to and
 * from our {@link LoraAdapter}. A setting that would change the arithmetic and
 * is not computed here is refused in words, an unknown one too: an adapter
 * that is applied a little wrong would show no error. Trained rows of the
 * vocabulary are in trained-tokens.ts.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import type { ModelConfig } from "../model/config";
import { adapterShapes } from "../model/lora";
import { PROJECTIONS, type Projection } from "../sft/config";
import { adapterCard, type CardExtras } from "./card";
import { allFinite } from "./float16";
import { misfit, refuse } from "./refuse";
import { ADAPTER_FILE, damaged, readSafetensors, toFloat32, writeSafetensors, type SafeTensor } from "./safetensors";
import { findDuplicateKey } from "./strict-json";
import { readTrainedTokens, tokenIndices, tokenSettingsSchema, tokenTensors, type TokenSettings } from "./trained-tokens";
import type { AdapterInfo, LoraAdapter, LoraTensor } from "./types";

export const CONFIG_FILE = "adapter_config.json";
export const WEIGHTS_FILE = "adapter_model.safetensors";

export interface PeftFolder {
  "adapter_config.json": string;
  "adapter_model.safetensors": Uint8Array;
  "README.md": string;
}

const PEFT_PREFIX = "base_model.model.model.";
const MAX_RANK = 1024;
const MAX_CONFIG_CHARS = 1_000_000;

const configSchema = tokenSettingsSchema.extend({
  peft_type: z.string(),
  r: z.int().positive().max(MAX_RANK),
  lora_alpha: z.number().positive().max(1e6),
  target_modules: z.union([z.array(z.string()).min(1).max(1000), z.string()]),
  task_type: z.string().nullish(),
  bias: z.string().default("none"),
  use_rslora: z.boolean().default(false),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** Settings that say nothing about how the two factors are applied. */
const HARMLESS = new Set([
  "peft_type", "r", "lora_alpha", "target_modules", "task_type", "bias", "use_rslora", "init_lora_weights",
  "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode", "lora_dropout",
  "megatron_core", "qalora_group_size", "runtime_config", "loftq_config", "eva_config", "ensure_weight_tying",
  "modules_to_save", "trainable_token_indices",
]);

/** What the better known of the others mean, for the sentence that refuses them. */
const MEANINGS: Record<string, string> = {
  use_dora: "DoRA",
  use_qalora: "QALoRA",
  use_bdlora: "block-diagonal LoRA",
  lora_bias: "biases on its factors",
  fan_in_fan_out: "transposed weights",
  rank_pattern: "different ranks in different places",
  alpha_pattern: "different scales in different places",
  layers_to_transform: "only some of the layers",
  layers_pattern: "a layer pattern of its own",
  layer_replication: "repeated layers",
  exclude_modules: "excluded modules",
  target_parameters: "single parameters as targets",
  alora_invocation_tokens: "activated LoRA",
};

/** Ways to initialise that leave the base model as it is; the others (PiSSA, OLoRA, CorDA, LoftQ, …) change it. */
const PLAIN_INITS = new Set<unknown>([true, false, null, undefined, "gaussian", "orthogonal", "eva"]);

/**
 * @throws DuctusError `adapter/config`, `adapter/unsupported`, `adapter/shapes`
 *   (does not fit the model), `adapter/damaged`, `adapter/number-type`.
 */
export function adapterFromPeft(configJson: string, safetensors: Uint8Array, model: ModelConfig): LoraAdapter {
  const { settings, ...lora } = readPeftConfig(configJson);
  const { tensors: found } = readSafetensors(safetensors, ADAPTER_FILE);
  const tensors = new Map<string, LoraTensor>();
  for (const [key, shape] of adapterShapes(model, lora)) {
    const name = `${PEFT_PREFIX}${key}.weight`;
    const tensor = found.get(name);
    if (!tensor) throw misfit(`it has nothing for ${key}`);
    tensors.set(key, { shape, data: readFactor(tensor, key, shape) });
    found.delete(name);
  }
  const tokens = readTrainedTokens(settings, found, model);
  const [extra] = found.keys();
  if (extra !== undefined) throw misfit(`it also holds “${extra.slice(0, 100)}”`);
  return { ...lora, tensors, tokens };
}

function readFactor(tensor: SafeTensor, key: string, shape: [number, number]): Float32Array {
  if (tensor.shape.join() !== shape.join()) throw misfit(`${key} is ${tensor.shape.join(" × ")}, and the model needs ${shape.join(" × ")}`);
  const data = toFloat32(tensor, ADAPTER_FILE);
  if (!allFinite(data)) throw damaged(ADAPTER_FILE, `${key} holds a value that is not a number`);
  return data;
}

function readPeftConfig(text: string): { rank: number; alpha: number; useRslora: boolean; targetModules: Projection[]; settings: TokenSettings } {
  const unreadable = (cause?: unknown) => new DuctusError("adapter/config", "The adapter's settings (adapter_config.json) cannot be read.", "Export the adapter again where it was made.", { cause });
  if (text.length > MAX_CONFIG_CHARS) throw unreadable();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unreadable(cause);
  }
  if (findDuplicateKey(text) !== null) throw unreadable();
  const kind = z.looseObject({ peft_type: z.string() }).safeParse(json);
  if (!kind.success) throw unreadable(kind.error);
  if (kind.data.peft_type !== "LORA") refuse(`it is of the kind ${kind.data.peft_type.slice(0, 40)}, and only LORA is computed`);
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw unreadable(parsed.error);
  const config = parsed.data;

  if (config.task_type != null && config.task_type !== "CAUSAL_LM") refuse(`it is for another task (${config.task_type.slice(0, 40)})`);
  if (config.bias !== "none") refuse("it changes biases too");
  if (!PLAIN_INITS.has(config.init_lora_weights)) refuse(`its start (${String(config.init_lora_weights).slice(0, 40)}) changed the base model as well`);
  for (const [key, value] of Object.entries(config)) {
    if (!HARMLESS.has(key) && !isOff(value)) refuse(`it uses ${Object.hasOwn(MEANINGS, key) ? MEANINGS[key] : `a setting unknown here (${key.slice(0, 60)})`}`);
  }
  return { rank: config.r, alpha: config.lora_alpha, useRslora: config.use_rslora, targetModules: readTargets(config.target_modules), settings: config };
}

/** null, false, empty text, empty list, empty object: the neutral values of PEFT's optional features. */
function isOff(value: unknown): boolean {
  return value === null || value === false || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}

function readTargets(targets: string[] | string): Projection[] {
  if (targets === "all-linear") return [...PROJECTIONS];
  if (typeof targets === "string") refuse("its target modules are a search pattern; a list of names is needed");
  const names = new Set<string>();
  for (const target of targets) {
    const name = target.replace(/^(self_attn|mlp)\./, "");
    if (!(PROJECTIONS as readonly string[]).includes(name)) refuse(`it changes “${target.slice(0, 60)}”, which Ductus does not adapt`);
    names.add(name);
  }
  return PROJECTIONS.filter((projection) => names.has(projection));
}

/** The settings as PEFT 0.21 writes them, every field that it knows included. */
export function peftConfigJson(adapter: LoraAdapter, info: AdapterInfo): string {
  const config = {
    alora_invocation_tokens: null,
    alpha_pattern: {},
    arrow_config: null,
    auto_mapping: null,
    base_model_name_or_path: info.modelId,
    bias: "none",
    corda_config: null,
    ensure_weight_tying: false,
    eva_config: null,
    exclude_modules: null,
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    kasa_config: null,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: adapter.alpha,
    lora_bias: false,
    lora_dropout: info.recipe?.lora.dropout ?? 0,
    lora_ga_config: null,
    megatron_config: null,
    megatron_core: "megatron.core",
    modules_to_save: null,
    monteclora_config: null,
    peft_type: "LORA",
    peft_version: "0.21.2",
    qalora_group_size: 16,
    r: adapter.rank,
    rank_pattern: {},
    revision: null,
    target_modules: [...adapter.targetModules],
    target_parameters: null,
    task_type: "CAUSAL_LM",
    trainable_token_indices: tokenIndices(adapter.tokens),
    use_bdlora: null,
    use_dora: false,
    use_qalora: false,
    use_rslora: adapter.useRslora,
    velora_config: null,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** The tensors under PEFT's names, with notes of the caller's. */
export function peftSafetensors(adapter: LoraAdapter, metadata: Readonly<Record<string, string>>): Uint8Array {
  const tensors = [...adapter.tensors].map(([key, { shape, data }]) => ({ name: `${PEFT_PREFIX}${key}.weight`, shape, data }));
  return writeSafetensors([...tensors, ...tokenTensors(adapter.tokens)], { ...metadata, format: "pt" });
}

/** A folder that `PeftModel.from_pretrained(base, folder)` opens. */
export function adapterToPeft(adapter: LoraAdapter, info: AdapterInfo, extras: CardExtras = {}): PeftFolder {
  return {
    [CONFIG_FILE]: peftConfigJson(adapter, info),
    [WEIGHTS_FILE]: peftSafetensors(adapter, {}),
    "README.md": adapterCard(adapter, info, extras),
  };
}
