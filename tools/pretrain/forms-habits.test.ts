import { describe, expect, it } from "vitest";
import { Random } from "../../lib/core/random";
import { drawHabits, type Habit, writeWith } from "./forms-habits";
import { readRecipe } from "./recipe";
import { MINIATURE } from "./testing/miniature";

const TEXT = "“I don’t know,” said Ida; she looked at the clock — it was 3.15 — and went out. Nobody followed her!\n\nThe street, for once, was empty: not a cart, not a dog's bark. Was it Sunday? It wasn't.";
const write = (habits: Habit[], seed = 1, text = TEXT) => writeWith(new Set(habits), text, new Random(seed));
const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

describe("a habit", () => {
  it("that is absent changes nothing", () => expect(write([])).toBe(TEXT));

  it("of small letters leaves no capital", () => expect(write(["lowerCase"])).toBe(TEXT.toLowerCase()));

  it("of no punctuation leaves words, numbers and paragraphs", () => {
    expect(write(["noPunctuation"])).toBe("I don’t know said Ida she looked at the clock it was 3.15 and went out Nobody followed her\n\nThe street for once was empty not a cart not a dog's bark Was it Sunday It wasn't");
  });

  it("of no apostrophes joins what they part", () => {
    expect(write(["noApostrophes"])).toContain("I dont know");
    expect(write(["noApostrophes"])).toContain("dogs bark. Was it Sunday? It wasnt.");
  });

  it("of short lines gives each thought a line, without full stops", () => {
    const lines = write(["short"]).split("\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.every((line) => line !== "" && !/[.,;:]$/.test(line))).toBe(true);
    expect(words(lines.join(" "))).toEqual(words(TEXT));
  });

  it("of verse breaks lines and changes no word", () => {
    const verse = write(["verse"]);
    expect(verse.split(/\s+/)).toEqual(TEXT.split(/\s+/));
    const counts = verse.split(/\n+/).map((line) => line.split(" ").length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(9);
    expect(counts.length).toBeGreaterThan(5);
  });

  it("of emoji puts some behind sentences, and one at the end", () => {
    const text = write(["emoji"]);
    expect(words(text)).toEqual(words(TEXT));
    expect(text).toMatch(/\p{Extended_Pictographic}\uFE0F?$/u);
  });

  it("of slips changes a few words, each a little, and no first letter", () => {
    const long = Array.from({ length: 40 }, () => TEXT).join(" ");
    const before = long.split(/\s+/), after = write(["typos"], 2, long).split(/\s+/);
    expect(after.length).toBe(before.length);
    const changed = after.filter((word, i) => word !== before[i]);
    expect(changed.length).toBeGreaterThan(0.005 * before.length);
    expect(changed.length).toBeLessThan(0.1 * before.length);
    for (const [i, word] of after.entries()) expect(Math.abs(word.length - (before[i] as string).length)).toBeLessThanOrEqual(1);
    const letter = (word: string | undefined) => /\p{L}/u.exec(word ?? "")?.[0];
    expect(after.every((word, i) => letter(word) === letter(before[i]))).toBe(true);
  });
});

describe("habits are drawn", () => {
  it("as often as the recipe says, and oftener beside small letters", () => {
    const { habits: shares } = readRecipe(MINIATURE).forms;
    const random = new Random("habits");
    const drawn = Array.from({ length: 5000 }, () => drawHabits(shares, random));
    const share = (habit: Habit, among = drawn) => among.filter((one) => one.has(habit)).length / among.length;
    for (const habit of ["lowerCase", "typos", "short", "emoji", "verse"] as const) expect(Math.abs(share(habit) - shares[habit])).toBeLessThan(0.015);
    const small = drawn.filter((one) => one.has("lowerCase")), others = drawn.filter((one) => !one.has("lowerCase"));
    for (const habit of ["noPunctuation", "noApostrophes"] as const) {
      expect(share(habit, others)).toBeLessThan(shares[habit] + 0.02);
      expect(share(habit, small)).toBeGreaterThan(0.25);
    }
  });

  it("never, where the recipe says so", () => {
    const none = { lowerCase: 1, noPunctuation: 0, noApostrophes: 0, typos: 0, short: 0, emoji: 0, verse: 0 };
    for (let seed = 0; seed < 50; seed++) expect([...drawHabits(none, new Random(seed))]).toEqual(["lowerCase"]);
  });
});
