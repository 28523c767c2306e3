import { describe, expect, it } from "vitest";
import { checkConfig } from "./check";
import { LARGE_MODEL_DEFAULTS } from "./config";
import { defaultConfig } from "./recipes";
import { sftConfigSchema } from "./schema";

/** As the first version wrote them. */
const FIRST_VERSION = {
  lora: { rank: 8, alpha: 16, dropout: 0.05, targetModules: ["q_proj", "down_proj"] },
  learningRate: 0.006, warmupRatio: 0.1, epochs: 4, batchSize: 8, gradientAccumulationSteps: 1, maxGradNorm: 1, weightDecay: 0, adamBeta1: 0.9, adamBeta2: 0.999,
  adamEpsilon: 1e-8, maxLength: 384, evaluations: 5, seed: 1,
};

describe("sftConfigSchema", () => {
  it("reads every recipe as it is", () => {
    for (const config of [LARGE_MODEL_DEFAULTS, defaultConfig(11e6, 5000)]) expect(sftConfigSchema.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it("reads what the first version wrote, with the values that it computed with", () => {
    const config = sftConfigSchema.parse(FIRST_VERSION);
    expect(config).toEqual({
      ...FIRST_VERSION, lora: { ...FIRST_VERSION.lora, useRslora: false, trainableTokenIndices: [] },
      lrSchedulerType: "linear", warmupSteps: 0, maxSteps: 0, optim: "adamw", packing: false, neftuneNoiseAlpha: 0, shuffle: true, evalSteps: 0, earlyStoppingPatience: 0, saveSteps: 0,
    });
    checkConfig(config);
  });

  it("refuses what is missing or of another kind", () => {
    for (const key of Object.keys(FIRST_VERSION)) expect(sftConfigSchema.safeParse({ ...FIRST_VERSION, [key]: undefined }).success, key).toBe(false);
    for (const changes of [{ learningRate: "fast" }, { learningRate: Number.NaN }, { optim: "sgd" }, { lrSchedulerType: "steps" }, { packing: 1 }, { batchSize: -1 }, { maxSteps: 0.5 }]) {
      expect(sftConfigSchema.safeParse({ ...FIRST_VERSION, ...changes }).success, JSON.stringify(changes)).toBe(false);
    }
    expect(sftConfigSchema.safeParse(null).success).toBe(false);
  });
});
