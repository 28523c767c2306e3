import { describe, expect, it } from "vitest";
import { parseModelConfig } from "../model/config";
import { referenceModel } from "../testing/reference";
import { asHeld } from "../testing/held";
import { choosePlan, executionSizes, memoryLimits } from "./choose";

const limits = { heapBytes: 3.4e9, totalBytes: 5.1e9 };

describe("choosePlan", () => {
  it("takes the whole model while it fits, and streams it when it does not", () => {
    const half = { weightBytes: 1.98e9, activationBytes: 0.4e9, logitsBytes: 0.25e9 }; // Qwen2.5-0.5B in f32, a row of 128 tokens
    expect(choosePlan(half, limits, 0)).toEqual({ kind: "whole", recompute: false });
    expect(choosePlan(half, limits, 1)).toEqual({ kind: "streamed", recompute: false }); // another session would hold it too
    expect(choosePlan({ ...half, weightBytes: 6e9 }, limits, 0).kind).toBe("streamed");
    expect(choosePlan({ ...half, weightBytes: 0.4e9, activationBytes: 3e9 }, limits, 0)).toEqual({ kind: "streamed", recompute: true });
    expect(choosePlan(half, { heapBytes: 1e9, totalBytes: 2e9 }, 0).kind).toBe("streamed");
  });

  it("counts small weights twice, since scoring holds them too", () => {
    const small = { weightBytes: 0.3e9, activationBytes: 0.1e9, logitsBytes: 0.1e9 };
    expect(choosePlan(small, { heapBytes: 0.8e9, totalBytes: 5e9 }, 0).kind).toBe("whole");
    expect(choosePlan(small, { heapBytes: 0.79e9, totalBytes: 5e9 }, 0).kind).toBe("streamed");
  });
});

describe("executionSizes", () => {
  it("counts every weight once, as it is held", () => {
    const { config, weights } = referenceModel("qwen2-tied");
    const numbers = [...weights.values()].reduce((sum, data) => sum + data.length, 0);
    expect(executionSizes(config, weights, { batch: 1, seq: 8 }).weightBytes).toBe(4 * numbers);
    expect(executionSizes(config, asHeld(config, weights, "f16"), { batch: 1, seq: 8 }).weightBytes).toBeLessThan(2.2 * numbers);
  });

  it("grows with tokens, and with their square through attention", () => {
    const config = parseModelConfig({ model_type: "qwen2", vocab_size: 96, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 64, max_position_embeddings: 512, tie_word_embeddings: true });
    const { weights } = referenceModel("qwen2-tied");
    const of = (batch: number, seq: number) => executionSizes({ ...config, numLayers: 2 }, weights, { batch, seq }).activationBytes;
    expect(of(4, 64)).toBe(2 * of(2, 64));
    expect(of(1, 256)).toBeGreaterThan(4 * of(1, 64));
  });
});

describe("memoryLimits", () => {
  it("keeps wasm below what its heap can grow to", () => {
    expect(memoryLimits({ kind: "wasm" }).heapBytes).toBeLessThan(4 * 2 ** 30);
    expect(memoryLimits({ kind: "webgpu" }).heapBytes).toBeGreaterThan(4 * 2 ** 30);
  });
});
