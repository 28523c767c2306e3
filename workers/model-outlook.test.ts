import { describe, expect, it } from "vitest";
import { parseModelConfig } from "../lib/train/model/config";
import { memoryModel } from "../lib/train/model/files";
import { emptyHeld, heldBytes, storageFor } from "../lib/train/model/quantize";
import { weightShapes } from "../lib/train/model/weights";
import { holdOptions, licenceOf, modelName, outlook, recommend, weightBytes } from "./model-outlook";

const half = { model_type: "qwen2", vocab_size: 151_936, hidden_size: 896, num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2, intermediate_size: 4864, max_position_embeddings: 32_768, tie_word_embeddings: true };
const tiny = parseModelConfig({ ...half, vocab_size: 64, hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 96 });

describe("weightBytes", () => {
  it("is what the held tensors take, rows that do not divide into blocks included", () => {
    for (const storage of ["f32", "f16", "q8", "q4"] as const) {
      const { matrices, embedding } = holdOptions(storage);
      const held = [...weightShapes(tiny)].map(([name, shape]) => heldBytes(emptyHeld(shape, storageFor(shape, name.includes("embed_tokens") ? embedding : matrices))));
      expect(weightBytes(tiny, storage), storage).toBe(held.reduce((a, b) => a + b, 0));
    }
  });
});

describe("recommend", () => {
  const config = parseModelConfig(half);
  it("takes the most exact form that leaves room, by what the device says it has", () => {
    expect(weightBytes(config, "q4") / 1e9).toBeCloseTo(0.38, 2);
    expect(recommend(config, 8)).toEqual({ recommended: "q4" });
    expect(recommend(config, 16)).toEqual({ recommended: "f16" });
    expect(recommend(config, undefined)).toEqual({ recommended: "q4" });
    expect(recommend(tiny, 2)).toEqual({ recommended: "f32" });
  });
  it("warns where even the smallest is too much", () => {
    expect(recommend(config, 1).warning).toMatch(/more than this device/);
    expect(outlook(config, { name: "a", sourceBytes: 1 }, 1)).toMatchObject({ family: "qwen2", parameters: 494_032_768, warning: expect.stringMatching(/\.$/) as string });
  });
});

describe("modelName", () => {
  it("is that of the folder, or of what its files say", () => {
    expect(modelName("Qwen2.5-0.5B-Instruct/config.json", {})).toBe("Qwen2.5-0.5B-Instruct");
    expect(modelName("hub/models--Qwen--Qwen3-0.6B/snapshots/0123456789abcdef0123456789abcdef01234567/config.json", {})).toBe("Qwen3-0.6B");
    expect(modelName("0123456789abcdef0123456789abcdef01234567/config.json", { _name_or_path: "Qwen/Qwen2.5-0.5B" })).toBe("Qwen2.5-0.5B");
    expect(modelName("config.json", { _name_or_path: "Qwen/Qwen2.5-0.5B" })).toBe("Qwen2.5-0.5B");
    expect(modelName("config.json", null)).toBe("model");
  });
  it("is fit for a path and a sentence, whatever the folder is called", () => {
    expect(modelName("Mein Modell: größer!/config.json", {})).toBe("Mein-Modell-gro-er");
    expect(modelName("../config.json", {})).toBe("model");
    expect(modelName(`${"x".repeat(300)}/config.json`, {})).toHaveLength(64);
    expect(modelName("日本/config.json", {})).toBe("model");
  });
});

describe("licenceOf", () => {
  const licence = (files: Record<string, string>) => licenceOf(memoryModel(files));
  it("is what the folder's notes or its licence file name", async () => {
    expect(await licence({ "README.md": "---\nlanguage: en\nlicense: apache-2.0\n---\nlicense: mit" })).toBe("apache-2.0");
    expect(await licence({ "README.md": "---\nlicense: other\nlicense_name: 'qwen-research'\n---" })).toBe("qwen-research");
    expect(await licence({ "README.md": "---\nlicense: other\n---" })).toBe("a licence of its own");
    expect(await licence({ "README.md": "# no notes", LICENSE: "\n   Apache License\n  Version 2.0\n" })).toBe("Apache License");
    expect(await licence({ "README.md": "license: mit" })).toBeNull();
    expect(await licence({})).toBeNull();
  });
  it("is short, and of one line", async () => {
    expect(await licence({ LICENSE: "a\u0007b".padEnd(500, "x") })).toMatch(/^a b.{77}$/);
  });
});
