import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { chooseKeyWords, contentWords, MAX_KEY_WORDS, toMessages } from "./forms";
import { prose } from "./testing/prose";

describe("toMessages", () => {
  it("writes the exact strings the model was taught", () => {
    expect(toMessages({ form: "continue", passage: "Snow lay.\n\nIt was cold." })).toEqual([{ role: "user", content: "Continue:\n\nSnow lay.\n\nIt was cold." }]);
    expect(toMessages({ form: "keywords", words: ["harbour", "letter"] })).toEqual([{ role: "user", content: "Write with these words: harbour, letter" }]);
  });
});

describe("key words", () => {
  it("are content words of four letters or more, lower case, once each, in order", () => {
    expect(contentWords("The Harbour, with its LETTERS: the harbour would freeze. Don’t; mother's cat 1984 ate über Ölöfen.")).toEqual(["harbour", "letters", "freeze", "mother's", "über", "ölöfen"]);
    expect(contentWords("And then they were there, all of it.")).toEqual([]);
    expect(contentWords("我昨天去了北京").every((w) => w.length >= 2)).toBe(true);
    expect(contentWords("我昨天去了北京").length).toBeGreaterThan(0);
  });

  it("are one to eight, of the passage, half the time in order", () => {
    const random = new Random(1);
    const passage = prose(3, 2);
    const all = contentWords(passage);
    const counts = new Set<number>();
    let ordered = 0, several = 0;
    for (let i = 0; i < 2000; i++) {
      const words = chooseKeyWords(passage, random) as string[];
      counts.add(words.length);
      expect(new Set(words).size).toBe(words.length);
      const places = words.map((w) => all.indexOf(w));
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      if (words.length < 5) continue;
      several++;
      if (places.every((p, k) => k === 0 || p > (places[k - 1] as number))) ordered++;
    }
    expect([...counts].sort((a, b) => a - b)).toEqual(Array.from({ length: MAX_KEY_WORDS }, (_, i) => i + 1));
    expect(ordered / several).toBeGreaterThan(0.42);
    expect(ordered / several).toBeLessThan(0.58);
  });

  it("are the same for the same seed, and null where there are none", () => {
    expect(chooseKeyWords(prose(1, 1), new Random("x"))).toEqual(chooseKeyWords(prose(1, 1), new Random("x")));
    expect(chooseKeyWords("And so it was.", new Random(1))).toBeNull();
  });
});
