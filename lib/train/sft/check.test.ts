import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { checkConfig } from "./check";
import { LARGE_MODEL_DEFAULTS, type LoraConfig, type Projection, type SftConfig } from "./config";
import { defaultConfig } from "./recipes";

const lora = (change: Partial<LoraConfig>): Partial<SftConfig> => ({ lora: { ...LARGE_MODEL_DEFAULTS.lora, ...change } });

describe("checkConfig", () => {
  it("lets every recipe pass, and the ends of the ranges", () => {
    for (const words of [300, 4000, 1e6]) for (const parameters of [11.5e6, 5e8]) checkConfig(defaultConfig(parameters, words));
    checkConfig({ ...LARGE_MODEL_DEFAULTS, learningRate: 0, warmupRatio: 1, epochs: 0.5, batchSize: 1, gradientAccumulationSteps: 1, maxGradNorm: 0, maxLength: 2, evaluations: 0, maxSteps: 1, warmupSteps: 9, packing: true, shuffle: false, neftuneNoiseAlpha: 5, evalSteps: 1, earlyStoppingPatience: 1, saveSteps: 1, ...lora({ rank: 1, dropout: 0 }) });
  });

  it.each<[string, Partial<SftConfig>, RegExp]>([
    ["rank 0", lora({ rank: 0 }), /rank/],
    ["half a rank", lora({ rank: 1.5 }), /rank/],
    ["rank 10,000", lora({ rank: 10_000 }), /rank/],
    ["alpha that is no number", lora({ alpha: Number.NaN }), /alpha/],
    ["all dropped", lora({ dropout: 1 }), /dropout/],
    ["nothing to adapt", lora({ targetModules: [] }), /layers/],
    ["an unknown layer", lora({ targetModules: ["lm_head" as Projection] }), /layers/],
    ["an unknown schedule", { lrSchedulerType: "polynomial" as "linear" }, /schedule/],
    ["half a step of warm-up", { warmupSteps: 0.5 }, /warm-up steps/],
    ["steps below nothing", { maxSteps: -1 }, /number of steps/],
    ["an unknown optimizer", { optim: "sgd" as "adamw" }, /optimizer/],
    ["noise below nothing", { neftuneNoiseAlpha: -5 }, /noise/],
    ["noise that is no number", { neftuneNoiseAlpha: Number.NaN }, /noise/],
    ["half a patience", { earlyStoppingPatience: 1.5 }, /patience/],
    ["checks at half steps", { evalSteps: 2.5 }, /steps between checks/],
    ["checkpoints at half steps", { saveSteps: 0.5 }, /checkpoints/],
    ["a token trained twice", lora({ trainableTokenIndices: [7, 7] }), /trained tokens/],
    ["half a token", lora({ trainableTokenIndices: [0.5] }), /trained tokens/],
    ["a negative rate", { learningRate: -1 }, /learning rate/],
    ["a rate that is no number", { learningRate: Number.NaN }, /learning rate/],
    ["an infinite rate", { learningRate: Infinity }, /learning rate/],
    ["warm-up that is no number", { warmupRatio: Number.NaN }, /warm-up/],
    ["no epochs", { epochs: 0 }, /epochs/],
    ["epochs without end", { epochs: 1e9 }, /epochs/],
    ["empty batches", { batchSize: 0 }, /batch size/],
    ["batches below nothing", { batchSize: -1 }, /batch size/],
    ["nothing accumulated", { gradientAccumulationSteps: 0 }, /accumulated/],
    ["a clip that is no number", { maxGradNorm: Number.NaN }, /gradient norm/],
    ["beta 1", { adamBeta1: 1 }, /beta/],
    ["no epsilon", { adamEpsilon: 0 }, /epsilon/],
    ["examples of one token", { maxLength: 1 }, /longest example/],
    ["checks that are no number", { evaluations: Number.NaN }, /checks/],
    ["a seed that is no number", { seed: Number.NaN }, /seed/],
  ])("refuses %s in words", (_, change, words) => {
    let fault: unknown = null;
    try {
      checkConfig({ ...LARGE_MODEL_DEFAULTS, ...change });
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(DuctusError);
    expect(fault).toMatchObject({ code: "train/settings", message: expect.stringMatching(words) as string });
  });
});
