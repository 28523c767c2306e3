import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { prose, sentence } from "./testing/prose";
import { DOMINANT_SHARE, partsOf, PART_NAMES, type SplitDocument, splitDocuments } from "./split";
import { countWords } from "./words";

const documents = (...texts: string[]): SplitDocument[] => texts.map((text, i) => ({ id: `d${i}`, text }));
const pieces = (n: number, seed = "s"): SplitDocument[] => documents(...Array.from({ length: n }, (_, i) => prose(`${seed}${i}`, 3)));
const shares = (docs: SplitDocument[], seed = 1): number[] => {
  const { words } = splitDocuments(docs, seed).rule;
  const total = PART_NAMES.reduce((sum, p) => sum + words[p], 0);
  return PART_NAMES.map((p) => words[p] / total);
};

describe("splitDocuments", () => {
  it("deals whole documents near 80/10/10", () => {
    for (const n of [12, 40, 100]) {
      for (const seed of [1, 2, 3]) {
        const split = splitDocuments(pieces(n), seed);
        expect(split.rule).toMatchObject({ byDocument: true, blocks: [], tooFewDocuments: false });
        expect(split.parts).toHaveLength(n);
        const [train, validation, test] = shares(pieces(n), seed) as [number, number, number];
        expect(Math.abs(train - 0.8)).toBeLessThan(0.05);
        expect(Math.abs(validation - 0.1)).toBeLessThan(0.05);
        expect(Math.abs(test - 0.1)).toBeLessThan(0.05);
        expect(split.rule.documents.train + split.rule.documents.validation + split.rule.documents.test).toBe(n);
      }
    }
  });

  it("cuts a single document into contiguous blocks in order, at paragraph ends", () => {
    const text = prose("book", 200);
    const split = splitDocuments(documents(text), 7);
    expect(split.rule).toMatchObject({ byDocument: false, blocks: ["d0"], tooFewDocuments: false });
    expect(split.parts.map((p) => p.part)).toEqual(["train", "validation", "test"]);
    expect(split.parts.slice(0, 2).every((p) => p.text.endsWith("\n\n"))).toBe(true);
    shares(documents(text)).forEach((share, i) => expect(Math.abs(share - ([0.8, 0.1, 0.1][i] as number))).toBeLessThan(0.01));
    expect(splitDocuments(documents(text), 8).parts).toEqual(split.parts); // blocks do not depend on the seed
  });

  it("cuts one paragraph at sentence ends, one endless sentence at words", () => {
    const random = new Random("one");
    const paragraph = Array.from({ length: 100 }, () => sentence(random)).join(" ");
    for (const part of splitDocuments(documents(paragraph), 1).parts) expect(part.text.trim()).toMatch(/\.$/);
    const endless = Array.from({ length: 500 }, (_, i) => `word${i}`).join(" ");
    const cut = splitDocuments(documents(endless), 1);
    expect(cut.parts.map((p) => countWords(p.text))).toEqual([400, 50, 50]);
    const verse = Array.from({ length: 100 }, () => sentence(random, 6).slice(0, -1)).join("\n");
    for (const part of splitDocuments(documents(verse), 1).parts.slice(0, 2)) expect(part.text).toMatch(/\n$/);
  });

  it("cuts what is more than 30 % of the words and deals the rest", () => {
    const docs = [...pieces(30), { id: "book", text: prose("book", 100) }];
    const split = splitDocuments(docs, 1);
    expect(split.rule.blocks).toEqual(["book"]);
    expect(split.rule.byDocument).toBe(false);
    for (const d of docs.slice(0, 30)) expect(split.parts.filter((p) => p.documentId === d.id)).toHaveLength(1);
    const total = docs.reduce((sum, d) => sum + countWords(d.text), 0);
    for (const d of docs) expect(split.rule.blocks.includes(d.id)).toBe(countWords(d.text) > DOMINANT_SHARE * total);
  });

  it("keeps a few small documents beside a book for learning", () => {
    const split = splitDocuments([{ id: "book", text: prose("book", 100) }, ...pieces(2)], 1);
    expect(split.rule).toMatchObject({ blocks: ["book"], tooFewDocuments: false });
    expect(split.parts.filter((p) => p.documentId !== "book").map((p) => p.part)).toEqual(["train", "train"]);
  });

  it("cuts all of very few documents and says so", () => {
    const two = splitDocuments(documents(prose("a", 20), prose("b", 20)), 1);
    expect(two.rule.blocks).toHaveLength(2); // each is more than 30 %
    const equal = "One two three four five six. Seven eight nine ten. ";
    const four = splitDocuments(documents(...["a", "b", "c", "d"].map((x) => `${x} ${equal.repeat(30)}`)), 1);
    expect(four.rule).toMatchObject({ byDocument: false, tooFewDocuments: true });
    expect(four.rule.blocks).toHaveLength(4);
    expect(four.rule.documents).toEqual({ train: 4, validation: 4, test: 4 });
  });

  it("does not depend on ids, and does on the seed", () => {
    const a = pieces(20), b = a.map((d, i) => ({ ...d, id: `other${i}` }));
    const parts = (docs: SplitDocument[], seed: number): string[] => splitDocuments(docs, seed).parts.map((p) => `${p.part} ${p.start} ${p.end}`);
    expect(parts(a, 5)).toEqual(parts(b, 5));
    expect(parts(a, 5)).not.toEqual(parts(a, 6));
  });

  it("copes with nothing and next to nothing", () => {
    expect(splitDocuments([], 1)).toMatchObject({ parts: [], rule: { byDocument: true } });
    expect(splitDocuments(documents("word"), 1).parts).toEqual([{ part: "train", documentId: "d0", text: "word", start: 0, end: 4 }]);
    expect(splitDocuments(documents("***", "…"), 1).parts.map((p) => p.text)).toEqual(["***", "…"]);
  });

  it("loses nothing, doubles nothing, and holds out something, whatever the documents", () => {
    const random = new Random("property");
    for (let round = 0; round < 150; round++) {
      const n = 1 + random.int(random.pick([3, 8, 40]));
      const docs = documents(...Array.from({ length: n }, (_, i) => random.pick([() => prose(`${round}/${i}`, 1 + random.int(30)), () => Array.from({ length: 1 + random.int(60) }, () => sentence(random)).join(random.pick([" ", "\n"])), () => `  \n\n${prose(i, 2)}\n\n\n`])()));
      const seed = random.int(1000);
      const split = splitDocuments(docs, seed);
      expect(splitDocuments(docs, seed)).toEqual(split);
      for (const d of docs) {
        const own = split.parts.filter((p) => p.documentId === d.id);
        expect(own.map((p) => p.text).join("")).toBe(d.text);
        own.forEach((p, i) => {
          expect(p.start).toBe(i === 0 ? 0 : own[i - 1]?.end);
          expect(d.text.slice(p.start, p.end)).toBe(p.text);
        });
        expect(own.length === 1 || own.map((p) => p.part).join() === "train,validation,test").toBe(true);
      }
      const total = docs.reduce((sum, d) => sum + countWords(d.text), 0);
      const counted = PART_NAMES.map((part) => partsOf(split, part).reduce((sum, p) => sum + countWords(p.text), 0));
      expect(counted).toEqual(PART_NAMES.map((part) => split.rule.words[part]));
      expect(counted.reduce((a, b) => a + b, 0)).toBe(total);
      if (total >= 300) {
        expect((counted[0] as number) / total).toBeGreaterThan(0.55);
        expect((counted[1] as number) / total).toBeGreaterThan(0.03);
        expect((counted[2] as number) / total).toBeGreaterThan(0.03);
      }
    }
  });
});
