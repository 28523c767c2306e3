/**
 * Reads a Hugging Face config.json of the Qwen2 (also called 2.5) and Qwen3
 * families into the few numbers the graphs need. It is not a general reader: a
 * setting that our graphs do not compute is refused in words, never ignored,
 * because the model would then write nonsense without any error. Field names
 * and defaults are those of transformers' Qwen2Config and Qwen3Config.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import type { Projection } from "../sft/config";

export interface ModelConfig {
  family: "qwen2" | "qwen3";
  vocabSize: number;
  hiddenSize: number;
  numLayers: number;
  numHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  intermediateSize: number;
  /** Base of the rotary frequencies. */
  ropeTheta: number;
  rmsNormEps: number;
  /** The output head is the embedding. */
  tieWordEmbeddings: boolean;
  /** Biases on q, k and v (Qwen2). */
  attentionBias: boolean;
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

const ropeSchema = z.looseObject({ rope_type: z.string().optional(), type: z.string().optional(), rope_theta: z.number().optional() });

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
  rope_theta: z.number().positive().max(1e12).nullish(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  attention_bias: z.boolean().nullish(),
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
  throw new DuctusError("model/unsupported", `This model cannot be used here: ${fault}.`, "Choose a Qwen2, Qwen2.5 or Qwen3 model in its plain form.");
}

/** @throws DuctusError `model/config` (not readable) or `model/unsupported` (readable, but not computed here). */
export function parseModelConfig(json: unknown): ModelConfig {
  const type = z.looseObject({ model_type: z.string() }).safeParse(json);
  if (!type.success) throw unreadable("config.json", type.error);
  const family = type.data.model_type;
  if (family !== "qwen2" && family !== "qwen3") refuse(`it is of the kind “${family.slice(0, 40)}”, and Ductus computes qwen2 and qwen3`);
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw unreadable("config.json", parsed.error);
  const raw = parsed.data;

  if (raw.hidden_act !== "silu") refuse(`its activation is “${raw.hidden_act.slice(0, 40)}”, not silu`);
  if (raw.quantization_config !== undefined && raw.quantization_config !== null) refuse("its weights are quantized");
  if (raw.use_mrope === true) refuse("it uses multimodal rotary positions");
  if (raw.attention_bias !== undefined && raw.attention_bias !== null && raw.attention_bias !== (family === "qwen2")) {
    refuse(family === "qwen3" ? "its attention has biases, which Qwen3 models do not" : "its attention has no biases, which Qwen2 models do");
  }
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
  if (family === "qwen2" && !raw.head_dim && raw.hidden_size % numHeads !== 0) refuse(`a hidden size of ${raw.hidden_size} cannot be split into ${numHeads} heads`);
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
    ropeTheta: ropeTheta(raw),
    rmsNormEps: raw.rms_norm_eps,
    tieWordEmbeddings: raw.tie_word_embeddings,
    attentionBias: family === "qwen2",
    qkNorm: family === "qwen3",
    maxPositions: raw.max_position_embeddings,
    eosTokenIds,
    padTokenId,
  };
  if (countParameters(config) > MAX_PARAMETERS) refuse("it is far too large for a browser");
  return config;
}

function ropeTheta(raw: z.infer<typeof configSchema>): number {
  // transformers 5 writes rope_parameters; before, rope_theta stood alone and rope_scaling held the rest.
  for (const rope of [raw.rope_parameters, raw.rope_scaling]) {
    const kind = rope?.rope_type ?? rope?.type ?? "default";
    if (kind !== "default") refuse(`its rotary positions are scaled (“${kind.slice(0, 40)}”)`);
  }
  const inner = raw.rope_parameters?.rope_theta ?? raw.rope_scaling?.rope_theta;
  if (inner !== undefined && raw.rope_theta != null && inner !== raw.rope_theta) refuse("it names two different rotary bases");
  const theta = inner ?? raw.rope_theta ?? 10_000;
  if (!(theta > 0 && theta <= 1e12)) refuse(`its rotary base is ${theta}`);
  return theta;
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
  const attention = 2 * hidden * queries + 2 * hidden * keys + (config.attentionBias ? queries + 2 * keys : 0) + (config.qkNorm ? 2 * headDim : 0);
  const block = attention + 3 * hidden * intermediate + 2 * hidden;
  return config.numLayers * block + hidden + config.vocabSize * hidden * (config.tieWordEmbeddings ? 1 : 2);
}

function toList(ids: number | number[] | null | undefined): number[] {
  return ids == null ? [] : Array.isArray(ids) ? [...new Set(ids)] : [ids];
}

function unreadable(file: string, error: z.ZodError): DuctusError {
  return new DuctusError("model/config", `The model's ${file} cannot be read.`, "Choose another model, or fetch this one again.", { details: z.prettifyError(error) });
}
