/**
 * Inputs made to be slow or to overflow: long runs on which a careless pattern
 * takes quadratic or exponential time, and more items than a call takes. Each
 * must be read to the right text; one that hangs fails by the runner's limit.
 */
import { describe, expect, it } from "vitest";
import { readFile, tidyFileName } from "./documents";
import { makeExamples } from "./examples";
import { partsOf, splitDocuments } from "./split";
import { countWords } from "./words";

const N = 300_000;
const END = `\n\n${"stone river ".repeat(200).trim()}.`;
const read = (text: string): string[] => readFile("a.txt", new TextEncoder().encode(text)).documents.map((d) => d.text);

describe("long runs", () => {
  it.each<[string, string, string]>([
    ["spaces before a word", `${" ".repeat(N)}x`, `${" ".repeat(N)}x`],
    ["spaces between words", `x${" ".repeat(N)}y`, "x y"],
    ["no-break spaces between words", `x${"\u00a0".repeat(N)}y`, "x y"],
    ["ideographic spaces between words", `x${"\u3000".repeat(N)}y`, `x${"\u3000".repeat(N)}y`],
    ["spaces after a time", `12:00${" ".repeat(N)}x`, "12:00 x"],
    ["form feeds", `x${"\f".repeat(N)}y`, "x y"],
    ["comments", `${"<!-- -->\n".repeat(60)}x`, `${"<!-- -->\n".repeat(60)}x`],
    ["marks on one letter", `a${"\u0301\u0323".repeat(N)}`, `a${"\u0301\u0323".repeat(15)}`.normalize("NFC")],
    ["hyphens", "a-".repeat(N), "a-".repeat(N)],
    ["rules", `x\n\n${"---\n\n".repeat(N / 5)}y`, `x\n\n${"---\n\n".repeat(N / 5)}y`],
  ])("reads %s", (_, text, expected) => {
    const [only, ...others] = read(text + END);
    expect(others).toEqual([]);
    expect(only === expected + END).toBe(true); // not toEqual, which would print all of it
  });

  it("joins pages that end in the middle of a sentence", () => {
    const pages = 20_000;
    const [only, ...others] = read("she went down to the river and\f".repeat(pages) + "home.");
    expect(others).toEqual([]);
    expect(countWords(only as string)).toBe(7 * pages + 1);
  });

  it("unwraps a long text without blank lines", () => {
    const line = "and so they went on along the river to the old stone bridge by the";
    const text = Array.from({ length: 40_000 }, () => line).join("\n");
    expect(read(text).join("") === text.replaceAll("\n", " ")).toBe(true);
  });

  it.each<[string, string]>([
    ["one word", "a".repeat(20_000_000) + END],
    ["one line of words", "river ".repeat(1_000_000)],
    ["one paragraph of lines", "a line of verse\n".repeat(200_000)],
    ["one clause of words", "word ".repeat(200_000)],
  ])("divides %s", (_, text) => {
    const documents = read(text).map((t) => ({ id: "1", text: t }));
    const split = splitDocuments(documents, 1);
    expect(split.parts.map((p) => p.part)).toEqual(["train", "validation", "test"]);
    const examples = makeExamples(partsOf(split, "train"), { seed: 1, continueShare: 0 });
    expect(examples.length).toBeGreaterThan(0);
  });
});

describe("file names", () => {
  it.each<[string, string]>([
    ["letters.txt", "letters.txt"],
    ["../../etc/passwd", "passwd"],
    ["C:\\texts\\a b.txt", "a b.txt"],
    ["in\u202etxt.exe", "intxt.exe"],
    ["a\u0000\n\u0007b\ud800.txt", "a b.txt"],
    ["", "Unnamed file"],
    ["\u200b", "Unnamed file"],
    [`${"x".repeat(5000)}.txt`, `${"x".repeat(115)}….txt`],
    ["__proto__", "__proto__"],
  ])("shows %j in order", (name, shown) => {
    expect(tidyFileName(name)).toBe(shown);
  });
});
