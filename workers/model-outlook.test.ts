import { describe, expect, it } from "vitest";
import { parseModelConfig } from "../lib/train/model/config";
import { memoryModel } from "../lib/train/model/files";
import type { Storage } from "../lib/train/model/held";
import { writeHeldModel } from "../lib/train/model/held-file";
import { emptyHeld, heldBytes, storageFor } from "../lib/train/model/quantize";
import { openShards, WEIGHTS_FILE } from "../lib/train/model/shards";
import { loadCheckpoint, weightShapes } from "../lib/train/model/weights";
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

describe("outlook", () => {
  /** A file as `quantize` writes it, of weights that are all zero. */
  async function quantised(matrices: Storage, embedding: Storage) {
    const weights = new Map([...weightShapes(wide)].map(([name, shape]) => [name, emptyHeld(shape, storageFor(shape, name.includes("embed_tokens") ? embedding : matrices))]));
    const parts: Uint8Array[] = [];
    await writeHeldModel(weights, "ab".repeat(32), (part) => void parts.push(part.slice()));
    return memoryModel({ [WEIGHTS_FILE]: new Uint8Array(Buffer.concat(parts)) });
  }
  const wide = parseModelConfig({ ...half, vocab_size: 64, hidden_size: 64, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 48 });

  it("offers a model that was quantised before as it is, with the bytes that it will take", async () => {
    for (const [matrices, embedding] of [["q8", "q8"], ["q4", "q4"], ["q4", "q8"]] as const) {
      const files = await quantised(matrices, embedding);
      const { choices, recommended, sourceBytes } = outlook(wide, await openShards(files), { name: "a" }, 8);
      expect(recommended).toBe(matrices);
      const { weights } = await loadCheckpoint(wide, files, holdOptions(recommended));
      expect(choices).toEqual([{ storage: matrices, weightBytes: [...weights.values()].reduce((sum, tensor) => sum + heldBytes(tensor), 0) }]);
      expect(sourceBytes).toBeGreaterThan(choices[0]!.weightBytes);
    }
  });
  it("offers any other in each form", () => {
    expect(outlook(wide, [], { name: "a" }, 8).choices.map(({ storage }) => storage)).toEqual(["f32", "f16", "q8", "q4"]);
  });
});

describe("recommend", () => {
  const config = parseModelConfig(half);
  it("takes the most exact form that leaves room, by what the device says it has", () => {
    expect(weightBytes(config, "q4") / 1e9).toBeCloseTo(0.38, 2);
    expect(recommend(config, 8)).toEqual({ recommended: "q4" });
    expect(recommend(config, 16)).toEqual({ recommended: "q4" }); // no more is reckoned with than 8 GiB
    expect(recommend({ ...config, numLayers: 6 }, 8)).toEqual({ recommended: "f16" });
    expect(recommend(config, undefined)).toEqual({ recommended: "q4" });
    expect(recommend(tiny, 2)).toEqual({ recommended: "f32" });
  });
  it("warns where even the smallest is too much", () => {
    expect(recommend(config, 1).warning).toMatch(/more than this device/);
    expect(outlook(config, [], { name: "a" }, 1)).toMatchObject({ family: "qwen2", parameters: 494_032_768, warning: expect.stringMatching(/\.$/) as string });
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
  it("is never that of the model that comes with the site", () => {
    expect(modelName("ductus-base/config.json", {})).toBe("ductus-base-own");
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
