import { describe, expect, it } from "vitest";
import { FROM_FORMS, orderOf, sequenceCount } from "./order";
import { parseRecipe, readRecipe, type Recipe } from "./recipe";
import { MINIATURE } from "./testing/miniature";

const base = readRecipe(MINIATURE);
const recipe = (change: (recipe: Recipe) => void): Recipe => {
  const copy = structuredClone(base);
  change(copy);
  return parseRecipe(JSON.stringify(copy));
};
/** Ten sequences of 64, five of 128; three of the forms, one of 128. */
const tokens = { train: 10 * 64 + 1, forms: 3 * 64 + 1 };
const plain = (entries: Uint32Array) => [...entries].filter((entry) => entry < FROM_FORMS);
const formed = (entries: Uint32Array) => [...entries].filter((entry) => entry >= FROM_FORMS).map((entry) => entry - FROM_FORMS);

describe("the order of sequences", () => {
  it("counts only sequences that have a next token for their last", () => {
    expect([0, 1, 64, 65, 128, 129].map((count) => sequenceCount(count, 64))).toEqual([0, 0, 0, 1, 1, 2]);
  });

  it("takes each sequence once before any a second time, through stable and decay", () => {
    const { stable, decay } = { stable: plain(orderOf(base, "stable", tokens)), decay: plain(orderOf(base, "decay", tokens)) };
    const all = [...stable, ...decay]; // 6 · 8 + 4 · 4 = 64 of ten
    expect(all.length).toBe(64);
    for (let epoch = 0; epoch < 6; epoch++) expect([...all.slice(10 * epoch, 10 * epoch + 10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(all.slice(0, 10)).not.toEqual(all.slice(10, 20));
  });

  it("puts the forms' sequences first in each step, in permutations of their own", () => {
    const entries = orderOf(base, "decay", tokens);
    for (let step = 0; step < 4; step++) expect([...entries.subarray(8 * step, 8 * step + 8)].map((entry) => entry >= FROM_FORMS)).toEqual([true, true, true, true, false, false, false, false]);
    const forms = formed(entries);
    for (let epoch = 0; epoch < 5; epoch++) expect([...forms.slice(3 * epoch, 3 * epoch + 3)].sort((a, b) => a - b)).toEqual([0, 1, 2]);
  });

  it("is the same each time, another with another seed, and its beginning does not hang on the steps", () => {
    const stable = orderOf(base, "stable", tokens);
    expect(orderOf(base, "stable", tokens)).toEqual(stable);
    expect(orderOf(recipe((r) => (r.seed = 1)), "stable", tokens)).not.toEqual(stable);
    expect(orderOf(recipe((r) => (r.stable.steps = 9)), "stable", tokens).subarray(0, 48)).toEqual(stable);
  });

  it("goes on where weights that were given stopped", () => {
    const later = recipe((r) => (r.init = { folder: "/given", seenSteps: 2 }));
    expect(orderOf(later, "stable", tokens).subarray(0, 32)).toEqual(orderOf(base, "stable", tokens).subarray(16));
  });

  it("counts long sequences on their own", () => {
    expect(Math.max(...plain(orderOf(base, "long", { train: tokens.train, forms: 129 })))).toBeLessThan(5);
    expect(() => orderOf(base, "long", { train: tokens.train, forms: 128 })).toThrow("too few tokens");
  });
});
