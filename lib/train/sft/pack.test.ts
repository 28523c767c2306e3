import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { packBestFit } from "./pack";

const item = (length: number, name = "") => ({ ids: Array<number>(length).fill(1), name });
const lengths = (rows: { ids: readonly number[] }[][]) => rows.map((row) => row.map((e) => e.ids.length));

describe("packBestFit", () => {
  it("puts each example, longest first, where least is left, by hand", () => {
    expect(lengths(packBestFit([4, 2, 3, 1].map((n) => item(n)), 4))).toEqual([[4], [3, 1], [2]]); // TRL's own example
    expect(lengths(packBestFit([5, 7, 3, 4, 2, 6, 3].map((n) => item(n)), 10))).toEqual([[7, 3], [6, 4], [5, 3, 2]]);
    expect(lengths(packBestFit([6, 5, 4].map((n) => item(n)), 10))).toEqual([[6, 4], [5]]);
  });

  it("keeps the order of examples of equal length", () => {
    expect(packBestFit(["a", "b", "c", "d"].map((name) => item(3, name)), 6).map((row) => row.map((e) => e.name))).toEqual([["a", "b"], ["c", "d"]]);
  });

  it("is the plain search for the best fit, every example in one row, no row too long", () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = new Random(`pack-${seed}`);
      const capacity = 2 + random.int(90);
      const items = Array.from({ length: random.int(120) }, (_, i) => item(1 + random.int(capacity), String(i)));
      const rows = packBestFit(items, capacity);
      expect(new Set(rows.flat())).toEqual(new Set(items));
      expect(rows.flat()).toHaveLength(items.length);
      // The same by looking at every row.
      const plain: { items: typeof items; left: number }[] = [];
      for (const e of [...items].sort((a, b) => b.ids.length - a.ids.length)) {
        const least = Math.min(...plain.map((r) => r.left).filter((left) => left >= e.ids.length));
        let row = plain.find((r) => r.left === least);
        if (!row) plain.push((row = { items: [], left: capacity }));
        row.items.push(e);
        row.left -= e.ids.length;
      }
      expect(lengths(rows).map((row) => row.reduce((a, b) => a + b, 0)).sort((a, b) => a - b)).toEqual(plain.map((r) => capacity - r.left).sort((a, b) => a - b));
      for (const row of rows) expect(row.reduce((n, e) => n + e.ids.length, 0)).toBeLessThanOrEqual(capacity);
    }
  });

  it("refuses an example longer than a row, and has no rows without examples", () => {
    expect(() => packBestFit([item(5)], 4)).toThrow(RangeError);
    expect(packBestFit([], 4)).toEqual([]);
  });

  it("packs a hundred thousand examples in no time to speak of", () => {
    const random = new Random("many");
    const rows = packBestFit(Array.from({ length: 100_000 }, () => item(1 + random.int(20))), 512);
    expect(rows.length).toBeLessThan(2100);
  });
});
