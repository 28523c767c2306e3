import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { prose, sentence } from "./testing/prose";
import { DOMINANT_SHARE, type PartName, partsOf, PART_NAMES, shareFault, SHARES, type Shares, type Split, type SplitDocument, splitDocuments } from "./split";
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

/** Stored hands rely on the same documents being dealt in the same way for ever: these were dealt before shares and groups could be chosen. */
describe("what stored hands rely on", () => {
  const sample = (id: string): SplitDocument[] => documents(...(JSON.parse(readFileSync(new URL(`../../public/samples/${id}.json`, import.meta.url), "utf8")) as { pieces: { text: string }[] }).pieces.map((p) => p.text));
  const fingerprint = (split: Split): string => createHash("sha256").update(JSON.stringify(split.parts.map((p) => [p.part, p.documentId, p.start, p.end]))).digest("hex").slice(0, 16);
  const beside = [{ id: "book", text: prose("book", 100) }, ...Array.from({ length: 30 }, (_, i) => ({ id: `d${i}`, text: prose(`be${i}`, 3) }))];
  const indented = Array.from({ length: 80 }, (_, i) => `${i % 2 ? "    " : ""}${prose(`l${i}`, 1).slice(0, 40)}${i % 8 === 7 ? "\n" : ""}`).join("\n");
  it.each<[string, SplitDocument[], [string, string, string]]>([
    ["equal pieces", pieces(20, "pin"), ["f602d298490e1912", "6145ee97863ba006", "84e02db71c8bc61b"]],
    ["uneven pieces", documents(...Array.from({ length: 60 }, (_, i) => prose(`un${i}`, 1 + ((i * 7) % 11)))), ["c82e6c7fe208928c", "f37f9a41fd499792", "e40ed8d52edae9d1"]],
    ["a book", [{ id: "book", text: prose("book", 200) }], ["1949b8a6a3fed0d0", "1949b8a6a3fed0d0", "1949b8a6a3fed0d0"]],
    ["a book beside pieces", beside, ["4fcb3a5845112f90", "22b78ee632978fda", "310ec17cc8a9f8bf"]],
    ["too few pieces", documents(...Array.from({ length: 4 }, (_, i) => prose(`few${i}`, 8))), ["8b76b9e1c47fa288", "8b76b9e1c47fa288", "8b76b9e1c47fa288"]],
    ["the diary", sample("allotment"), ["303d7b2c59ddd050", "24275d23c19918b9", "0d59431dbe941aa4"]],
    ["the letters", sample("letters"), ["ad6af1777b167643", "d038bc871a2d7938", "d1f0706db71d9240"]],
    ["indented lines", [{ id: "v", text: indented }], ["6490259d20e5ccff", "6490259d20e5ccff", "6490259d20e5ccff"]],
  ])("is unchanged for %s", (_, docs, expected) => {
    const seeds = [1, 2, 77];
    expect(seeds.map((seed) => fingerprint(splitDocuments(docs, seed)))).toEqual(expected);
    expect(seeds.map((seed) => fingerprint(splitDocuments(docs, seed, { shares: SHARES, groups: [] })))).toEqual(expected);
    expect(seeds.map((seed) => fingerprint(splitDocuments(docs, seed, { groups: docs.map((d) => [d.id]) })))).toEqual(expected);
  });
});

describe("shares", () => {
  const of = (train: number, validation: number, test: number): Shares => ({ train, validation, test });

  it("are kept to, by document and by block", () => {
    for (const shares of [of(0.7, 0.15, 0.15), of(0.9, 0.05, 0.05), of(0.6, 0.1, 0.3), of(0.5, 0.2, 0.3)]) {
      for (const docs of [pieces(100), documents(prose("book", 200))]) {
        const { words } = splitDocuments(docs, 3, { shares }).rule;
        const total = words.train + words.validation + words.test;
        for (const part of PART_NAMES) expect(Math.abs(words[part] / total - shares[part])).toBeLessThan(0.025);
      }
    }
  });

  it.each<[Shares, RegExp | null]>([
    [SHARES, null],
    [of(0.96, 0.02, 0.02), null],
    [of(0.5, 0.25, 0.25), null],
    [of(0.4, 0.3, 0.3), /to learn from is 40 %; at least 50 %/],
    [of(0.97, 0.02, 0.01), /to learn from is 97 %; at most 96 %/],
    [of(0.9, 0.09, 0.01), /for the comparison is 1 %; at least 2 %/],
    [of(0.6, 0.35, 0.05), /check it while it learns is 35 %; at most 30 %/],
    [of(0.7, 0.1, 0.1), /make 90 % together/],
    [of(NaN, 0.1, 0.1), /not a number/],
  ])("%j: %s", (shares, fault) => {
    if (fault === null) expect(shareFault(shares)).toBeNull();
    else {
      expect(shareFault(shares)).toMatch(fault);
      expect(() => splitDocuments(pieces(20), 1, { shares })).toThrow(fault);
    }
  });
});

