import { describe, expect, it } from "vitest";
import { median } from "./measure";
import { parseBenchArgs } from "./options";

describe("bench options", () => {
  it("lets everything run without --only", () => {
    const { argv, wants } = parseBenchArgs(["--text", "a.txt"]);
    expect(argv).toEqual(["--text", "a.txt"]);
    expect(wants("anything")).toBe(true);
  });

  it("takes --only in both spellings, repeated, and keeps the rest in order", () => {
    const { argv, wants } = parseBenchArgs(["--only", "a,b", "--text", "x", "--only=c"]);
    expect(argv).toEqual(["--text", "x"]);
    expect(["a", "b", "c", "d"].map(wants)).toEqual([true, true, true, false]);
  });

  it("refuses --only with no name", () => {
    expect(() => parseBenchArgs(["--only"])).toThrow(RangeError);
  });
});

describe("median", () => {
  it("is the middle, or the mean of the two middles", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });
});
