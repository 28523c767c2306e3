/**
 * Reads a Hugging Face config.json of the families Qwen2 (also called 2.5, and
 * what was distilled into its form), Qwen3 and Llama into the few numbers the
 * graphs need. It is not a general reader: a setting that our graphs do not
 * compute is refused in words, never ignored, because the model would then
 * write nonsense without any error. Field names and defaults are those of
 * transformers' Qwen2Config, Qwen3Config and LlamaConfig.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import type { Projection } from "../sft/config";
import type { Llama3Scaling } from "./rope";

const FAMILIES = ["qwen2", "qwen3", "llama"] as const;

export interface ModelConfig {
  family: (typeof FAMILIES)[number];
  vocabSize: number;
  hiddenSize: number;
  numLayers: number;
  numHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  intermediateSize: number;
  /** Base of the rotary frequencies. */
  ropeTheta: number;
  /** Null where the frequencies are used as they are. */
  ropeScaling: Llama3Scaling | null;
  rmsNormEps: number;
  /** The output head is the embedding. */
  tieWordEmbeddings: boolean;
  /** Biases on q, k and v (every Qwen2; the others where their config says so). */
  attentionBias: boolean;
  /** A bias on o as well (never Qwen2; the others with their attentionBias). */
  outputBias: boolean;
  /** RMSNorm on each head of q and k (Qwen3). */
  qkNorm: boolean;
  maxPositions: number;
  /** May be empty; generation_config.json often names more. */
  eosTokenIds: number[];
  padTokenId: number | null;
}

export interface GenerationConfig {
  eosTokenIds: number[];
  padTokenId: number | null;
  /** Null where the file does not say. */
  temperature: number | null;
  topP: number | null;
}

const count = (max: number) => z.int().positive().max(max);
const tokenId = z.int().nonnegative();
const eosSchema = z.union([tokenId, z.array(tokenId).max(64)]).nullish();

const ropeNumber = z.number().positive().max(1e12).nullish();
const ropeSchema = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: z.number().nullish(),
  factor: ropeNumber,
  low_freq_factor: ropeNumber,
  high_freq_factor: ropeNumber,
  original_max_position_embeddings: ropeNumber,
  partial_rotary_factor: ropeNumber,
});

const configSchema = z.looseObject({
  vocab_size: count(1_000_000),
  hidden_size: count(32_768),
  num_hidden_layers: count(256),
  num_attention_heads: count(512),
  num_key_value_heads: count(512).nullish(),
  head_dim: count(1024).nullish(),
  intermediate_size: count(262_144),
  hidden_act: z.string().default("silu"),
  max_position_embeddings: count(100_000_000),
  rms_norm_eps: z.number().positive().max(0.1).default(1e-6),
  rope_theta: ropeNumber,
  original_max_position_embeddings: ropeNumber,
  partial_rotary_factor: ropeNumber,
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  pretraining_tp: z.int().nullish(),
  tie_word_embeddings: z.boolean().default(false),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: z.number().nullish(),
  layer_types: z.array(z.string()).max(256).nullish(),
  use_mrope: z.boolean().nullish(),
  quantization_config: z.unknown().optional(),
  eos_token_id: eosSchema,
  pad_token_id: tokenId.nullish(),
});

/** More than this does not fit a browser in any form. */
const MAX_PARAMETERS = 20e9;

function refuse(fault: string): never {
  throw new DuctusError("model/unsupported", `This model cannot be used here: ${fault}.`, "Choose a Qwen2, Qwen2.5, Qwen3 or Llama 3 model in its plain form.");
}