describe("groups", () => {
  const partOf = (split: Split, id: string): PartName[] => split.parts.filter((p) => p.documentId === id).map((p) => p.part);

  it("stay in one part, whatever the documents, shares and seed", () => {
    const random = new Random("groups");
    for (let round = 0; round < 150; round++) {
      const docs = documents(...Array.from({ length: 6 + random.int(60) }, (_, i) => prose(`${round}/${i}`, 1 + random.int(6))));
      const groups = Array.from({ length: 1 + random.int(8) }, () => Array.from({ length: 1 + random.int(4) }, () => `d${random.int(docs.length)}`));
      const split = splitDocuments(docs, round, { groups, shares: random.pick([SHARES, of3(0.6, 0.2, 0.2)]) });
      const { groupsTogether, groupsCut } = split.rule;
      for (const group of groupsTogether) expect(new Set(group.flatMap((id) => partOf(split, id))).size).toBe(1);
      for (const group of groups) {
        const set = [...groupsTogether, ...groupsCut].find((g) => g.includes(group[0] as string));
        if (new Set(group).size > 1) expect(set).toEqual(expect.arrayContaining(group));
      }
      if (docs.length > 40) expect(groupsCut).toEqual([]);
      for (const d of docs) expect(split.parts.filter((p) => p.documentId === d.id).map((p) => p.text).join("")).toBe(d.text);
    }
  });
  const of3 = (train: number, validation: number, test: number): Shares => ({ train, validation, test });

  it("without them, copies would fall on both sides", () => {
    const docs = pieces(30).flatMap((d) => [d, { id: `${d.id}-copy`, text: `${d.text}\n\nMore.` }]);
    const parted = (split: Split): number => pieces(30).filter((d) => partOf(split, d.id)[0] !== partOf(split, `${d.id}-copy`)[0]).length;
    expect(parted(splitDocuments(docs, 1))).toBeGreaterThan(3);
    expect(parted(splitDocuments(docs, 1, { groups: pieces(30).map((d) => [d.id, `${d.id}-copy`]) }))).toBe(0);
  });

  it("that hold much are learned from whole where enough is left to hold out", () => {
    const drafts = [{ id: "one", text: prose("draft", 30) }, { id: "two", text: prose("draft", 31) }];
    const split = splitDocuments([...pieces(40), ...drafts], 1, { groups: [["one", "two"]] });
    expect(split.rule).toMatchObject({ byDocument: true, groupsTogether: [["one", "two"]], groupsCut: [] });
    expect([...partOf(split, "one"), ...partOf(split, "two")]).toEqual(["train", "train"]);
    const total = PART_NAMES.reduce((sum, part) => sum + split.rule.words[part], 0);
    for (const part of PART_NAMES) expect(Math.abs(split.rule.words[part] / total - SHARES[part])).toBeLessThan(0.03);
  });

  it("that hold nearly all are cut in order, and it is said", () => {
    const drafts = [{ id: "one", text: prose("draft", 30) }, { id: "two", text: prose("draft", 31) }];
    const split = splitDocuments([...pieces(3), ...drafts], 1, { groups: [["one", "two"]] });
    expect(split.rule.groupsCut).toEqual([["one", "two"]]);
    expect(partOf(split, "one")).toEqual(["train", "validation", "test"]);
  });

  it("may name documents that are gone", () => {
    expect(splitDocuments(pieces(20), 5, { groups: [["gone", "d1"], ["away"]] })).toEqual(splitDocuments(pieces(20), 5));
  });
});
