import { describe, expect, it } from "vitest";
import { chatSettings, LIMITS, MAX_SEED, readSettings, resetDials, samplingOf, seedFor, setChatSettings, voicesFor } from "./chat-settings";

const usual = readSettings(null);

describe("settings of the chat", () => {
  it("are read as they were kept, and what is damaged is as if it had never been set", () => {
    const set = { ...usual, who: "both", temperature: 1.2, topK: 40, seed: 7 };
    expect(readSettings(JSON.stringify(set))).toEqual(set);
    expect(readSettings(JSON.stringify({ temperature: 9, topK: 2.5, who: "everybody", seed: MAX_SEED + 1, maxNewTokens: 40, other: 1 }))).toEqual({ ...usual, maxNewTokens: 40 });
    for (const bad of ["", "{", "[]", "7", "null"]) expect(readSettings(bad)).toEqual(usual);
    for (const [dial, { usual: value, min, max }] of Object.entries(LIMITS)) expect(value >= min && value <= max, dial).toBe(true);
  });

  it("are set without a place to keep them, and put back, but for who answers", () => {
    setChatSettings({ who: "base", temperature: 1.5, seed: 3 });
    expect(chatSettings.get()).toMatchObject({ who: "base", temperature: 1.5, seed: 3 });
    resetDials();
    expect(chatSettings.get()).toEqual({ ...usual, who: "base" });
  });

  it("leave out samplers that do nothing", () => {
    expect(samplingOf(usual)).toEqual({ temperature: 0.7, topP: 0.95, maxNewTokens: 120 });
    expect(samplingOf({ ...usual, topK: 40, repetitionPenalty: 1.1 })).toMatchObject({ topK: 40, repetitionPenalty: 1.1 });
  });

  it("ask nobody taught where nobody was", () => {
    expect([voicesFor("both", true), voicesFor("tuned", true), voicesFor("base", true), voicesFor("both", false), voicesFor("tuned", false)]).toEqual([["base", "tuned"], ["tuned"], ["base"], ["base"], ["base"]]);
  });

  it("give each version of an answer another seed, the same ones again where it is fixed", () => {
    expect(seedFor({ seed: 5 }, [])).toBe(5);
    expect(seedFor({ seed: 5 }, [5, 6, undefined])).toBe(7);
    expect(seedFor({ seed: MAX_SEED }, [MAX_SEED])).toBe(0);
    const drawn = Array.from({ length: 40 }, () => seedFor({ seed: null }, []));
    expect(new Set(drawn).size).toBeGreaterThan(20);
    expect(drawn.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED)).toBe(true);
  });
});
