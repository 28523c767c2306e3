/**
 * Writes a checkpoint as Hugging Face lays it out: a Qwen2 of given dimensions
 * in bf16, sharded with its index, random weights from a seed. The tokenizer is
 * the embedded model's; a larger vocabulary than it knows is left unused.
 */
import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Dimensions {
  layers: number;
  hidden: number;
  heads: number;
  keyValueHeads: number;
  intermediate: number;
  vocabulary: number;
}

/** Real in every part, and trained in seconds. */
export const TINY: Dimensions = { layers: 2, hidden: 64, heads: 4, keyValueHeads: 2, intermediate: 160, vocabulary: 8192 };
export const QWEN25_HALF_BILLION: Dimensions = { layers: 24, hidden: 896, heads: 14, keyValueHeads: 2, intermediate: 4864, vocabulary: 151_936 };

const TOKENIZER = fileURLToPath(new URL("../public/models/ductus-base/", import.meta.url));

/** Name → shape, and the size around which its values lie. */
function tensors({ layers, hidden, heads, keyValueHeads, intermediate, vocabulary }: Dimensions): [name: string, shape: number[], near: "zero" | "one"][] {
  const keys = (hidden / heads) * keyValueHeads;
  const all: [string, number[], "zero" | "one"][] = [["model.embed_tokens.weight", [vocabulary, hidden], "zero"]];
  for (let i = 0; i < layers; i++) {
    const at = `model.layers.${i}`;
    all.push(
      [`${at}.input_layernorm.weight`, [hidden], "one"],
      [`${at}.self_attn.q_proj.weight`, [hidden, hidden], "zero"], [`${at}.self_attn.q_proj.bias`, [hidden], "zero"],
      [`${at}.self_attn.k_proj.weight`, [keys, hidden], "zero"], [`${at}.self_attn.k_proj.bias`, [keys], "zero"],
      [`${at}.self_attn.v_proj.weight`, [keys, hidden], "zero"], [`${at}.self_attn.v_proj.bias`, [keys], "zero"],
      [`${at}.self_attn.o_proj.weight`, [hidden, hidden], "zero"],
      [`${at}.post_attention_layernorm.weight`, [hidden], "one"],
      [`${at}.mlp.gate_proj.weight`, [intermediate, hidden], "zero"],
      [`${at}.mlp.up_proj.weight`, [intermediate, hidden], "zero"],
      [`${at}.mlp.down_proj.weight`, [hidden, intermediate], "zero"],
    );
  }
  all.push(["model.norm.weight", [hidden], "one"]);
  return all;
}

/** Fills `values` with bfloat16: magnitudes from 2⁻⁷ to 2⁻⁵ of either sign, or from 1/2 to 2. */
function fill(values: Uint16Array, near: "zero" | "one", state: number): number {
  let s = state;
  for (let i = 0; i < values.length; i++) {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    const exponent = (near === "zero" ? 120 : 126) + ((s >>> 24) & 1);
    values[i] = (near === "zero" ? (s >>> 16) & 0x8000 : 0) | (exponent << 7) | ((s >>> 16) & 0x7f);
  }
  return s;
}

const PIECE = 1 << 21;

function writeShard(path: string, list: readonly [string, number[], "zero" | "one"][], seed: number): void {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const [name, shape] of list) {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [offset, (offset += bytes)] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  const file = openSync(path, "w");
  writeSync(file, length);
  writeSync(file, json);
  let state = seed;
  for (const [, shape, near] of list) {
    const count = shape.reduce((a, b) => a * b, 1);
    for (let at = 0; at < count; at += PIECE) {
      const values = new Uint16Array(Math.min(PIECE, count - at));
      state = fill(values, near, state);
      writeSync(file, new Uint8Array(values.buffer));
    }
  }
  closeSync(file);
}

/** @param shards how many files the weights are spread over */
export function writeModelFolder(folder: string, dimensions: Dimensions, shards = 2): void {
  mkdirSync(folder, { recursive: true });
  const { layers, hidden, heads, keyValueHeads, intermediate, vocabulary } = dimensions;
  writeFileSync(join(folder, "config.json"), JSON.stringify({
    architectures: ["Qwen2ForCausalLM"], model_type: "qwen2", hidden_act: "silu", hidden_size: hidden, intermediate_size: intermediate,
    max_position_embeddings: 32_768, num_attention_heads: heads, num_hidden_layers: layers, num_key_value_heads: keyValueHeads,
    rms_norm_eps: 1e-6, rope_theta: 1_000_000, tie_word_embeddings: true, torch_dtype: "bfloat16", use_sliding_window: false, vocab_size: vocabulary,
    bos_token_id: 0, eos_token_id: 0,
  }, null, 2));
  writeFileSync(join(folder, "README.md"), "---\nlicense: apache-2.0\nlanguage: en\n---\n# Random\n");
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) copyFileSync(join(TOKENIZER, name), join(folder, name));
  const all = tensors(dimensions);
  const each = Math.ceil(all.length / shards);
  const weight_map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const name = `model-${String(shard + 1).padStart(5, "0")}-of-${String(shards).padStart(5, "0")}.safetensors`;
    const list = all.slice(shard * each, (shard + 1) * each);
    for (const [tensor] of list) weight_map[tensor] = name;
    writeShard(join(folder, name), list, shard + 1);
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map }));
}
