import { beforeEach, describe, expect, it, vi } from "vitest";
import { dialConfig } from "../../lib/train/sft/dial";

const remembered = new Map<string, string>();
vi.stubGlobal("localStorage", { getItem: (key: string) => remembered.get(key) ?? null, setItem: (key: string, value: string) => void remembered.set(key, value) });
const { configOf, goBackTo, ownSettings, readRecipe, recipe, resetAll, resetOne, setOne, takeConfig, turnDial } = await import("./recipe");

const situation = { parameters: 11e6, words: 10_000 };
const config = () => configOf(recipe.get(), situation);

beforeEach(() => {
  resetAll();
  turnDial("balanced");
});

describe("the recipe", () => {
  it("is the dial's until something is set otherwise, which stays when the dial turns", () => {
    expect(config()).toEqual(dialConfig("balanced", situation));
    setOne("learningRate", 0.001, situation);
    setOne("lora.rank", 4, situation);
    expect(config()).toMatchObject({ learningRate: 0.001, lora: { rank: 4 }, epochs: 2 });
    turnDial("quick");
    expect(config()).toMatchObject({ learningRate: 0.001, lora: { rank: 4 }, epochs: dialConfig("quick", situation).epochs });
    expect(ownSettings(recipe.get(), situation)).toEqual([
      { key: "learningRate", label: "Learning rate", own: "0.001", byDial: "0.009" },
      { key: "lora.rank", label: "Rank", own: "4", byDial: "8" },
    ]);
    resetOne("learningRate");
    expect(Object.keys(recipe.get().changes)).toEqual(["lora.rank"]);
  });

  it("counts as nobody's own what the dial says already", () => {
    setOne("epochs", 5, situation);
    setOne("epochs", 2, situation);
    expect(recipe.get().changes).toEqual({});
    setOne("lora.targetModules", [...dialConfig("balanced", situation).lora.targetModules].reverse(), situation);
    expect(recipe.get().changes).toEqual({});
  });

  it("takes settings whole: at the dial's place where they are the dial's, and gives back what there was", () => {
    setOne("seed", 7, situation);
    const before = takeConfig(dialConfig("thorough", situation), situation);
    expect(recipe.get()).toMatchObject({ position: "thorough", changes: {} });
    takeConfig({ ...dialConfig("thorough", situation), maxSteps: 9, lora: { ...dialConfig("thorough", situation).lora, dropout: 0.1 } }, situation);
    expect(recipe.get()).toMatchObject({ position: "thorough", changes: { maxSteps: 9, "lora.dropout": 0.1 } });
    goBackTo(before);
    expect(recipe.get()).toMatchObject({ position: "balanced", changes: { seed: 7 } });
  });

  it("is remembered, and what cannot be read or used is as if it had never been set", () => {
    setOne("maxSteps", 12, situation);
    turnDial("quick");
    const { position, changes } = recipe.get();
    expect(readRecipe([...remembered.values()][0]!)).toEqual({ position, changes });
    const usual = { position: "balanced", changes: {} };
    for (const text of [null, "", "{", "[]", "3", '{"position":"wild","changes":4}', '{"changes":{"maxSteps":-1,"seed":null,"nothing":3,"lora.rank":"8"}}']) expect(readRecipe(text)).toEqual(usual);
    expect(readRecipe('{"position":"quick","changes":{"maxSteps":-1,"packing":true}}')).toEqual({ position: "quick", changes: { packing: true } });
  });
});
