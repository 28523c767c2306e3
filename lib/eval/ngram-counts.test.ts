import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { KneserNey } from "./kneser-ney";
import { countNgrams, type NgramCounts } from "./ngram-counts";

const END = 3;
const random = new Random("ngram-counts");
const DOCUMENTS = [17, 0, 1, 40, 25].map((length) => Array.from({ length }, () => [0, 1, 2, 5][random.int(4)]!));
const file = Uint16Array.from(DOCUMENTS.flatMap((document) => [...document, END]));

/** By a walk through every document, n-grams written out: raw counts, and the different tokens before each. */
function byHand(order: number, n: number): Map<string, { count: number; before: Set<number> }> {
  const found = new Map<string, { count: number; before: Set<number> }>();
  for (const document of DOCUMENTS) {
    const all = [...Array<number>(order - 1).fill(END), ...document, END];
    for (let at = 0; at + n <= all.length; at++) {
      const key = all.slice(at, at + n).join();
      const known = found.get(key) ?? { count: 0, before: new Set() };
      known.count++;
      if (at > 0) known.before.add(all[at - 1]!);
      found.set(key, known);
    }
  }
  return found;
}

function listed({ tokens, tables }: NgramCounts, n: number): [string, number][] {
  const { places, cumulative } = tables[n]!;
  return [...places].map((place, i) => [tokens.slice(place, place + n).join(), cumulative[i + 1]! - cumulative[i]!]);
}

describe.each([2, 3, 5])("n-grams up to order %i", (order) => {
  const counts = countNgrams(file, END, order);

  it("are counted at the highest order", () => {
    expect(new Map(listed(counts, order))).toEqual(new Map([...byHand(order, order)].map(([key, { count }]) => [key, count])));
  });

  it("below it have the number of different tokens before them, and are all there", () => {
    for (let n = order - 1; n >= 2; n--) expect(new Map(listed(counts, n))).toEqual(new Map([...byHand(order, n)].map(([key, { before }]) => [key, before.size])));
    expect([...counts.continuations]).toEqual(Array.from({ length: 6 }, (_, token) => byHand(order, 1).get(String(token))?.before.size ?? 0));
  });

  it("stand in order, each once", () => {
    for (let n = order; n >= 2; n--) {
      const keys = listed(counts, n).map(([key]) => key); // tokens of one digit
      expect(keys).toEqual([...new Set(keys)].sort());
    }
  });
});

it("takes tokens of 32 bits", () => {
  const wide = Uint32Array.from(file, (token) => (token === END ? 100_000 : token));
  const narrow = countNgrams(file, END, 3), other = countNgrams(wide, 100_000, 3);
  expect([...other.tables[2]!.cumulative].at(-1)).toBe([...narrow.tables[2]!.cumulative].at(-1));
  expect(other.tables[3]!.places).toHaveLength(narrow.tables[3]!.places.length);
});

it("refuses what has no end, and an order that has no context", () => {
  expect(() => countNgrams(Uint16Array.of(1, 2), END, 3)).toThrow(RangeError);
  expect(() => countNgrams(new Uint16Array(0), END, 3)).toThrow(RangeError);
  expect(() => countNgrams(file, END, 1)).toThrow(RangeError);
});

describe("KneserNey", () => {
  const model = new KneserNey(countNgrams(file, END, 3));

  it("gives the tokens that may follow a probability of 1 together, inside a document", () => {
    // At a document's beginning NLTK's formula counts the end token as one that follows, and something is left over.
    for (const context of [[0, 1, 2], [5, 5, 0], [2, 1]]) {
      const total = [0, 1, 2, END, 5].reduce((sum, token) => {
        const document = token === END ? context : [...context, token];
        return sum + Math.exp(model.logProbs(document, [0.75])[0]![context.length]!);
      }, 0);
      expect(total).toBeCloseTo(1, 9);
    }
  });

  it("gives several discounts at once what it gives each alone", () => {
    const [low, high] = model.logProbs(DOCUMENTS[3]!, [0.2, 0.9]);
    expect(low).toEqual(model.logProbs(DOCUMENTS[3]!, [0.2])[0]);
    expect(high).toEqual(model.logProbs(DOCUMENTS[3]!, [0.9])[0]);
    expect(low).not.toEqual(high);
  });

  it("has no probability for a token that never occurred", () => {
    const [logProbs] = model.logProbs([0, 4, 0, 999], [0.75]);
    expect([...logProbs!].map(Number.isFinite)).toEqual([true, false, true, false, true]);
  });
});
