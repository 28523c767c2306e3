import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseSampleWriter, SAMPLE_IDS, sampleDocuments } from "./samples";
import { DEFAULT_SEED, type PartName, partsOf, splitDocuments } from "./split";
import { countWords, sentenceSpans, wordSpans } from "./words";

const fold = (text: string): string[] => [...wordSpans(text)].map(({ start, end }) => text.slice(start, end).toLowerCase().replace(/’/g, "'"));
const load = (id: string): unknown => JSON.parse(readFileSync(new URL(`../../public/samples/${id}.json`, import.meta.url), "utf8"));

describe.each(SAMPLE_IDS)("the sample writer %s", (id) => {
  const documents = (): ReturnType<typeof sampleDocuments> => sampleDocuments(parseSampleWriter(load(id)));

  it("has at least 40 pieces and 8,000 words", () => {
    const sample = parseSampleWriter(load(id));
    expect(sample.id).toBe(id);
    expect(sample.pieces.length).toBeGreaterThanOrEqual(40);
    expect(documents().reduce((sum, d) => sum + d.words, 0)).toBeGreaterThanOrEqual(8000);
    expect(new Set(sample.pieces.map((p) => p.title)).size).toBe(sample.pieces.length);
  });

  it("says no sentence twice", () => {
    const seen = new Map<string, string>();
    const twice: string[] = [];
    for (const { name, text } of documents()) {
      for (const { start, end } of sentenceSpans(text)) {
        const words = fold(text.slice(start, end));
        if (words.length < 3) continue; // a signature, a "Well!"
        const key = words.join(" ");
        const where = seen.get(key);
        if (where !== undefined) twice.push(`“${key}” in ${where} and ${name}`);
        seen.set(key, name);
      }
    }
    expect(twice).toEqual([]);
  });

  it("has at most 3 % of the held-out word 5-grams in the training pieces", () => {
    const split = splitDocuments(documents().map((d, i) => ({ id: String(i), text: d.text })), DEFAULT_SEED);
    expect(split.rule.byDocument).toBe(true);
    const grams = (part: PartName): string[] =>
      partsOf(split, part).flatMap((p) => {
        const words = fold(p.text);
        return words.slice(4).map((_, i) => words.slice(i, i + 5).join(" "));
      });
    const known = new Set(grams("train"));
    for (const part of ["validation", "test"] as const) {
      const held = grams(part);
      expect(held.length).toBeGreaterThan(500);
      const found = held.filter((gram) => known.has(gram));
      expect(found.length / held.length, `${part}: ${[...new Set(found)].slice(0, 20).join(" | ")}`).toBeLessThanOrEqual(0.03);
    }
  });

  it("counts the words it will be split by", () => {
    for (const d of documents()) expect(d.words).toBe(countWords(d.text));
  });
});

describe("parseSampleWriter", () => {
  it.each([null, [], { id: "a" }, { id: "a", name: "b", about: "c", pieces: [] }, { id: "a", name: "b", about: "c", pieces: [{ title: "t", text: 5 }] }, { id: "a", name: "b", about: "c", pieces: [{ title: "t", text: "x" }], more: 1 }])("refuses %j", (value) => {
    expect(() => parseSampleWriter(value)).toThrow(/damaged/);
  });
});
