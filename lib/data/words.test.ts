import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { prose, sentence } from "./testing/prose";
import { countWords, lastWords, lineSpans, paragraphSpans, sentenceSpans, type Span, wordSpans } from "./words";

const cut = (text: string, spans: Iterable<Span>): string[] => [...spans].map(({ start, end }) => text.slice(start, end));

describe("words", () => {
  it("counts words in scripts with spaces", () => {
    expect(countWords("Don't stop — the well-known café's 3 cats, at 12.5 °C!")).toBe(10);
    expect(countWords("Привет, как дела?")).toBe(3);
    expect(countWords("नमस्ते दुनिया")).toBe(2);
    expect(countWords("  … — !! ")).toBe(0);
  });

  it("counts words in scripts without spaces by segmentation", () => {
    const n = countWords("我昨天去了北京。天气很好。");
    expect(n).toBeGreaterThanOrEqual(6);
    expect(n).toBeLessThanOrEqual(10);
    expect(countWords("สวัสดีครับ ผมชื่อสมชาย")).toBeGreaterThan(2);
  });

  it("segments long texts in slices without losing or doubling words", () => {
    const one = "昨天 go 北京。\n";
    const many = one.repeat(9000);
    expect(countWords(many)).toBe(9000 * countWords(one));
    const spans = [...wordSpans(many)];
    expect(spans.every((s, i) => i === 0 || s.start >= (spans[i - 1] as Span).end)).toBe(true);
  });

  it("takes the last words with the quotation mark that opens them", () => {
    expect(lastWords("One two. “Three four,” said five.", 4)).toBe("“Three four,” said five.");
    expect(lastWords("One two.", 4)).toBe("One two.");
  });
});

describe("spans", () => {
  it("does not end a sentence after a title or an initial", () => {
    const text = "Mr. Hall met Dr. Brown and J. Smith. They talked. “Why?” she said. No.";
    expect(cut(text, sentenceSpans(text)).map((s) => s.trim())).toEqual(["Mr. Hall met Dr. Brown and J. Smith.", "They talked.", "“Why?”", "she said.", "No."]);
  });

  it("ends sentences before small letters where the writer begins them so, and only there", () => {
    const small = "rain again. went up to mr. hall at nine. he had leeks, beets etc. and a cold! no digging";
    expect(cut(small, sentenceSpans(small))).toEqual(["rain again. ", "went up to mr. hall at nine. ", "he had leeks, beets etc. and a cold! ", "no digging"]);
    const usual = "He took leeks, beets, approx. nine. Then it rained. She left.";
    expect(cut(usual, sentenceSpans(usual)).map((s) => s.trim())).toEqual(["He took leeks, beets, approx. nine.", "Then it rained.", "She left."]);
  });

  it("keeps lines as sentences, even after an abbreviation at the line end", () => {
    expect(cut("met Mr.\nHall and went", sentenceSpans("met Mr.\nHall and went"))).toEqual(["met Mr.\n", "Hall and went"]);
  });

  it("finds paragraphs and lines with what follows them", () => {
    const text = "\n\none\ntwo\n \n\nthree\n\n";
    expect(cut(text, paragraphSpans(text))).toEqual(["\n\none\ntwo\n \n\n", "three\n\n"]);
    expect(cut(text, lineSpans(text))).toEqual(["\n\none\n", "two\n \n\n", "three\n\n"]);
    expect(paragraphSpans("")).toEqual([]);
  });

  it("covers any text without gap or overlap", () => {
    const random = new Random(3);
    for (let round = 0; round < 60; round++) {
      let text = "";
      for (let i = random.int(12); i >= 0; i--) text += random.pick([sentence(random), "\n", "\n\n", " ", "昨天我去了。", "👩‍👩‍👧", "Dr. ", "so. it went. on. ", "—", "***", prose(round, 2)]);
      for (const spansOf of [paragraphSpans, lineSpans, sentenceSpans]) {
        expect(cut(text, spansOf(text)).join("")).toBe(text);
      }
    }
  });
});
