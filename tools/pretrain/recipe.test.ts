import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseRecipe, phaseShape, PHASES, phaseSteps, rateFactor, readRecipe, totalSteps, type Recipe } from "./recipe";
import { MINIATURE } from "./testing/miniature";

const WHOLE = fileURLToPath(new URL("recipe.json", import.meta.url));
const text = readFileSync(MINIATURE, "utf8");
const miniature = readRecipe(MINIATURE);
const changed = (change: (recipe: Recipe) => void): string => {
  const recipe = parseRecipe(text);
  change(recipe);
  return JSON.stringify(recipe);
};

describe("a recipe", () => {
  it("is read from both files, and once read is read again as the same", () => {
    for (const path of [WHOLE, MINIATURE]) expect(parseRecipe(JSON.stringify(readRecipe(path)))).toEqual(readRecipe(path));
  });

  it("names other files from its own folder", () => {
    expect(readRecipe(WHOLE).init).toBe(null);
    expect(() => readRecipe("/nowhere/recipe.json")).toThrow("cannot be read");
  });

  it.each<[string, (recipe: Recipe) => void]>([
    ["a step that is not whole micro-batches", (recipe) => (recipe.tokensPerStep = 500)],
    ["the same of the long sequences", (recipe) => (recipe.long.microBatch = 3)],
    ["heads that do not share key/value heads evenly", (recipe) => (recipe.model.kvHeads = 3)],
    ["a sequence longer than the model's positions", (recipe) => (recipe.model.maxPositions = 100)],
    ["a share above 1", (recipe) => (recipe.decay.formsShare = 1.5)],
    ["a word that it does not know", (recipe) => ((recipe as unknown as Record<string, unknown>)["learningRate"] = 1)],
  ])("is refused with %s", (_, change) => {
    expect(() => parseRecipe(changed(change))).toThrow("The recipe cannot be used");
  });
});

describe("what follows from it", () => {
  it("gives each step to one phase, in order", () => {
    expect(PHASES.map((phase) => phaseSteps(miniature, phase))).toEqual([{ first: 0, end: 6 }, { first: 6, end: 10 }, { first: 10, end: 12 }]);
    expect(totalSteps(miniature)).toBe(12);
  });

  it("warms up, holds, and falls along a line through decay and long to zero", () => {
    const factors = Array.from({ length: 13 }, (_, step) => rateFactor(miniature, step));
    [0.5, 1, 1, 1, 1, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0].forEach((expected, step) => expect(factors[step]).toBeCloseTo(expected, 12));
  });

  it("takes its share of sequences from the forms, whatever the micro-batch, and as many tokens of long sequences", () => {
    expect(phaseShape(miniature, "stable")).toEqual({ sequenceLength: 64, microBatch: 4, sequences: 8, fromForms: 0 });
    expect(phaseShape(miniature, "decay")).toEqual({ sequenceLength: 64, microBatch: 4, sequences: 8, fromForms: 4 });
    expect(phaseShape(miniature, "long")).toEqual({ sequenceLength: 128, microBatch: 2, sequences: 4, fromForms: 2 });
    expect(phaseShape({ ...miniature, microBatch: 8, decay: { ...miniature.decay, formsShare: 0.3 } }, "decay").fromForms).toBe(2);
  });
});
