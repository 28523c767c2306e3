import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { info, randomAdapter, tinyModel } from "../testing/adapter";
import { parseModelConfig } from "../model/config";
import { loraScale } from "../model/lora";
import { adapterFromPeft, adapterToPeft, peftConfigJson } from "./peft";
import { readSafetensors, toFloat32, writeSafetensors, type TensorToWrite } from "./safetensors";
import { fault } from "../testing/fault";

const adapter = randomAdapter(1);
const folder = adapterToPeft(adapter, info);
const config = JSON.parse(folder["adapter_config.json"]) as Record<string, unknown>;
const weights = folder["adapter_model.safetensors"];

function open(changes: Record<string, unknown>, bytes: Uint8Array = weights) {
  return adapterFromPeft(JSON.stringify({ ...config, ...changes }), bytes, tinyModel);
}

/** The tensors of the folder, changed. */
function rewrite(change: (tensors: TensorToWrite[]) => TensorToWrite[]): Uint8Array {
  const tensors = [...readSafetensors(weights).tensors.values()].map((tensor) => ({ name: tensor.name, shape: tensor.shape, data: toFloat32(tensor) }));
  return writeSafetensors(change(tensors));
}

describe("adapterToPeft", () => {
  it("is read back to the same adapter", () => {
    expect(open({})).toEqual(adapter);
    const few = randomAdapter(2, ["q_proj", "down_proj"], 2);
    const { "adapter_config.json": json, "adapter_model.safetensors": bytes } = adapterToPeft(few, info);
    expect(adapterFromPeft(json, bytes, tinyModel)).toEqual(few);
  });

  it("uses PEFT's names and shapes", () => {
    const { tensors } = readSafetensors(weights);
    expect(tensors.size).toBe(2 * 7 * 2);
    expect(tensors.get("base_model.model.model.layers.1.self_attn.k_proj.lora_A.weight")?.shape).toEqual([4, 24]);
    expect(tensors.get("base_model.model.model.layers.1.self_attn.k_proj.lora_B.weight")?.shape).toEqual([6, 4]);
    expect(tensors.get("base_model.model.model.layers.0.mlp.down_proj.lora_A.weight")?.shape).toEqual([4, 40]);
    expect(config).toMatchObject({ peft_type: "LORA", task_type: "CAUSAL_LM", r: 4, lora_alpha: 8, lora_dropout: 0.05, bias: "none", inference_mode: true, base_model_name_or_path: "ductus-base" });
  });

  it("comes with a card that states recipe and numbers, and in which a name stays a name", () => {
    const card = folder["README.md"];
    expect(card).not.toMatch(/resize_token_embeddings|add_tokens|rsLoRA|trained tokens/);
    for (const part of ["library_name: peft", "# Allotment diary", "| rank | 4 |", "| learning rate | 0.003", "| base | 4.1000 | 60.34 | 1.5710 |", "PeftModel.from_pretrained", info.modelSha256]) expect(card).toContain(part);
    const tricky = adapterToPeft(adapter, { ...info, name: "a\n---\n# <b>b</b> | `c`" })["README.md"];
    expect(tricky).toContain("# a --- \\# \\<b\\>b\\</b\\> \\| \\`c\\`\n");
    expect(tricky.split("\n---\n")).toHaveLength(2);
  });
});