/** @throws DuctusError `model/config` (not readable) or `model/unsupported` (readable, but not computed here). */
export function parseModelConfig(json: unknown): ModelConfig {
  const type = z.looseObject({ model_type: z.string() }).safeParse(json);
  if (!type.success) throw unreadable("config.json", type.error);
  const family = FAMILIES.find((known) => known === type.data.model_type);
  if (!family) refuse(`it is of the kind “${type.data.model_type.slice(0, 40)}”, and Ductus computes qwen2, qwen3 and llama`);
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw unreadable("config.json", parsed.error);
  const raw = parsed.data;

  if (raw.hidden_act !== "silu") refuse(`its activation is “${raw.hidden_act.slice(0, 40)}”, not silu`);
  if (raw.quantization_config !== undefined && raw.quantization_config !== null) refuse("its weights are quantized");
  if (raw.use_mrope === true) refuse("it uses multimodal rotary positions");
  if (family === "qwen2" && raw.attention_bias === false) refuse("its attention has no biases, which Qwen2 models do");
  if (raw.mlp_bias === true) refuse("its feed-forward layers have biases");
  // The same sums in another order, in checkpoints older than those that our reference values cover.
  if ((raw.pretraining_tp ?? 1) !== 1) refuse("its products are split in slices (pretraining_tp)");
  // transformers ignores sliding_window unless use_sliding_window is true.
  if (raw.use_sliding_window === true && raw.sliding_window !== null) refuse("its attention uses a sliding window");
  if (raw.layer_types) {
    const other = raw.layer_types.find((layer) => layer !== "full_attention");
    if (other !== undefined) refuse(`it has layers of the kind “${other.slice(0, 40)}”`);
    if (raw.layer_types.length !== raw.num_hidden_layers) refuse("its layer_types do not match its number of layers");
  }

  const numHeads = raw.num_attention_heads;
  const numKeyValueHeads = raw.num_key_value_heads ?? numHeads;
  if (numHeads % numKeyValueHeads !== 0) refuse(`${numHeads} attention heads cannot share ${numKeyValueHeads} key/value heads evenly`);
  if (family !== "qwen3" && !raw.head_dim && raw.hidden_size % numHeads !== 0) refuse(`a hidden size of ${raw.hidden_size} cannot be split into ${numHeads} heads`);
  const headDim = raw.head_dim ?? (family === "qwen3" ? 128 : raw.hidden_size / numHeads);
  if (headDim % 2 !== 0) refuse(`rotary positions need an even head size, and it is ${headDim}`);

  const eosTokenIds = toList(raw.eos_token_id);
  const padTokenId = raw.pad_token_id ?? null;
  for (const id of [...eosTokenIds, ...(padTokenId === null ? [] : [padTokenId])]) {
    if (id >= raw.vocab_size) refuse(`its special token ${id} lies outside its vocabulary of ${raw.vocab_size}`);
  }

  const config: ModelConfig = {
    family,
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    numLayers: raw.num_hidden_layers,
    numHeads,
    numKeyValueHeads,
    headDim,
    intermediateSize: raw.intermediate_size,
    ...rotary(raw),
    rmsNormEps: raw.rms_norm_eps,
    tieWordEmbeddings: raw.tie_word_embeddings,
    attentionBias: family === "qwen2" || raw.attention_bias === true,
    outputBias: family !== "qwen2" && raw.attention_bias === true,
    qkNorm: family === "qwen3",
    maxPositions: raw.max_position_embeddings,
    eosTokenIds,
    padTokenId,
  };
  if (countParameters(config) > MAX_PARAMETERS) refuse("it is far too large for a browser");
  return config;
}

/** transformers 5 writes rope_parameters; before, rope_theta stood alone and rope_scaling held the rest. */
function rotary(raw: z.infer<typeof configSchema>): Pick<ModelConfig, "ropeTheta" | "ropeScaling"> {
  const given = [raw.rope_parameters, raw.rope_scaling].filter((rope) => rope != null);
  const theta = given.find((rope) => rope.rope_theta != null)?.rope_theta ?? null;
  if (theta !== null && raw.rope_theta != null && theta !== raw.rope_theta) refuse("it names two different rotary bases");
  const ropeTheta = theta ?? raw.rope_theta ?? 10_000;
  if (!(ropeTheta > 0 && ropeTheta <= 1e12)) refuse(`its rotary base is ${ropeTheta}`);
  if ([raw, ...given].some((part) => (part.partial_rotary_factor ?? 1) !== 1)) refuse("only a part of each head is turned by its rotary positions");

  let ropeScaling: Llama3Scaling | null = null;
  for (const rope of given) {
    const kind = rope.rope_type ?? rope.type ?? "default";
    if (kind === "default") continue;
    if (kind !== "llama3") refuse(`its rotary positions are scaled in a way not computed here (“${kind.slice(0, 40)}”)`);
    const scaling = llama3Scaling(rope, raw);
    if (ropeScaling && JSON.stringify(ropeScaling) !== JSON.stringify(scaling)) refuse("it names two different scalings of its rotary positions");
    ropeScaling = scaling;
  }
  return { ropeTheta, ropeScaling };
}

