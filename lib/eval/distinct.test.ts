import { expect, it } from "vitest";
import { distinct, equalAmounts } from "./distinct";

const TEXTS = ["the cat saw the cat", "the dog saw the cat run", "so"].map((text) => text.split(" "));

it("counts different n-grams over all, of all texts together", () => {
  // the cat, cat saw, saw the, the cat | the dog, dog saw, saw the, the cat, cat run
  expect(distinct(TEXTS, 2)).toBe(6 / 9);
  expect(distinct(TEXTS, 1)).toBe(6 / 12);
  // the cat saw, cat saw the, saw the cat | the dog saw, dog saw the, saw the cat, the cat run
  expect(distinct(TEXTS, 3)).toBe(6 / 7);
});

it("does not take two words for one, or tokens for other tokens", () => {
  expect(distinct([["a b", "c"], ["a", "b c"]], 2)).toBe(1);
  expect(distinct([[1, 23], [12, 3], [1, 23]], 2)).toBe(2 / 3);
});

it("is no number where there is nothing to count", () => {
  expect(distinct([["alone"]], 2)).toBeNaN();
});

it("cuts pairs to the shorter one", () => {
  expect(equalAmounts([["a", "b", "c"], ["d"], []], [["e"], ["f", "g"], ["h"]])).toEqual([[["a"], ["d"], []], [["e"], ["f"], []]]);
});