describe("adapterFromPeft", () => {
  it.each(["qwen2-tied", "qwen3-untied", "llama3-tied", "added-tokens/llama3-tied", "added-tokens/qwen2-untied"])("reads what PEFT wrote for %s, and writes the same settings and values", (name) => {
    const data = new URL("../../../tools/reference/data/", import.meta.url);
    const folder = new URL(`${name}/`, data);
    const model = parseModelConfig(JSON.parse(readFileSync(new URL(`${name.replace("added-tokens/", "")}/config.json`, data), "utf8")));
    const json = readFileSync(new URL("adapter/adapter_config.json", folder), "utf8");
    const bytes = readFileSync(new URL("adapter/adapter_model.safetensors", folder));
    const read = adapterFromPeft(json, bytes, model);
    const theirs = JSON.parse(json) as { target_modules: string[]; base_model_name_or_path: string };
    const { recipe: _, ...rest } = info;
    const ours = JSON.parse(peftConfigJson(read, { ...rest, modelId: theirs.base_model_name_or_path })) as typeof theirs;
    expect({ ...ours, target_modules: [...ours.target_modules].sort() }).toEqual({ ...theirs, target_modules: [...theirs.target_modules].sort() });
    const written = readSafetensors(adapterToPeft(read, info)["adapter_model.safetensors"]).tensors;
    const original = readSafetensors(bytes).tensors;
    expect(written.size).toBe(original.size);
    for (const [tensorName, tensor] of original) expect(toFloat32(written.get(tensorName)!)).toEqual(toFloat32(tensor));
  });

  it("takes the settings as PEFT may also write them", () => {
    expect(open({ target_modules: "all-linear" })).toEqual(adapter);
    expect(open({ target_modules: (config["target_modules"] as string[]).map((name) => (name.endsWith("q_proj") ? "self_attn.q_proj" : name)).reverse() })).toEqual(adapter);
    expect(open({ task_type: null, init_lora_weights: "gaussian", megatron_core: "x", loftq_config: null, eva_config: { rho: 2 }, a_new_setting: null, another: [] })).toEqual(adapter);
    expect(adapterFromPeft(JSON.stringify({ peft_type: "LORA", r: 4, lora_alpha: 8, target_modules: config["target_modules"] }), weights, tinyModel)).toEqual(adapter);
  });

  it("keeps rsLoRA as such", () => {
    const read = open({ use_rslora: true });
    expect(read).toMatchObject({ alpha: 8, useRslora: true });
    expect(loraScale(read)).toBe(8 / Math.sqrt(4));
    expect(loraScale(open({}))).toBe(8 / 4);
    expect(JSON.parse(peftConfigJson(read, info))).toMatchObject({ use_rslora: true, lora_alpha: 8 });
  });

  const unsupported: [Record<string, unknown>, RegExp][] = [
    [{ peft_type: "LOHA" }, /LOHA/],
    [{ task_type: "SEQ_CLS" }, /another task/],
    [{ bias: "all" }, /biases/],
    [{ lora_bias: true }, /biases on its factors/],
    [{ use_dora: true }, /DoRA/],
    [{ modules_to_save: ["score"] }, /replaces “score” as a whole/],
    [{ rank_pattern: { q_proj: 2 } }, /different ranks/],
    [{ alpha_pattern: { q_proj: 2 } }, /different scales/],
    [{ layers_to_transform: 0 }, /some of the layers/],
    [{ layers_to_transform: [0] }, /some of the layers/],
    [{ layer_replication: [[0, 2]] }, /repeated layers/],
    [{ exclude_modules: ["q_proj"] }, /excluded/],
    [{ trainable_token_indices: { wpe: [1] } }, /trains rows of “wpe”/],
    [{ fan_in_fan_out: true }, /transposed/],
    [{ init_lora_weights: "pissa_niter_4" }, /pissa/],
    [{ init_lora_weights: "olora" }, /olora/],
    [{ some_future_feature: { a: 1 } }, /unknown here \(some_future_feature\)/],
    [{ target_modules: ".*q_proj" }, /search pattern/],
    [{ target_modules: ["q_proj", "lm_head"] }, /lm_head/],
    [{ target_modules: ["model.layers.0.self_attn.q_proj"] }, /does not adapt/],
  ];
  it.each(unsupported)("refuses %j in words", (changes, message) => {
    const error = fault(() => open(changes));
    expect(error.code).toBe("adapter/unsupported");
    expect(error.message).toMatch(message);
  });

  it("refuses settings that cannot be read", () => {
    for (const text of ["", "{", "[]", "null", "{}", '{"peft_type":3}', '{"peft_type":"LORA","peft_type":"LORA"}', `"${"x".repeat(1_000_001)}"`]) {
      expect(fault(() => adapterFromPeft(text, weights, tinyModel)).code, text.slice(0, 40)).toBe("adapter/config");
    }
    for (const changes of [{ r: 0 }, { r: 2.5 }, { r: 4096 }, { lora_alpha: 0 }, { lora_alpha: "16" }, { target_modules: [] }, { target_modules: [1] }, { use_rslora: "yes" }, { trainable_token_indices: [-1] }, { trainable_token_indices: "all" }, { trainable_token_indices: { embed_tokens: 3 } }, { modules_to_save: "lm_head" }]) {
      expect(fault(() => open(changes)).code, JSON.stringify(changes)).toBe("adapter/config");
    }
  });

  it("refuses factors that do not fit the model", () => {
    const cases: [string, () => unknown, RegExp][] = [
      ["another rank", () => open({ r: 8 }), /4 × 24, and the model needs 8 × 24/],
      ["missing", () => open({}, rewrite((tensors) => tensors.slice(1))), /nothing for layers/],
      ["extra", () => open({ target_modules: ["q_proj"] }), /also holds/],
      ["foreign", () => open({}, rewrite((tensors) => [...tensors, { name: "evil", shape: [1], data: Float32Array.of(1) }])), /also holds “evil”/],
      ["more layers", () => adapterFromPeft(folder["adapter_config.json"], weights, { ...tinyModel, numLayers: 3 }), /nothing for layers\.2/],
      ["other width", () => adapterFromPeft(folder["adapter_config.json"], weights, { ...tinyModel, hiddenSize: 48 }), /model needs/],
      ["transposed", () => open({}, rewrite((tensors) => tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape].reverse() })))), /model needs/],
    ];
    for (const [name, action, message] of cases) {
      const error = fault(action);
      expect(error.code, name).toBe("adapter/shapes");
      expect(error.message, name).toMatch(message);
    }
  });

  it("refuses NaN and infinities anywhere", () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const bytes = rewrite((tensors) => {
        const last = tensors.at(-1)!;
        last.data[last.data.length - 1] = bad;
        return tensors;
      });
      expect(fault(() => open({}, bytes))).toMatchObject({ code: "adapter/damaged" });
    }
  });
});