function llama3Scaling(rope: z.infer<typeof ropeSchema>, raw: z.infer<typeof configSchema>): Llama3Scaling {
  const { factor, low_freq_factor: lowFreqFactor, high_freq_factor: highFreqFactor } = rope;
  if (factor == null || lowFreqFactor == null || highFreqFactor == null) refuse("its rotary scaling lacks one of factor, low_freq_factor and high_freq_factor");
  if (highFreqFactor <= lowFreqFactor) refuse(`its rotary scaling has a high_freq_factor (${highFreqFactor}) that is not above its low_freq_factor (${lowFreqFactor})`);
  // In this order transformers looks for it.
  const originalMaxPositions = raw.original_max_position_embeddings ?? rope.original_max_position_embeddings ?? raw.max_position_embeddings;
  return { kind: "llama3", factor, lowFreqFactor, highFreqFactor, originalMaxPositions };
}

/** @throws DuctusError `model/config`. */
export function parseGenerationConfig(json: unknown): GenerationConfig {
  const parsed = z
    .looseObject({ eos_token_id: eosSchema, pad_token_id: tokenId.nullish(), temperature: z.number().nonnegative().max(100).nullish(), top_p: z.number().min(0).max(1).nullish() })
    .safeParse(json);
  if (!parsed.success) throw unreadable("generation_config.json", parsed.error);
  const raw = parsed.data;
  return { eosTokenIds: toList(raw.eos_token_id), padTokenId: raw.pad_token_id ?? null, temperature: raw.temperature ?? null, topP: raw.top_p ?? null };
}

/** The two sides of a projection's weight [out, in], and the module it stands in. */
export function projectionShape(config: ModelConfig, projection: Projection): { module: "self_attn" | "mlp"; out: number; in: number } {
  const { hiddenSize: hidden, intermediateSize: intermediate } = config;
  const queries = config.numHeads * config.headDim;
  const keys = config.numKeyValueHeads * config.headDim;
  switch (projection) {
    case "q_proj":
      return { module: "self_attn", out: queries, in: hidden };
    case "k_proj":
    case "v_proj":
      return { module: "self_attn", out: keys, in: hidden };
    case "o_proj":
      return { module: "self_attn", out: hidden, in: queries };
    case "gate_proj":
    case "up_proj":
      return { module: "mlp", out: intermediate, in: hidden };
    case "down_proj":
      return { module: "mlp", out: hidden, in: intermediate };
    default:
      return projection satisfies never;
  }
}

/** Trainable numbers in the model; a tied head counts once. */
export function countParameters(config: ModelConfig): number {
  const { hiddenSize: hidden, intermediateSize: intermediate, headDim } = config;
  const queries = config.numHeads * headDim;
  const keys = config.numKeyValueHeads * headDim;
  const attention = 2 * hidden * queries + 2 * hidden * keys + (config.attentionBias ? queries + 2 * keys : 0) + (config.outputBias ? hidden : 0) + (config.qkNorm ? 2 * headDim : 0);
  const block = attention + 3 * hidden * intermediate + 2 * hidden;
  return config.numLayers * block + hidden + config.vocabSize * hidden * (config.tieWordEmbeddings ? 1 : 2);
}

function toList(ids: number | number[] | null | undefined): number[] {
  return ids == null ? [] : Array.isArray(ids) ? [...new Set(ids)] : [ids];
}

function unreadable(file: string, error: z.ZodError): DuctusError {
  return new DuctusError("model/config", `The model's ${file} cannot be read.`, "Choose another model, or fetch this one again.", { details: z.prettifyError(error) });
}
