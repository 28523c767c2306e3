import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { PROJECTIONS } from "../sft/config";
import { fault as refusal } from "../testing/fault";
import { countParameters, parseGenerationConfig, parseModelConfig, projectionShape } from "./config";

const qwen3 = {
  model_type: "qwen3", vocab_size: 100, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16,
  intermediate_size: 64, hidden_act: "silu", max_position_embeddings: 256, rms_norm_eps: 1e-5, rope_theta: 1e6, tie_word_embeddings: true,
};
/** The settings of Qwen2.5-0.5B as the hub has them. */
const qwen2 = {
  architectures: ["Qwen2ForCausalLM"], attention_dropout: 0, bos_token_id: 151643, eos_token_id: 151645, hidden_act: "silu", hidden_size: 896, initializer_range: 0.02,
  intermediate_size: 4864, max_position_embeddings: 32768, max_window_layers: 21, model_type: "qwen2", num_attention_heads: 14, num_hidden_layers: 24,
  num_key_value_heads: 2, rms_norm_eps: 1e-6, rope_theta: 1000000, sliding_window: 32768, tie_word_embeddings: true, torch_dtype: "bfloat16",
  transformers_version: "4.43.1", use_cache: true, use_mrope: false, use_sliding_window: false, vocab_size: 151936,
};
/** The settings of Llama-3.2-1B as the hub has them. */
const llama = {
  architectures: ["LlamaForCausalLM"], attention_bias: false, attention_dropout: 0, bos_token_id: 128000, eos_token_id: 128001, head_dim: 64, hidden_act: "silu",
  hidden_size: 2048, initializer_range: 0.02, intermediate_size: 8192, max_position_embeddings: 131072, mlp_bias: false, model_type: "llama", num_attention_heads: 32,
  num_hidden_layers: 16, num_key_value_heads: 8, pretraining_tp: 1, rms_norm_eps: 1e-5,
  rope_scaling: { factor: 32, high_freq_factor: 4, low_freq_factor: 1, original_max_position_embeddings: 8192, rope_type: "llama3" },
  rope_theta: 500000, tie_word_embeddings: true, torch_dtype: "bfloat16", transformers_version: "4.45.0.dev0", use_cache: true, vocab_size: 128256,
};

const fault = (json: unknown) => refusal(() => parseModelConfig(json));

