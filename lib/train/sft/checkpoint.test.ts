import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { DuctusError } from "../../core/errors";
import { parseModelConfig } from "../model/config";
import { emptyHeld, storageFor } from "../model/quantize";
import { weightShapes } from "../model/weights";
import { settings } from "../testing/tiny";
import { decodeCheckpoint, differences, encodeCheckpoint, firstReadable, machineOf, requireSameModel, requireSamePlan, type SftCheckpoint } from "./checkpoint";

const random = new Random("checkpoint");
const floats = (length: number) => Float32Array.from({ length }, () => random.normal());

function checkpoint(changes: Partial<SftCheckpoint> = {}): SftCheckpoint {
  return {
    config: settings({ seed: 7 }),
    machine: { device: "wasm", threads: 3, execution: { kind: "streamed", recompute: true }, storage: "q4" },
    planHash: "ab".repeat(32), totalSteps: 50, evaluated: 10, checksWithoutGain: 2, tokens: 12_345, elapsedMs: 98_765.4321,
    trainer: {
      steps: 12,
      adapter: new Map([["layers.0.self_attn.q_proj.lora_A", floats(33)], ["layers.0.self_attn.q_proj.lora_B", Float32Array.of(-0, 1e-45, 3.4e38, 0.1)]]),
      optimizer: { steps: 12, tensors: new Map<string, Float32Array | Uint8Array>([["x:state1", Uint8Array.of(0, 255, 7)], ["x:absmax1", floats(1)], ["y:exp_avg", floats(5)], ["y:exp_avg_sq", floats(5)]]) },
    },
    best: { loss: 1 / 3, step: 10, tokens: 9876, adapter: new Map([["layers.0.self_attn.q_proj.lora_A", floats(33)], ["layers.0.self_attn.q_proj.lora_B", floats(4)]]) },
    ...changes,
  };
}

const codeOf = (promise: Promise<unknown>) => promise.then(() => "nothing", (error: unknown) => (error instanceof DuctusError ? error.code : Promise.reject(error as Error)));

describe("a checkpoint as bytes", () => {
  it("comes back with every number the same, and the same bytes", async () => {
    for (const original of [checkpoint(), checkpoint({ best: null, evaluated: -1 })]) {
      const bytes = await encodeCheckpoint(original);
      const back = await decodeCheckpoint(bytes);
      expect(back).toEqual(original);
      expect(Object.is(back.trainer.adapter.get("layers.0.self_attn.q_proj.lora_B")![0], -0)).toBe(true);
      expect(await encodeCheckpoint(back)).toEqual(bytes);
    }
  });

  it("holds copies: what is changed afterwards is not changed in it", async () => {
    const original = checkpoint();
    const bytes = await encodeCheckpoint(original);
    const before = await decodeCheckpoint(bytes);
    original.trainer.adapter.values().next().value!.fill(9);
    before.trainer.adapter.values().next().value!.fill(8);
    expect((await decodeCheckpoint(bytes)).trainer.adapter.values().next().value![0]).not.toBe(8);
  });

  it("is refused with any one byte changed, cut anywhere, or with anything behind it", async () => {
    const bytes = await encodeCheckpoint(checkpoint());
    for (let i = 0; i < bytes.length; i += 1 + random.int(7)) {
      const changed = bytes.slice();
      changed[i]! ^= 1 << random.int(8);
      expect(await codeOf(decodeCheckpoint(changed)), `byte ${i}`).toBe("train/checkpoint-damaged");
      expect(await codeOf(decodeCheckpoint(bytes.subarray(0, i))), `cut at ${i}`).toBe("train/checkpoint-damaged");
    }
    expect(await codeOf(decodeCheckpoint(Uint8Array.of(...bytes, 0)))).toBe("train/checkpoint-damaged");
    expect(await codeOf(decodeCheckpoint(new Uint8Array(0)))).toBe("train/checkpoint-damaged");
  });

  it("is refused where its numbers make no sense though its bytes are whole", async () => {
    const wrong: Partial<SftCheckpoint>[] = [
      { planHash: "short" }, { tokens: -1 }, { evaluated: -2 }, { evaluated: 13 }, { totalSteps: 11 }, { checksWithoutGain: 0.5 }, { elapsedMs: Number.NaN },
      { machine: { ...checkpoint().machine, device: "abacus" as "wasm" } }, { config: { ...settings(), learningRate: "fast" as unknown as number } },
      { best: { ...checkpoint().best!, step: 13 } },
    ];
    for (const changes of wrong) expect(await codeOf(encodeCheckpoint(checkpoint(changes)).then(decodeCheckpoint)), JSON.stringify(changes)).toBe("train/checkpoint-damaged");
  });
});

describe("firstReadable", () => {
  it("passes over what is damaged, and says so", async () => {
    const good = await encodeCheckpoint(checkpoint()), bad = good.slice(0, -5);
    expect(await firstReadable([good, bad])).toEqual({ checkpoint: await decodeCheckpoint(good), damaged: [] });
    const { checkpoint: found, damaged } = await firstReadable([bad, good]);
    expect(found).toEqual(await decodeCheckpoint(good));
    expect(damaged.map((e) => e.code)).toEqual(["train/checkpoint-damaged"]);
    expect(await codeOf(firstReadable([bad, bad]))).toBe("train/checkpoint-damaged");
    expect(await codeOf(firstReadable([]))).toBe("train/no-checkpoint");
  });
});

describe("what a resumed run must share", () => {
  it("is the plan", () => {
    requireSamePlan(checkpoint(), "ab".repeat(32));
    expect(() => requireSamePlan(checkpoint(), "cd".repeat(32))).toThrow(expect.objectContaining({ code: "train/checkpoint-other" }) as Error);
  });

  it("is the model, where the checkpoint says which", async () => {
    const { machine } = checkpoint();
    const known = await decodeCheckpoint(await encodeCheckpoint(checkpoint({ machine: { ...machine, modelSha256: "ab" } })));
    requireSameModel(known, "ab");
    expect(() => requireSameModel(known, "cd")).toThrow(expect.objectContaining({ code: "train/checkpoint-other" }) as Error);
    requireSameModel(checkpoint(), "cd");
  });

  it("is, for the same last digits, the machine and the settings", () => {
    const { config, machine } = checkpoint();
    expect(differences(checkpoint(), config, machine)).toEqual([]);
    expect(differences(checkpoint(), { ...config, learningRate: 1e-5 }, machine)).toEqual(["the settings have changed"]);
    expect(differences(checkpoint(), config, { device: "node", threads: 4, execution: { kind: "whole", recompute: false }, storage: "f32" })).toEqual([
      "the device was wasm and is now node", "the number of threads was 3 and is now 4", "the execution was streamed, recomputing and is now whole", "the number type of the weights was q4 and is now f32",
    ]);
  });

  it("names the form of most weights, though some rows do not divide into blocks", () => {
    const model = parseModelConfig({ model_type: "qwen2", vocab_size: 8, hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 48, max_position_embeddings: 8, tie_word_embeddings: true });
    const formOf = (storage: "q8" | "q4") => machineOf({ kind: "node", threads: 1 }, new Map([...weightShapes(model)].map(([name, shape]) => [name, emptyHeld(shape, storageFor(shape, storage))])), { kind: "whole", recompute: false }).storage;
    expect([formOf("q8"), formOf("q4")]).toEqual(["q8", "q4"]);
  });
});
