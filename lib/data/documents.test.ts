import { describe, expect, it } from "vitest";
import { DuctusError } from "../core/errors";
import { MIN_WORDS_TO_TRAIN, readFile, requireEnoughWords, splitPieces, withoutDuplicates } from "./documents";
import { prose, wrap } from "./testing/prose";
import { countWords } from "./words";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const headed = (n: number, paragraphs = 2): string[] => Array.from({ length: n }, (_, i) => `A walk, number ${i + 1}\n\n${prose(`p${i}`, paragraphs)}`);
const plain = (n: number): string[] => Array.from({ length: n }, (_, i) => prose(`q${i}`, 2));

describe("pieces in one file", () => {
  it.each(["\n\n---\n\n", "\n\n=====\n\n", "\n\n***\n\n", "\n\f\n", "\f"])("parts headed pieces at %j", (separator) => {
    expect(splitPieces(readFile("a.txt", utf8(headed(5).join("\n\n"))).documents[0]?.text ?? "")).toHaveLength(1);
    const { documents } = readFile("/home/me/walks.txt", utf8(headed(5).join(separator)));
    expect(documents.map((d) => d.name)).toEqual(headed(5).map((_, i) => `A walk, number ${i + 1}`));
    expect(documents.map((d) => d.text)).toEqual(headed(5));
    expect(documents.every((d) => d.words === countWords(d.text))).toBe(true);
  });

  it("parts short pieces without headings at ruled lines and form feeds, with numbered names", () => {
    for (const separator of ["\n\n---\n\n", "\n\f\n"]) {
      expect(readFile("notes.md", utf8(plain(4).join(separator))).documents.map((d) => [d.name, d.text])).toEqual(plain(4).map((text, i) => [`notes, piece ${i + 1}`, text]));
    }
  });

  it.each([
    ["scene breaks of a story", plain(12).join("\n\n***\n\n")],
    ["spaced scene breaks", headed(6).join("\n\n* * *\n\n")],
    ["long stretches between rules", Array.from({ length: 5 }, (_, i) => prose(`long${i}`, 30)).join("\n\n---\n\n")],
    ["chapters", Array.from({ length: 6 }, (_, i) => `Chapter ${i + 1}\n\n${prose(`c${i}`, 12)}`).join("\n\n---\n\n")],
    ["Markdown headings", Array.from({ length: 6 }, (_, i) => `A heading here\n--------------\n\n${prose(`h${i}`, 12)}`).join("\n\n")],
    ["one rule", plain(2).join("\n\n---\n\n")],
  ])("leaves %s in one document", (_, text) => {
    expect(readFile("a.txt", utf8(text)).documents).toHaveLength(1);
  });

  it("joins pages that form feeds cut in the middle of sentences", () => {
    const text = prose("pages", 40);
    const lines = wrap(text, 70).split("\n");
    const pages: string[] = [];
    for (let i = 0; i < lines.length; i += 23) pages.push(lines.slice(i, i + 23).join("\n"));
    const { documents } = readFile("report.txt", utf8(pages.join("\n\f")));
    expect(documents).toHaveLength(1);
    expect(documents[0]?.text).not.toContain("\f");
    expect(documents[0]?.text.match(/\p{L}+/gu)).toEqual(text.match(/\p{L}+/gu));
  });
});

describe("what is left out", () => {
  it("drops exact duplicates and says of what", () => {
    const documents = ["one text", "another", "one  text"].map((text, i) => ({ name: `n${i}`, text, words: 2 }));
    const result = withoutDuplicates(documents, [{ name: "old", text: "another\n" }]);
    expect(result.documents.map((d) => d.name)).toEqual(["n0"]);
    expect(result.leftOut).toEqual([
      { name: "n1", reason: "It is the same text as “old”, which is already here." },
      { name: "n2", reason: "It is the same text as “n0”, which is already here." },
    ]);
  });

  it("asks for more words in words", () => {
    expect(() => requireEnoughWords([{ words: MIN_WORDS_TO_TRAIN - 1 }, { words: 1 }])).not.toThrow();
    const tooFew = (): void => requireEnoughWords([{ words: 120 }, { words: 7 }]);
    expect(tooFew).toThrow(DuctusError);
    expect(tooFew).toThrow(/127 words.*300/);
  });
});
