/**
 * The finished model as a folder in Hugging Face's layout: configuration as
 * transformers 5 writes it, weights in f16, tokenizer with the chat template of
 * ChatML, settings of generation. It writes what the last checkpoint holds and
 * judges nothing.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import { allFiniteHalves, float32ToFloat16 } from "../../lib/train/adapter/float16";
import { encodeHeader } from "../../lib/train/adapter/safetensors";
import { weightShapes } from "../../lib/train/model/weights";
import { modelConfigOf, type Weights } from "./model";
import type { Recipe } from "./recipe";
import { writeWhole } from "./stages";

const END_OF_TEXT = 0, END_OF_TURN = 2;

const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

export function configJson({ model }: Pick<Recipe, "model">): Record<string, unknown> {
  return {
    architectures: ["Qwen3ForCausalLM"],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: null,
    dtype: "float16",
    eos_token_id: END_OF_TEXT,
    head_dim: model.headDim,
    hidden_act: "silu",
    hidden_size: model.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: model.intermediateSize,
    layer_types: Array.from({ length: model.layers }, () => "full_attention"),
    max_position_embeddings: model.maxPositions,
    max_window_layers: model.layers,
    model_type: "qwen3",
    num_attention_heads: model.heads,
    num_hidden_layers: model.layers,
    num_key_value_heads: model.kvHeads,
    pad_token_id: END_OF_TEXT,
    rms_norm_eps: model.rmsNormEps,
    rope_parameters: { rope_theta: model.ropeTheta, rope_type: "default" },
    sliding_window: null,
    tie_word_embeddings: true,
    use_cache: true,
    use_sliding_window: false,
    vocab_size: model.vocabSize,
  };
}

export const GENERATION_CONFIG = { eos_token_id: [END_OF_TURN, END_OF_TEXT], pad_token_id: END_OF_TEXT, do_sample: true, temperature: 0.8, top_p: 0.95 } as const;

export function tokenizerConfig({ model, tokenizer }: Pick<Recipe, "model" | "tokenizer">): Record<string, unknown> {
  const [endOfText, ...ofTurns] = tokenizer.special;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: tokenizer.special[END_OF_TURN],
    pad_token: endOfText,
    bos_token: null,
    additional_special_tokens: ofTurns,
    model_max_length: model.maxPositions,
    clean_up_tokenization_spaces: false,
    chat_template: CHAT_TEMPLATE,
  };
}

/**
 * Writes everything but the model card.
 * @throws DuctusError `model/range` where a weight is not finite in f16
 */
export function writeModelFolder(recipe: Recipe, work: string, weights: Weights, out: string): void {
  mkdirSync(out, { recursive: true });
  const json = (name: string, value: unknown): void => writeWhole(join(out, name), `${JSON.stringify(value, null, 2)}\n`);
  json("config.json", configJson(recipe));
  json("generation_config.json", GENERATION_CONFIG);
  json("tokenizer_config.json", tokenizerConfig(recipe));
  copyFileSync(join(work, "tokenizer.json"), join(out, "tokenizer.json"));
  writeWhole(join(out, "model.safetensors"), halfPrecision(recipe, weights));
}

function halfPrecision(recipe: Recipe, weights: Weights): Uint8Array {
  const shapes = [...weightShapes(modelConfigOf(recipe))].sort(([a], [b]) => (a < b ? -1 : 1));
  const header = encodeHeader(shapes.map(([name, shape]) => ({ name, shape, dtype: "F16" })), { format: "pt" });
  const pieces = [header];
  for (const [name] of shapes) {
    const bits = float32ToFloat16(weights.get(name) as Float32Array);
    if (!allFiniteHalves(bits)) throw new DuctusError("model/range", `“${name}” holds a number that 16 bits cannot hold.`, "Train with a lower rate.");
    pieces.push(new Uint8Array(bits.buffer));
  }
  return Buffer.concat(pieces);
}
