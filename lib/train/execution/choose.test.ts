import { afterEach, describe, expect, it, vi } from "vitest";
import { parseModelConfig } from "../model/config";
import { referenceModel } from "../testing/reference";
import { asHeld } from "../testing/held";
import type { Storage } from "../model/held";
import { openNode } from "../runtime/node";
import { runPlan } from "../sft/run";
import { executionSettings, SftTrainer } from "../sft/trainer";
import { settings } from "../testing/tiny";
import { choosePlan, executionSizes, heldSize, memoryLimits } from "./choose";
import { openExecution, planFor } from "./open";
import type { ExecutionPlan } from "./types";

const limits = { heapBytes: 3.4e9, totalBytes: 5.1e9 };

describe("choosePlan", () => {
  it("takes the whole model while it fits, and streams it when it does not", () => {
    const half = { weightBytes: 1.98e9, activationBytes: 0.4e9, logitsBytes: 0.25e9, workBytes: 0 }; // Qwen2.5-0.5B in f32, a row of 128 tokens
    expect(choosePlan(half, limits, 0)).toEqual({ kind: "whole", recompute: false });
    expect(choosePlan(half, limits, 1)).toEqual({ kind: "streamed", recompute: false }); // another session would hold it too
    expect(choosePlan({ ...half, weightBytes: 6e9 }, limits, 0).kind).toBe("streamed");
    expect(choosePlan({ ...half, weightBytes: 0.4e9, activationBytes: 3e9 }, limits, 0)).toEqual({ kind: "streamed", recompute: true });
    expect(choosePlan({ ...half, workBytes: 1e9 }, limits, 0).kind).toBe("streamed");
    expect(choosePlan(half, { heapBytes: 1e9, totalBytes: 2e9 }, 0).kind).toBe("streamed");
  });

  it("counts streamed weights once more for whoever copies them to a device", () => {
    const sizes = { weightBytes: 1.5e9, activationBytes: 0.5e9, logitsBytes: 0, workBytes: 0 };
    const recompute = (uploads: boolean, otherCopies: number) => choosePlan(sizes, { heapBytes: 1e9, totalBytes: 5.1e9, uploads }, otherCopies).recompute;
    expect([recompute(false, 1), recompute(true, 0), recompute(true, 1)]).toEqual([false, false, true]);
  });

  it("counts small weights twice, since scoring holds them too", () => {
    const small = { weightBytes: 0.3e9, activationBytes: 0.1e9, logitsBytes: 0.1e9, workBytes: 0 };
    expect(choosePlan(small, { heapBytes: 0.8e9, totalBytes: 5e9 }, 0).kind).toBe("whole");
    expect(choosePlan(small, { heapBytes: 0.79e9, totalBytes: 5e9 }, 0).kind).toBe("streamed");
  });
});

describe("executionSizes", () => {
  it("counts every weight once, as it is held", () => {
    const { config, weights } = referenceModel("qwen2-tied");
    const numbers = [...weights.values()].reduce((sum, data) => sum + data.length, 0);
    expect(executionSizes(config, heldSize(weights), { batch: 1, seq: 8 }).weightBytes).toBe(4 * numbers);
    expect(executionSizes(config, heldSize(asHeld(config, weights, "f16")), { batch: 1, seq: 8 }).weightBytes).toBeLessThan(2.2 * numbers);
  });

  it("counts what is made of weights while they are used: floats of quantised ones, sums of many tokens' weights and updates", () => {
    const { config, weights } = referenceModel("qwen2-tied");
    const of = (storage: Storage, batch: number) => executionSizes(config, heldSize(asHeld(config, weights, storage)), { batch, seq: 8 }).workBytes;
    expect(of("f32", 1)).toBe(0);
    const layers = [...weights].filter(([name]) => name.endsWith("_proj.weight")).reduce((sum, [, data]) => sum + data.byteLength, 0);
    expect(of("f32", 1000)).toBe(layers);
    expect(of("f16", 1)).toBe(layers + 4 * config.vocabSize * config.hiddenSize);
    expect(of("f16", 1000)).toBe(2 * layers + 4 * config.vocabSize * config.hiddenSize);
    for (const storage of ["q4", "q8"] as const) expect(of(storage, 1)).toBeGreaterThan(4 * 4 * config.vocabSize * config.hiddenSize);
  });

  it("grows with tokens, and with their square through attention", () => {
    const config = parseModelConfig({ model_type: "qwen2", vocab_size: 96, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 64, max_position_embeddings: 512, tie_word_embeddings: true });
    const { weights } = referenceModel("qwen2-tied");
    const of = (batch: number, seq: number) => executionSizes({ ...config, numLayers: 2 }, heldSize(weights), { batch, seq }).activationBytes;
    expect(of(4, 64)).toBe(2 * of(2, 64));
    expect(of(1, 256)).toBeGreaterThan(4 * of(1, 64));
  });
});

describe("memoryLimits", () => {
  it("keeps wasm below what its heap can grow to", () => {
    expect(memoryLimits({ kind: "wasm" }).heapBytes).toBeLessThan(4 * 2 ** 30);
    expect(memoryLimits({ kind: "webgpu" }).heapBytes).toBeGreaterThan(4 * 2 ** 30);
  });

  it("does not take a share of whatever a large machine has", () => {
    const totals = [undefined, 32, 8, 4].map((deviceMemory) => {
      vi.stubGlobal("navigator", deviceMemory === undefined ? {} : { deviceMemory });
      return memoryLimits({ kind: "wasm" }).totalBytes;
    });
    vi.unstubAllGlobals();
    expect(totals).toEqual([totals[0], totals[0], totals[0], totals[0]! / 2]);
  });
});

describe("whoever opens an execution without a plan", () => {
  const backend = openNode();
  const { config, weights } = referenceModel("qwen2-tied");
  const model = { config, weights };
  const sft = settings({ batchSize: 1, maxLength: 8 });
  const work = { batch: 1, seq: 8 };
  const deviceWith = (bytes: number) => vi.stubGlobal("navigator", { deviceMemory: bytes / 0.6 / 2 ** 30 });
  afterEach(() => vi.unstubAllGlobals());

  const opened = async (open: Promise<{ plan: ExecutionPlan; dispose(): Promise<void> }>) => {
    const execution = await open;
    await execution.dispose();
    return execution.plan;
  };
  const plans = async () => [
    planFor(backend, model, { ...work, otherCopies: 0 }),
    await opened(openExecution(backend, model, executionSettings(sft))),
    await opened(SftTrainer.create(backend, config, weights, sft).then((trainer) => ({ plan: trainer.execution.plan, dispose: () => trainer.dispose() }))),
  ];

  it("gets the one that suits the device", async () => {
    const { weightBytes, activationBytes, logitsBytes, workBytes } = executionSizes(config, heldSize(weights), work);
    const whole = 3 * weightBytes + activationBytes + logitsBytes + workBytes;
    const cases: [bytes: number, ExecutionPlan][] = [
      [whole + 1, { kind: "whole", recompute: false }],
      [whole - 1, { kind: "streamed", recompute: false }],
      [weightBytes + 2 * activationBytes - 1, { kind: "streamed", recompute: true }],
    ];
    for (const [bytes, plan] of cases) {
      deviceWith(bytes);
      expect(await plans()).toEqual([plan, plan, plan]);
    }
    // A run holds the weights once more, for what the model writes meanwhile.
    deviceWith(whole + weightBytes - 1);
    expect(runPlan(backend, model, sft).kind).toBe("streamed");
    deviceWith(whole + weightBytes + 1);
    expect(runPlan(backend, model, sft).kind).toBe("whole");
  });
});
