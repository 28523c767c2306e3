import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import type { Likeness, NearDuplicate } from "./near-duplicates";
import { type Candidate, whichGo } from "./which-stays";

const pair = (document: number, earlier: number, kind: Likeness): NearDuplicate => ({ document, earlier, kind, resemblance: 0.6, contained: 0.7, contains: 0.7, passage: { start: 0, end: 0, words: 0 } });
const go = (candidates: Candidate[], pairs: NearDuplicate[]): [number, number][] => [...whichGo(candidates, pairs)];
const words = (...counts: number[]): Candidate[] => counts.map((n) => ({ words: n }));

describe("whichGo", () => {
  it.each<[string, Candidate[], NearDuplicate[], [number, number][]]>([
    ["nothing alike", words(100, 100), [], []],
    ["the longer stays, as the later", words(200, 300), [pair(1, 0, "near")], [[0, 1]]],
    ["the longer stays, as the earlier", words(300, 200), [pair(1, 0, "near")], [[1, 0]]],
    ["of one length the later stays", words(310, 300), [pair(1, 0, "near")], [[0, 1]]],
    ["later by date", [{ words: 310, dateMs: 2 }, { words: 300, dateMs: 1 }], [pair(1, 0, "near")], [[1, 0]]],
    ["by order where a date is missing", [{ words: 310, dateMs: 2 }, { words: 300 }], [pair(1, 0, "near")], [[0, 1]]],
    ["the one that holds the other stays", words(30, 300), [pair(1, 0, "contains")], [[0, 1]]],
    ["the one that is held goes", words(300, 30), [pair(1, 0, "contained")], [[1, 0]]],
    ["of the same the first stays", words(30, 30, 30), [pair(1, 0, "same"), pair(2, 0, "same"), pair(2, 1, "same")], [[1, 0], [2, 0]]],
    ["the same as one that goes", words(30, 30, 300), [pair(1, 0, "same"), pair(2, 0, "contains"), pair(2, 1, "contains")], [[0, 2], [1, 2]]],
    ["a passage in common", words(300, 30), [pair(1, 0, "shares")], []],
    ["drafts in a row, each like the one before", words(100, 100, 100, 100), [pair(1, 0, "near"), pair(2, 1, "near"), pair(3, 2, "near")], [[0, 3], [1, 3], [2, 3]]],
    ["one that goes for another reason", [{ words: 300, excluded: true }, { words: 200 }], [pair(1, 0, "near")], []],
  ])("%s", (_, candidates, pairs, expected) => {
    expect(go(candidates, pairs)).toEqual(expected);
  });

  it("leaves one of each set, and none without one in its place, whatever they are", () => {
    const random = new Random("stays");
    for (let round = 0; round < 500; round++) {
      const n = 2 + random.int(12);
      const candidates = Array.from({ length: n }, (): Candidate => ({ words: 50 + random.int(100), ...(random.uniform() < 0.5 ? { dateMs: random.int(9) } : {}), ...(random.uniform() < 0.1 ? { excluded: true } : {}) }));
      const pairs: NearDuplicate[] = [];
      for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) if (random.uniform() < 0.3) pairs.push(pair(i, j, random.pick(["near", "contains", "contained", "shares"])));
      const gone = whichGo(candidates, pairs);
      for (const [out, winner] of gone) {
        expect(gone.has(winner)).toBe(false);
        expect(candidates[winner]?.excluded ?? false).toBe(false);
        expect(out).not.toBe(winner);
      }
      // of two alike, both stay only if one goes for another reason
      for (const { document, earlier, kind } of pairs) {
        if (kind === "shares" || candidates[document]?.excluded === true || candidates[earlier]?.excluded === true) continue;
        expect(gone.has(document) || gone.has(earlier)).toBe(true);
      }
    }
  });
});
