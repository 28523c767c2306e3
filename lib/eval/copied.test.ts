import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { CopiedRuns } from "./copied";

const split = (text: string) => text.split(" ");

/** Every run of every text against every place of every document. */
function byHand(texts: readonly string[][], documents: readonly string[][]): number[] {
  return texts.map((text) => {
    let longest = 0;
    for (let begin = 0; begin < text.length; begin++) {
      for (const document of documents) {
        for (let at = 0; at < document.length; at++) {
          let length = 0;
          while (begin + length < text.length && document[at + length] === text[begin + length]) length++;
          longest = Math.max(longest, length);
        }
      }
    }
    return longest;
  });
}

describe("CopiedRuns", () => {
  it("finds the longest run of each text, whatever its length", () => {
    const runs = new CopiedRuns(["we saw the old grey house by the sea", "we sang", "sang we", "nothing here", ""].map((text) => (text === "" ? [] : split(text))));
    runs.read(split("they saw the old grey horse"));
    runs.read(split("and then we sang by the sea"));
    expect(runs.longest).toEqual([4, 2, 1, 0, 0]);
    runs.read(split("grey house by the sea wall"));
    expect(runs.longest).toEqual([5, 2, 1, 0, 0]);
  });

  it("does not cross from one document, or one text, into the next", () => {
    const runs = new CopiedRuns([split("a b c d"), split("e f g h")]);
    runs.read(split("a b"));
    runs.read(split("c d"));
    runs.read(split("d e f g"));
    expect(runs.longest).toEqual([2, 3]);
  });

  it("gives what trying everything gives", () => {
    const random = new Random("copied");
    for (const words of [2, 4, 9]) {
      const draw = (count: number, most: number) => Array.from({ length: count }, () => Array.from({ length: random.int(most) }, () => `w${random.int(words)}`));
      const texts = draw(12, 20), documents = draw(6, 60);
      const runs = new CopiedRuns(texts);
      for (const document of documents) runs.read(document);
      expect(runs.longest).toEqual(byHand(texts, documents));
      expect(new Set(runs.longest).size).toBeGreaterThan(2);
    }
  });

  it("refuses more words than it can tell apart", () => {
    expect(() => new CopiedRuns([Array.from({ length: 65_537 }, (_, i) => String(i))])).toThrow(RangeError);
  });
});
