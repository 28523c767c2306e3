import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { cutPassages, type Passage } from "./passages";
import { prose, sentence } from "./testing/prose";
import { verse } from "./testing/verse";
import { countWords } from "./words";

const length = { low: 25, high: 60, max: 90 };
const cut = (text: string, l = length): Passage[] => cutPassages(text, () => l);

function expectCover(text: string, passages: readonly Passage[]): void {
  passages.forEach((p, i) => {
    expect(p.start).toBe(i === 0 ? 0 : passages[i - 1]?.end);
    expect(text.slice(p.start, p.end).trim()).toBe(p.text.trim());
    expect(p.words).toBe(countWords(p.text));
    expect(p.words).toBeGreaterThan(0);
  });
  if (passages.length > 0) expect(passages.at(-1)?.end).toBe(text.length);
  expect(passages.reduce((sum, p) => sum + p.words, 0)).toBe(countWords(text));
}

describe("cutPassages", () => {
  it("makes runs of whole paragraphs", () => {
    const p = (n: number, c: string): string => Array.from({ length: n }, () => c).join(" ");
    const text = [p(10, "a"), p(20, "b"), p(30, "c"), p(24, "d"), p(30, "e"), p(8, "f")].join("\n\n");
    expect(cut(text).map((x) => x.text)).toEqual([`${p(10, "a")}\n\n${p(20, "b")}`, p(30, "c"), `${p(24, "d")}\n\n${p(30, "e")}`, p(8, "f")]);
  });

  it("joins a short end to the passage before where both fit", () => {
    const p = (n: number, c: string): string => Array.from({ length: n }, () => c).join(" ");
    expect(cut(`${p(30, "a")}\n\n${p(8, "b")}`).map((x) => x.words)).toEqual([38]);
    expect(cut(`${p(55, "a")}\n\n${p(8, "b")}`).map((x) => x.words)).toEqual([55, 8]);
    expect(cut("Four words, not more.").map((x) => x.text)).toEqual(["Four words, not more."]);
    expect(cut("  \n\n * * * \n")).toEqual([]);
  });

  it("cuts a long paragraph at sentence ends, never inside a sentence that fits", () => {
    const random = new Random("long");
    const text = Array.from({ length: 60 }, () => sentence(random)).join(" ");
    const passages = cut(text);
    expectCover(text, passages);
    for (const p of passages) expect(p.text).toMatch(/\.$/);
    for (const p of passages.slice(0, -1)) expect(p.words).toBeGreaterThanOrEqual(length.low);
  });

  it("cuts a sentence beyond the limit at clauses, and words without any at words", () => {
    const clauses = `${Array.from({ length: 30 }, (_, i) => `clause ${i} of seven words or so`).join(", ")}.`;
    const passages = cut(clauses);
    expectCover(clauses, passages);
    for (const p of passages) expect(p.text).toMatch(/[,.]$/);
    const endless = Array.from({ length: 400 }, () => "word").join(" ");
    expectCover(endless, cut(endless));
    for (const p of [...passages, ...cut(endless)]) expect(p.words).toBeLessThanOrEqual(length.max);
  });

  it("keeps the lines of verse", () => {
    const random = new Random("verse");
    const text = Array.from({ length: 40 }, () => sentence(random, 7).slice(0, -1)).join("\n");
    const passages = cut(text);
    expectCover(text, passages);
    const lines = text.split("\n");
    for (const p of passages) for (const line of p.text.split("\n")) expect(lines).toContain(line);
  });

  it("keeps the indents of verse, of first lines and of stanzas too", () => {
    const text = ["one small word more", "        than was asked", "", "    and so we went", "home by the long way", "    past the mill"].join("\n");
    expect(cutPassages(text, () => ({ low: 3, high: 9, max: 20 })).map((p) => p.text)).toEqual(["one small word more\n        than was asked", "    and so we went\nhome by the long way", "past the mill"]);
    for (const indent of ["  ", "    "]) {
      const poem = verse(indent, { stanzas: 20, lines: 5, chars: [12, 50], indent });
      const lines = new Set(poem.split("\n"));
      const passages = cut(poem);
      expectCover(poem, passages);
      for (const p of passages) if (p.text.includes("\n")) for (const line of p.text.split("\n")) expect(lines.has(line)).toBe(true);
    }
  });

  it("keeps long lines of verse whole, and cuts paragraphs that stand on lines of their own", () => {
    const poem = verse("long", { stanzas: 10, lines: 5, chars: [330, 400] }).replace(/^(.{150,160}\S) /gm, "$1. "); // 70 to 90 words a line, in two sentences
    const lines = new Set(poem.split("\n"));
    const l = { low: 25, high: 60, max: 120 };
    for (const p of cut(poem, l)) for (const line of p.text.split("\n")) if (line !== "") expect(lines.has(line)).toBe(true);
    const random = new Random("solid");
    const solid = Array.from({ length: 20 }, () => Array.from({ length: 9 }, () => sentence(random, 10)).join(" ")).join("\n");
    for (const p of cut(solid, l)) expect(p.words).toBeLessThanOrEqual(l.high);
  });

  it("covers any text, within the limits", () => {
    const random = new Random("property");
    for (let round = 0; round < 200; round++) {
      let text = "";
      for (let i = random.int(10); i >= 0; i--) text += random.pick([() => prose(round * 20 + i, 1 + random.int(6)), () => "\n\n***\n\n", () => "昨天我去了北京。".repeat(20), () => `\n${sentence(random, 1 + random.int(200))}\n`, () => "  \n", () => "No. "])();
      const l = { low: random.pick([15, 25, 40]), high: random.pick([60, 90, 120]), max: 120 };
      const passages = cutPassages(text, () => l);
      expectCover(text, passages);
      for (const p of passages) expect(p.words).toBeLessThanOrEqual(l.max);
    }
  });
});
