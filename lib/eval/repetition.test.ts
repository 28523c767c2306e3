import { describe, expect, it } from "vitest";
import { Random } from "../core/random";
import { referenceJson } from "../train/testing/reference";
import { repeated, selfBleu, selfBleuScores } from "./repetition";

describe("Self-BLEU", () => {
  const { sets } = referenceJson("style/self-bleu.json") as { sets: { texts: string[][]; scores: number[] }[] };

  it.each(sets)("gives what NLTK's sentence_bleu does with each text against the rest, set %#", ({ texts, scores }) => {
    selfBleuScores(texts).forEach((score, i) => expect(score).toBeCloseTo(scores[i]!, 7));
    expect(selfBleu(texts)).toBeCloseTo(scores.reduce((a, b) => a + b) / scores.length, 7);
  });

  it("is 1 for the same text again and again, nothing for texts that share no word, and no number for one", () => {
    const text = "a b c d e f".split(" ");
    expect(selfBleu([text, text, text])).toBe(1);
    expect(selfBleu([text, "u v w x y z".split(" ")])).toBe(0);
    expect(selfBleu([text, []])).toBeNaN();
  });
});

describe("repeated", () => {
  it("counts what stands earlier in the same text", () => {
    const words = "the cat saw the cat saw".split(" ");
    // the cat, cat saw, saw the, [the cat], [cat saw]
    expect(repeated(words, 2)).toEqual({ repeated: 2, all: 5 });
    expect(repeated(words, 1)).toEqual({ repeated: 3, all: 6 });
    expect(repeated(words, 8)).toEqual({ repeated: 0, all: 0 });
  });

  it("gives what looking back at every place gives", () => {
    const random = new Random("repeated");
    for (let round = 0; round < 50; round++) {
      const words = Array.from({ length: random.int(40) }, () => String(random.int(4)));
      for (const n of [1, 2, 3, 4, 8]) {
        const keys = Array.from({ length: Math.max(0, words.length - n + 1) }, (_, i) => words.slice(i, i + n).join());
        expect(repeated(words, n)).toEqual({ repeated: keys.filter((key, i) => keys.indexOf(key) < i).length, all: keys.length });
      }
    }
  });
});
