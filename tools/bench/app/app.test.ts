import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drop, tokensPerSecond } from "./figures";
import { findTexts } from "./texts";

describe("findTexts", () => {
  const folder = mkdtempSync(join(tmpdir(), "ductus-bench-"));
  for (const [path, text] of [["zola/1880-nana.txt", "b"], ["zola/1877-l-assommoir.txt", "a"], ["austen/notes.md", "n"], ["diary.TXT", "d"]] as const) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  it("takes the first book of each author, and the texts that lie beside them", () => {
    expect(findTexts(folder)).toEqual([
      { name: "zola", path: join(folder, "zola/1877-l-assommoir.txt") },
      { name: "diary", path: join(folder, "diary.TXT") },
    ]);
  });

  it("takes a file by itself, and says when there is none", () => {
    expect(findTexts(join(folder, "diary.TXT"))).toEqual([{ name: "diary", path: join(folder, "diary.TXT") }]);
    expect(() => findTexts(join(folder, "austen"))).toThrow(RangeError);
  });
});

describe("figures", () => {
  it("counts no time in which the held-out part was checked", () => {
    const metrics = [
      { kind: "heldout", step: 0, atMs: 900 },
      { kind: "train", step: 1, atMs: 1000 },
      { kind: "train", step: 2, atMs: 1500 },
      { kind: "heldout", step: 2, atMs: 3000 },
      { kind: "train", step: 3, atMs: 9000 },
      { kind: "train", step: 4, atMs: 9500 },
    ] as const;
    expect(tokensPerSecond({ trainTokens: 4000, step: 4 }, metrics)).toBe(2000);
    expect(() => tokensPerSecond({ trainTokens: 10, step: 1 }, [])).toThrow(RangeError);
  });

  it("gives the relative fall of the loss", () => {
    const score = { perplexity: 1, bitsPerByte: 1, tokens: 1, bytes: 1, examples: 1 };
    expect(drop({ base: { ...score, loss: 5 }, tuned: { ...score, loss: 4 } })).toBeCloseTo(0.2);
  });
});
