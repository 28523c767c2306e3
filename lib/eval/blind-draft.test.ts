import { describe, expect, it } from "vitest";
import { choose, startBlind } from "./blind";
import { isDraft, judgeDraft, openJudging, startDraft } from "./blind-draft";

const pairs = [{ id: "1", prompt: "p", base: "one two", tuned: "three four" }];
const again = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("a blind comparison as it is kept", () => {
  it("is a draft until its pairs are written", () => {
    const draft = { ...startDraft(4, 7), pairs };
    expect(openJudging(again(draft))).toEqual(draft);
    expect(isDraft(draft)).toBe(true);
    expect(judgeDraft(draft)).toEqual(startBlind(pairs, "7"));
    expect(() => judgeDraft(startDraft(4, 7))).toThrow(expect.objectContaining({ code: "data/nothing-to-judge" }) as Error);
  });

  it("then is the comparison", () => {
    const state = choose(startBlind(pairs, 7), "left");
    expect(openJudging(again(state))).toEqual(state);
    expect(isDraft(state)).toBe(false);
  });

  it("is neither when it is damaged", () => {
    for (const bad of [null, "x", {}, { ...startDraft(4, 7), wanted: 0 }, { ...startBlind(pairs, 7), choices: ["up"] }]) {
      expect(() => openJudging(bad)).toThrow(expect.objectContaining({ code: "data/damaged-judging" }) as Error);
    }
  });
});
