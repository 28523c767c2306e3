/**
 * Models of the hub that are known to be taught well here, to choose from
 * without asking it anything: what their config.json says of their shape, the
 * size of what is to be fetched, their licence. Any other is found by its name.
 * Figures are those of the repositories; `countParameters` gives the counts that
 * their makers publish.
 */
import { parseModelConfig, type ModelConfig } from "./config";

export interface CatalogueModel {
  /** `owner/name` */
  repo: string;
  /** In a sentence: what it is good for. */
  about: string;
  config: ModelConfig;
  /** Of the files that are needed, about. */
  downloadBytes: number;
  licence: string;
}

const QWEN25 = { model_type: "qwen2", vocab_size: 151_936, num_key_value_heads: 2, max_position_embeddings: 32_768, rms_norm_eps: 1e-6, rope_theta: 1_000_000, tie_word_embeddings: true };
const QWEN3 = { model_type: "qwen3", vocab_size: 151_936, num_key_value_heads: 8, num_attention_heads: 16, head_dim: 128, num_hidden_layers: 28, max_position_embeddings: 40_960, rms_norm_eps: 1e-6, rope_theta: 1_000_000, tie_word_embeddings: true };

export const CATALOGUE: readonly CatalogueModel[] = [
  {
    repo: "Qwen/Qwen2.5-0.5B-Instruct", about: "The smallest that talks well, and the quickest to teach of these.", downloadBytes: 995e6, licence: "apache-2.0",
    config: parseModelConfig({ ...QWEN25, hidden_size: 896, num_hidden_layers: 24, num_attention_heads: 14, intermediate_size: 4864 }),
  },
  {
    repo: "Qwen/Qwen3-0.6B", about: "Newer, and a little larger.", downloadBytes: 1515e6, licence: "apache-2.0",
    config: parseModelConfig({ ...QWEN3, hidden_size: 1024, intermediate_size: 3072 }),
  },
  {
    repo: "Qwen/Qwen2.5-1.5B-Instruct", about: "Knows more and writes better; three times the work.", downloadBytes: 3095e6, licence: "apache-2.0",
    config: parseModelConfig({ ...QWEN25, hidden_size: 1536, num_hidden_layers: 28, num_attention_heads: 12, intermediate_size: 8960 }),
  },
  {
    repo: "Qwen/Qwen3-1.7B", about: "The largest of these; for a device with much memory.", downloadBytes: 4075e6, licence: "apache-2.0",
    config: parseModelConfig({ ...QWEN3, hidden_size: 2048, intermediate_size: 6144 }),
  },
];
