/**
 * A whole small world for runs of fine-tuning in tests: the embedded tokenizer,
 * a tiny random model in the real layout over its vocabulary, and documents of
 * sentences put together from a few words. Node only; never part of the product.
 */
import { readFileSync } from "node:fs";
import { Random } from "../../core/random";
import type { SplitDocument } from "../../data/split";
import { parseModelConfig } from "../model/config";
import type { ReadyModel } from "../model/embedded";
import { createTokenizer } from "../model/tokenizer";
import { weightShapes } from "../model/weights";

const folder = new URL("../../../public/models/ductus-base/", import.meta.url);
const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

/** One layer of width 16; norm gains of either sign, everything random. */
export function tinyModel(seed: number | string = 1): ReadyModel {
  const tokenizer = createTokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
  const config = parseModelConfig({
    model_type: "qwen3", vocab_size: 8192, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8,
    intermediate_size: 24, max_position_embeddings: 512, rms_norm_eps: 1e-6, rope_theta: 10_000, tie_word_embeddings: true, eos_token_id: tokenizer.eosTokenId,
  });
  const random = new Random(`tiny-model-${seed}`);
  const weights = new Map([...weightShapes(config)].map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const value = () => name.includes("norm") ? (random.uniform() < 0.3 ? -1 : 1) * (0.6 + random.uniform()) : (2 * random.uniform() - 1) * (name.includes("embed") ? 0.5 : 1.7 / Math.sqrt(shape[1]!));
    return [name, Float32Array.from({ length: size }, value)];
  }));
  const sha256 = "0".repeat(64);
  const entry = { id: "tiny", name: "Tiny", architecture: "qwen3", parameters: 1, licence: "none", files: [], sha256 };
  return { entry, config, weights, tokenizer, stopTokenIds: [tokenizer.eosTokenId] };
}

const WORDS = {
  garden: "beans rain spade frost compost hedge onions dug rows early wet kettle shed mended fence cold soil barrow leeks string".split(" "),
  harbour: "rope tide gulls engine lamp captain nets salt quay fog whistle ferry deck anchor storm crates lighthouse cabin ledger pilot".split(" "),
};

/** Documents of about `words` words each, in short sentences. */
export function handDocuments(count = 12, words = 110, kind: keyof typeof WORDS = "garden", seed: number | string = 1): SplitDocument[] {
  const random = new Random(`documents-${seed}`);
  const sentence = () => {
    const text = Array.from({ length: 5 + random.int(6) }, () => random.pick(WORDS[kind])).join(" ");
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  };
  return Array.from({ length: count }, (_, i) => ({
    id: `${kind}-${i}`,
    text: Array.from({ length: Math.ceil(words / 7 / 4) }, () => Array.from({ length: 4 }, sentence).join(" ")).join("\n\n"),
  }));
}
