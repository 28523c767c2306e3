import { describe, expect, it } from "vitest";
import { prose } from "./testing/prose";
import { partsOf, splitDocuments } from "./split";
import { heldOutPassages, somePassages } from "./held-out-passages";

const split = splitDocuments(Array.from({ length: 30 }, (_, i) => ({ id: `d${i}`, text: prose(`h${i}`, 8) })), 1);
const passages = heldOutPassages(split, 1);

describe("passages kept aside", () => {
  it("are of the test part, each with what follows it there", () => {
    const held = new Map(partsOf(split, "test").map(({ documentId, text }) => [documentId, text]));
    expect(passages.length).toBeGreaterThan(5);
    for (const { documentId, text, next } of passages) {
      const whole = held.get(documentId)!;
      expect(whole.indexOf(next)).toBeGreaterThan(whole.indexOf(text));
      expect(next).not.toBe("");
    }
  });

  it("a few of them: the same by a seed, others by another, in order", () => {
    const some = somePassages(passages, 4, 1);
    expect(some).toHaveLength(4);
    expect(somePassages(passages, 4, 1)).toEqual(some);
    expect([2, 3, 4].some((seed) => somePassages(passages, 4, seed)[0] !== some[0])).toBe(true);
    expect(some.map((one) => passages.indexOf(one))).toEqual(some.map((one) => passages.indexOf(one)).sort((a, b) => a - b));
    expect(somePassages(passages, 1000, 1)).toEqual(passages);
  });
});