describe("parseModelConfig", () => {
  it("reads the embedded model's own config.json", () => {
    const json: unknown = JSON.parse(readFileSync(new URL("../../../public/models/ductus-base/config.json", import.meta.url), "utf8"));
    const config = parseModelConfig(json);
    expect(config).toEqual({
      family: "qwen3", vocabSize: 8192, hiddenSize: 320, numLayers: 8, numHeads: 5, numKeyValueHeads: 1, headDim: 64, intermediateSize: 896, ropeTheta: 10_000, ropeScaling: null,
      rmsNormEps: 1e-6, tieWordEmbeddings: true, attentionBias: false, outputBias: false, qkNorm: true, maxPositions: 2048, eosTokenIds: [0], padTokenId: 0,
    });
    expect(countParameters(config)).toBe(11_475_264);
  });

  it("reads Qwen2.5 as the hub has it, a sliding window being named but not used", () => {
    const config = parseModelConfig(qwen2);
    expect(config).toMatchObject({ family: "qwen2", headDim: 64, attentionBias: true, qkNorm: false, ropeTheta: 1e6, eosTokenIds: [151645], padTokenId: null });
    expect(countParameters(config)).toBe(494_032_768); // as published
  });

  it("reads a Qwen2 distillation, which is untied", () => {
    // DeepSeek-R1-Distill-Qwen-1.5B, what differs
    const config = parseModelConfig({ ...qwen2, hidden_size: 1536, intermediate_size: 8960, num_hidden_layers: 28, num_attention_heads: 12, rope_theta: 10000, tie_word_embeddings: false, use_mrope: false, sliding_window: 4096 });
    expect(config).toMatchObject({ family: "qwen2", headDim: 128, tieWordEmbeddings: false, attentionBias: true, outputBias: false });
    expect(countParameters(config)).toBe(1_777_088_000); // as published
  });

  it("reads Llama 3.2 as the hub has it, and with transformers 5's names", () => {
    const config = parseModelConfig(llama);
    expect(config).toEqual({
      family: "llama", vocabSize: 128256, hiddenSize: 2048, numLayers: 16, numHeads: 32, numKeyValueHeads: 8, headDim: 64, intermediateSize: 8192, ropeTheta: 500_000,
      ropeScaling: { kind: "llama3", factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
      rmsNormEps: 1e-5, tieWordEmbeddings: true, attentionBias: false, outputBias: false, qkNorm: false, maxPositions: 131072, eosTokenIds: [128001], padTokenId: null,
    });
    expect(countParameters(config)).toBe(1_235_814_400); // as published
    const { rope_scaling, rope_theta, head_dim: _h, ...rest } = llama;
    expect(parseModelConfig({ ...rest, rope_parameters: { ...rope_scaling, rope_theta } })).toEqual(config);
    // transformers takes these where the scaling does not say
    const { original_max_position_embeddings: _o, ...without } = rope_scaling;
    expect(parseModelConfig({ ...llama, rope_scaling: without }).ropeScaling?.originalMaxPositions).toBe(131072);
    expect(parseModelConfig({ ...llama, original_max_position_embeddings: 4096 }).ropeScaling?.originalMaxPositions).toBe(4096);
  });

  it("reads biases on q, k, v and o where Llama or Qwen3 ask for them", () => {
    const config = parseModelConfig({ ...llama, attention_bias: true });
    expect(config).toMatchObject({ attentionBias: true, outputBias: true });
    expect(countParameters(config) - countParameters(parseModelConfig(llama))).toBe(16 * (2048 + 512 + 512 + 2048));
    expect(parseModelConfig({ ...qwen3, attention_bias: true })).toMatchObject({ attentionBias: true, outputBias: true });
    expect(parseModelConfig({ ...qwen2, attention_bias: true })).toMatchObject({ attentionBias: true, outputBias: false });
  });

  it("reads the rotary base in either style, and the defaults of transformers", () => {
    const { rope_theta: _, ...without } = qwen3;
    expect(parseModelConfig({ ...without, rope_parameters: { rope_type: "default", rope_theta: 5e5 } }).ropeTheta).toBe(5e5);
    expect(parseModelConfig({ ...qwen3, rope_scaling: null, rope_parameters: { rope_theta: 1e6 } }).ropeTheta).toBe(1e6);
    expect(parseModelConfig(without).ropeTheta).toBe(10_000);
    const { head_dim: _d, num_key_value_heads: _k, ...bare } = qwen3;
    expect(parseModelConfig(bare)).toMatchObject({ headDim: 128, numKeyValueHeads: 4, eosTokenIds: [] });
    expect(parseModelConfig({ ...qwen3, eos_token_id: [3, 5, 3], pad_token_id: 0 })).toMatchObject({ eosTokenIds: [3, 5], padTokenId: 0 });
    expect(parseModelConfig({ ...qwen2, head_dim: 32 }).headDim).toBe(32);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ model_type: "mistral" }, /“mistral”/],
    [{ model_type: "qwen2_moe" }, /qwen2_moe/],
    [{ hidden_act: "gelu" }, /gelu/],
    [{ use_sliding_window: true, sliding_window: 4096 }, /sliding window/],
    [{ use_sliding_window: true }, /sliding window/],
    [{ layer_types: ["full_attention", "sliding_attention"] }, /sliding_attention/],
    [{ layer_types: ["full_attention"] }, /layer_types/],
    [{ rope_scaling: { type: "yarn", factor: 4 } }, /yarn/],
    [{ rope_parameters: { rope_type: "linear", rope_theta: 1e6 } }, /linear/],
    [{ rope_parameters: { rope_type: "default", rope_theta: 1e4 } }, /two different/],
    [{ rope_parameters: { rope_type: "llama3", factor: 8 } }, /lacks one of/],
    [{ rope_parameters: { rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 4 } }, /not above/],
    [{ rope_parameters: { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 }, rope_scaling: { rope_type: "llama3", factor: 9, low_freq_factor: 1, high_freq_factor: 4 } }, /two different scalings/],
    [{ rope_parameters: { partial_rotary_factor: 0.5 } }, /a part of each head/],
    [{ partial_rotary_factor: 0.5 }, /a part of each head/],
    [{ mlp_bias: true }, /biases/],
    [{ pretraining_tp: 2 }, /pretraining_tp/],
    [{ quantization_config: { bits: 4 } }, /quantized/],
    [{ num_key_value_heads: 3 }, /evenly/],
    [{ head_dim: 15 }, /even head size/],
    [{ use_mrope: true }, /multimodal/],
    [{ eos_token_id: 100 }, /outside its vocabulary/],
    [{ pad_token_id: 1000 }, /outside its vocabulary/],
    [{ hidden_size: 32_768, num_hidden_layers: 256, intermediate_size: 262_144 }, /too large/],
  ])("refuses %j in words", (changes, message) => {
    const error = fault({ ...qwen3, ...changes });
    expect(error.code).toBe("model/unsupported");
    expect(error.message).toMatch(message);
  });

  it("refuses a Qwen2 whose width is not shared evenly, or that has no biases", () => {
    expect(fault({ ...qwen2, num_attention_heads: 12 }).message).toMatch(/cannot be split/);
    expect(fault({ ...llama, head_dim: null, num_attention_heads: 24 }).message).toMatch(/cannot be split/);
    expect(fault({ ...qwen2, attention_bias: false }).message).toMatch(/no biases/);
  });

  it.each<Record<string, unknown>>([{ vocab_size: undefined }, { hidden_size: -1 }, { hidden_size: 3.5 }, { hidden_size: "32" }, { num_hidden_layers: 0 }, { num_hidden_layers: 1e9 }, { rms_norm_eps: 0 }, { rope_theta: -1 }, { rope_scaling: { factor: -1 } }, { rope_scaling: "llama3" }, { mlp_bias: 1 }, { max_position_embeddings: 1e300 }, { tie_word_embeddings: "yes" }, { eos_token_id: -1 }])(
    "refuses %j as not readable",
    (changes) => {
      const error = fault({ ...qwen3, ...changes });
      expect(error.code).toBe("model/config");
      expect(error.details).toContain(Object.keys(changes)[0]);
    },
  );

  it.each([null, undefined, 3, "qwen3", [], {}])("refuses %j", (json) => {
    expect(fault(json).code).toBe("model/config");
  });
});

describe("parseGenerationConfig", () => {
  it("reads what there is", () => {
    expect(parseGenerationConfig({ eos_token_id: [2, 0], pad_token_id: 0, do_sample: true, temperature: 0.8, top_p: 0.95 })).toEqual({ eosTokenIds: [2, 0], padTokenId: 0, temperature: 0.8, topP: 0.95 });
    expect(parseGenerationConfig({})).toEqual({ eosTokenIds: [], padTokenId: null, temperature: null, topP: null });
    expect(() => parseGenerationConfig({ top_p: 2 })).toThrow(DuctusError);
  });
});

describe("projectionShape", () => {
  it("gives every projection's weight as the embedded file has it", () => {
    const config = parseModelConfig(qwen3);
    expect(PROJECTIONS.map((projection) => Object.values(projectionShape(config, projection)))).toEqual([
      ["self_attn", 64, 32], ["self_attn", 32, 32], ["self_attn", 32, 32], ["self_attn", 32, 64], ["mlp", 64, 32], ["mlp", 64, 32], ["mlp", 32, 64],
    ]);
  });
});
