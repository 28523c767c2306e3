import { beforeEach, describe, expect, it } from "vitest";
import { dialConfig } from "../../lib/train/sft/dial";
import { configOf, recipe, resetAll, setOne, turnDial } from "./recipe";
import { configBytes, linkTo, recipeFile, takeConfigFile, takeLink, undoTaken } from "./recipe-file";

const situation = { parameters: 11e6, words: 10_000 };
const file = (content: string | Uint8Array, name = "s.json") => new File([content as string], name);
const config = () => configOf(recipe.get(), situation);
const fault = () => recipeFile.get().error;

beforeEach(() => {
  resetAll();
  turnDial("balanced");
});

describe("a file of settings", () => {
  it("comes back as it went out", async () => {
    turnDial("thorough");
    setOne("maxSteps", 77, situation);
    setOne("lora.targetModules", ["q_proj"], situation);
    const before = config();
    const bytes = configBytes(before);
    resetAll();
    turnDial("quick");
    await takeConfigFile(file(bytes), situation);
    expect(config()).toEqual(before);
    expect(recipeFile.get().taken).toMatchObject({ name: "s.json", leftOut: [], ignored: [] });
    undoTaken();
    expect(config()).toEqual(dialConfig("quick", situation));
  });

  it("says what it leaves out and what makes no difference, and changes nothing where it cannot be used", async () => {
    await takeConfigFile(file('{"learning_rate": 0.001, "bf16": true}'), situation);
    const { taken } = recipeFile.get();
    expect(taken?.settings).toBe(1);
    expect(taken?.leftOut).toContain("num_train_epochs");
    expect(taken?.ignored.map(({ name }) => name)).toEqual(["bf16"]);
    expect(config().learningRate).toBe(0.001);
    for (const bad of ['{"learning_rat": 1}', '{"r": 0}', "[]", "{", ""]) {
      await takeConfigFile(file(bad), situation);
      expect(fault(), bad).toMatchObject({ code: "train/settings" });
      expect(config().learningRate).toBe(0.001);
    }
    await takeConfigFile(file('{"learning_rat": 1}'), situation);
    expect(`${fault()!.message} ${fault()!.next}`).toMatch(/learning_rate.*num_train_epochs/s);
    await takeConfigFile(file(new Uint8Array(2e6)), situation);
    expect(fault()?.message).toContain("far too large");
  });
});

describe("a link", () => {
  it("holds the dial and what differs from it, and comes back as it went out", () => {
    turnDial("quick");
    setOne("neftuneNoiseAlpha", 5, situation);
    setOne("lora.trainableTokenIndices", [3, 9], situation);
    const before = config();
    const address = new URL(linkTo("https://a.example/train", recipe.get(), situation));
    expect(JSON.parse(decodeURIComponent(address.hash.slice("#settings=".length)))).toEqual({ dial: "quick", neftune_noise_alpha: 5, trainable_token_indices: [3, 9] });
    resetAll();
    turnDial("thorough");
    takeLink(address.hash, situation);
    expect(config()).toEqual(before);
    expect(recipe.get().position).toBe("quick");
    expect(recipeFile.get().taken).toMatchObject({ name: null, settings: 2 });
  });

  it("goes by the writing that it meets: the dial's own values are not in it", () => {
    const { hash } = new URL(linkTo("https://a.example/train", recipe.get(), situation));
    turnDial("quick");
    takeLink(hash, { parameters: 11e6, words: 1000 });
    expect(recipe.get()).toMatchObject({ position: "balanced", changes: {} });
  });

  it("is refused where it is damaged, or says what cannot be", () => {
    setOne("seed", 4, situation);
    for (const hash of ["", "%", "{}", '{"dial":"wild"}', '{"dial":"quick","r":0}', '{"dial":"quick","wat":1}', '["quick"]']) {
      takeLink(`#settings=${hash === "%" ? hash : encodeURIComponent(hash)}`, situation);
      expect(fault(), hash).toMatchObject({ code: "train/settings" });
      expect(config().seed).toBe(4);
    }
  });
});
