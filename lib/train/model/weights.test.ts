import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { writeSafetensors, type TensorToWrite } from "../adapter/safetensors";
import { countParameters, parseModelConfig, type ModelConfig } from "./config";
import { memoryModel } from "./files";
import { loadHeldWeights, loadWeights, weightShapes } from "./weights";
import { fault } from "../testing/fault";

const json = {
  model_type: "qwen2", vocab_size: 20, hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1,
  intermediate_size: 12, max_position_embeddings: 64, tie_word_embeddings: false,
};
const config = parseModelConfig(json);
const tied = parseModelConfig({ ...json, tie_word_embeddings: true });

function tensorsFor(model: ModelConfig): TensorToWrite[] {
  const random = new Random(1);
  return [...weightShapes(model)].map(([name, shape]) => ({ name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()) }));
}

describe("weightShapes", () => {
  it("holds as many numbers as the model has parameters", () => {
    for (const model of [config, tied, parseModelConfig({ ...json, model_type: "qwen3", head_dim: 6 })]) {
      expect([...weightShapes(model).values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(countParameters(model));
    }
  });

  it("has biases in Qwen2, norms of q and k in Qwen3, and a head only where it is untied", () => {
    const names = [...weightShapes(config).keys()];
    expect(names.filter((name) => name.endsWith(".bias"))).toHaveLength(6);
    expect(names).toContain("lm_head.weight");
    expect(weightShapes(tied).has("lm_head.weight")).toBe(false);
    expect(weightShapes(parseModelConfig({ ...json, model_type: "qwen3" })).get("model.layers.1.self_attn.q_norm.weight")).toEqual([128]);
  });
});

describe("loadWeights", () => {
  it("reads every tensor", () => {
    const tensors = tensorsFor(config);
    expect(loadWeights(config, writeSafetensors(tensors))).toEqual(new Map(tensors.map(({ name, shape, data }) => [name, { shape, data }])));
  });

  it("passes over what is harmless, and refuses the rest", () => {
    const extra = (name: string) => ({ name, shape: [1], data: Float32Array.of(1) });
    expect(loadWeights(tied, writeSafetensors([...tensorsFor(tied), extra("model.rotary_emb.inv_freq"), extra("model.layers.0.self_attn.rotary_emb.inv_freq"), extra("lm_head.weight")])).size).toBe(weightShapes(tied).size);
    expect(fault(() => loadWeights(tied, writeSafetensors([...tensorsFor(tied), extra("model.layers.0.self_attn.q_norm.weight")])))).toMatchObject({ code: "model/tensors" });
    expect(fault(() => loadWeights(tied, writeSafetensors([...tensorsFor(tied), extra("model.layers.2.input_layernorm.weight")]))).message).toContain("which such a model does not have");
  });

  it("refuses any one tensor that is missing, has another shape, or is not finite", async () => {
    const tensors = tensorsFor(config);
    for (let i = 0; i < tensors.length; i++) {
      const { name, shape, data } = tensors[i]!;
      const others = tensors.filter((_, j) => j !== i);
      expect(fault(() => loadWeights(config, writeSafetensors(others)))).toMatchObject({ code: "model/tensors", message: expect.stringContaining(name) as string });
      expect(fault(() => loadWeights(config, writeSafetensors([...others, { name, shape: [...shape, 1], data }])))).toMatchObject({ code: "model/tensors" });
      const broken = data.slice();
      broken[broken.length - 1] = i % 2 ? Number.NaN : Infinity;
      const file = writeSafetensors([...others, { name, shape, data: broken }]);
      expect(fault(() => loadWeights(config, file))).toMatchObject({ code: "model/damaged" });
      await expect(loadHeldWeights(config, memoryModel({ "model.safetensors": file }), { matrices: "f32", embedding: "f32" })).rejects.toMatchObject({ code: "model/damaged" });
    }
  });

  it("reads the embedded model", () => {
    const folder = new URL("../../../public/models/ductus-base/", import.meta.url);
    const embedded = parseModelConfig(JSON.parse(readFileSync(new URL("config.json", folder), "utf8")));
    const weights = loadWeights(embedded, readFileSync(new URL("model.safetensors", folder)));
    expect(weights.size).toBe(90);
    expect([...weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(11_475_264);
  });
});
