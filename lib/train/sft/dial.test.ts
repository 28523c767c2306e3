import { describe, expect, it } from "vitest";
import { checkConfig } from "./check";
import { PROJECTIONS } from "./config";
import { DIAL, dialConfig, dialDefaults, dialOf, dialWords } from "./dial";
import { defaultConfig } from "./recipes";
import { SETTINGS, valueOf } from "./settings";

const SMALL = 11_475_264, LARGE = 494e6;

describe("the dial", () => {
  it.each([300, 2999, 3000, 5999, 6000, 11_000, 1e6])("Balanced is the recipe, with %i words", (words) => {
    for (const parameters of [SMALL, LARGE]) expect(dialConfig("balanced", { parameters, words })).toEqual(defaultConfig(parameters, words));
  });

  it("Balanced is what was measured for the embedded model, and the field's settings for large ones", () => {
    const common = { lrSchedulerType: "linear", warmupSteps: 0, maxSteps: 0, maxGradNorm: 1, optim: "adamw", weightDecay: 0, adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, packing: false, neftuneNoiseAlpha: 0, shuffle: true, evalSteps: 0, earlyStoppingPatience: 0, saveSteps: 0, seed: 1 };
    const lora = { rank: 8, alpha: 16, targetModules: PROJECTIONS, useRslora: false, trainableTokenIndices: [] };
    const small = (epochs: number) => ({ ...common, lora: { ...lora, dropout: 0 }, learningRate: 6e-3, warmupRatio: 0.1, epochs, batchSize: 8, gradientAccumulationSteps: 1, maxLength: 384, evaluations: 5 });
    for (const [words, epochs] of [[2000, 4], [5000, 3], [11_000, 2]] as const) expect(dialConfig("balanced", { parameters: SMALL, words })).toEqual(small(epochs));
    expect(dialConfig("balanced", { parameters: LARGE, words: 2000 })).toEqual({ ...common, lora: { ...lora, dropout: 0.05 }, learningRate: 2e-4, warmupRatio: 0.03, epochs: 2, batchSize: 2, gradientAccumulationSteps: 4, maxLength: 512, evaluations: 8 });
  });

  it("Quick reads less and Thorough more, everywhere, and all can be trained with", () => {
    for (const parameters of [SMALL, LARGE]) {
      for (const words of [200, 2500, 5000, 20_000, 300_000, 5e6]) {
        const [quick, balanced, thorough] = DIAL.map((position) => dialConfig(position, { parameters, words })) as [ReturnType<typeof dialConfig>, ReturnType<typeof dialConfig>, ReturnType<typeof dialConfig>];
        for (const config of [quick, balanced, thorough]) checkConfig(config);
        expect(quick.epochs).toBeLessThanOrEqual(balanced.epochs / 2);
        expect(thorough.epochs).toBeGreaterThan(balanced.epochs);
        expect(thorough.lora.alpha / thorough.lora.rank).toBe(balanced.lora.alpha / balanced.lora.rank);
        expect(quick.evaluations).toBeLessThan(balanced.evaluations);
      }
    }
  });

  it("keeps Quick quick with very much writing", () => {
    for (const [parameters, most] of [[SMALL, 20_000], [LARGE, 6000]] as const) {
      const { epochs } = dialConfig("quick", { parameters, words: 300_000 });
      expect(epochs * 0.8 * 300_000).toBeLessThanOrEqual(most);
      expect(epochs * 0.8 * 300_000).toBeGreaterThan(most / 4);
    }
  });

  it("is read back from settings, whatever the seed, and is nowhere for a person's own", () => {
    const situation = { parameters: SMALL, words: 4000 };
    for (const position of DIAL) expect(dialOf({ ...dialConfig(position, situation), seed: 9 }, situation)).toBe(position);
    expect(dialOf({ ...dialConfig("quick", situation), maxLength: 383 }, situation)).toBeNull();
    expect(dialOf(dialConfig("balanced", { parameters: SMALL, words: 100_000 }), situation)).toBeNull();
  });

  it("says what differs, in words", () => {
    const words = dialWords("thorough", { parameters: SMALL, words: 4000 });
    expect(words.label).toBe("Thorough");
    expect(words.differences.map(({ label, a, b }) => `${label}: ${a} → ${b}`)).toEqual([
      "Passes (epochs): 3 passes → 4.5 passes", "Patience before it stops by itself: it never stops by itself → 4 checks", "Rank: 8 → 16", "Alpha: 16 → 32", "Number of checks: 5 checks → 10 checks",
    ]);
    expect(dialWords("quick", { parameters: SMALL, words: 4000 }).differences.map(({ key, b }) => [key, b])).toEqual([["epochs", "1.5 passes"], ["learningRate", "0.009"], ["evaluations", "3 checks"]]);
    expect(dialWords("thorough", { parameters: SMALL, words: 2999 })).toMatchObject({ summary: expect.stringContaining("adding writing") as string });
    expect(dialWords("thorough", { parameters: SMALL, words: 2999 }).differences.map(({ key }) => key)).toEqual(["epochs", "earlyStoppingPatience", "evaluations"]);
    expect(dialWords("balanced", { parameters: SMALL, words: 4000 }).differences).toEqual([]);
  });

  it("gives every setting its default at each position", () => {
    for (const { key } of SETTINGS) {
      for (const position of DIAL) expect(dialDefaults(key, { parameters: LARGE, words: 9000 })[position]).toEqual(valueOf(dialConfig(position, { parameters: LARGE, words: 9000 }), key));
    }
    expect(dialDefaults("learningRate", { parameters: LARGE, words: 9000 })).toEqual({ quick: 3e-4, balanced: 2e-4, thorough: 2e-4 });
  });
});
