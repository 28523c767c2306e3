import { describe, expect, it } from "vitest";
import { fraction, listed } from "./phrases";
import { prose } from "./testing/prose";
import { type SplitDocument, type SplitOptions, splitDocuments } from "./split";
import { explainSplit } from "./split-words";

const pieces = (n: number): SplitDocument[] => Array.from({ length: n }, (_, i) => ({ id: `d${i}`, text: prose(`s${i}`, 3) }));
const book = (id: string, paragraphs: number): SplitDocument => ({ id, text: prose(id, paragraphs) });
const explained = (documents: SplitDocument[], options?: SplitOptions): string => explainSplit(splitDocuments(documents, 1, options), (id) => `Text ${id}`).join(" ");

describe("explainSplit", () => {
  it("counts pieces and words when whole pieces are dealt", () => {
    const split = splitDocuments(pieces(40), 1);
    const { words, documents } = split.rule;
    const text = explained(pieces(40));
    const number = (n: number): string => n.toLocaleString("en-GB");
    expect(text).toContain(`learns from ${documents.train} pieces, ${number(words.train)} words`);
    expect(text).toContain(`${documents.validation} pieces (${number(words.validation)} words) are kept aside`);
    expect(text).toContain(`and ${documents.test} pieces (${number(words.test)} words) for the comparison`);
    expect(text).not.toMatch(/repeat|come no nearer/);
  });

  it.each<[string, SplitDocument[], SplitOptions, RegExp]>([
    ["one piece", [book("a", 40)], {}, /^This is one piece, so it is cut in order: the model learns from the first 80 % of the words; the next 10 %/],
    ["one piece, other shares", [book("a", 40)], { shares: { train: 0.7, validation: 0.1, test: 0.2 } }, /first 70 % .* next 10 % .* last 20 %/],
    ["two pieces", [book("a", 20), book("b", 20)], {}, /^There are too few pieces/],
    ["a book beside pieces", [book("a", 100), ...pieces(30)], {}, /^“Text a” holds much of the writing, so it is cut in order: .* The other pieces stay whole\.$/],
    ["one group", pieces(40), { groups: [["d1", "d2"]] }, /“Text d1” and “Text d2” repeat one another, so they stay on one side/],
    ["two groups", pieces(40), { groups: [["d1", "d2"], ["d5", "d6", "d7"]] }, /2 sets of pieces repeat one another; each set stays on one side/],
    ["a group that is cut", [{ id: "x", text: prose("x", 30) }, { id: "y", text: prose("x", 31) }], { groups: [["x", "y"]] }, /“Text x” and “Text y” repeat one another and hold too much .* Leave all but one of them out/],
    ["pieces too large for the shares", Array.from({ length: 12 }, (_, i) => ({ id: `${i}`, text: `p${i} ${"One two three four. ".repeat(40)}` })), { shares: { train: 0.9, validation: 0.05, test: 0.05 } }, /Whole pieces come no nearer to the 90\/5\/5 asked for/],
    ["next to nothing", [{ id: "a", text: "Two words." }], {}, /^There is too little writing/],
  ])("says why: %s", (_, documents, options, expected) => {
    expect(explained(documents, options)).toMatch(expected);
  });

  it("says nothing of nothing", () => expect(explained([])).toBe(""));
});

describe("phrases", () => {
  it("puts shares in words", () => {
    expect([0.01, 0.09, 0.19, 0.26, 0.34, 0.5, 0.78, 0.97, 1].map(fraction)).toEqual(["a little", "a tenth", "a fifth", "a quarter", "a third", "half", "four fifths", "nearly all", "all"]);
  });
  it("names a few", () => {
    expect(listed(["A"])).toBe("A");
    expect(listed(["A", "B", "C"])).toBe("A, B and C");
    expect(listed(["A", "B", "C", "D", "E"])).toBe("A, B and 3 others");
  });
});
