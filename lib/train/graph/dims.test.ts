import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { bind, broadcast, dim, product, resolve, sameShape } from "./dims";

describe("dim", () => {
  it("spells equal monomials alike", () => {
    expect(dim(7)).toBe(7);
    expect(dim("7")).toBe(7);
    expect(dim("T*B")).toBe("B*T");
    expect(dim("2*T*B*3")).toBe("6*B*T");
    expect(dim("1*B")).toBe("B");
    expect(dim("B*B")).toBe("B*B");
    expect(dim("0*B")).toBe(0);
    for (const d of ["6*B*T", "B", 3]) expect(dim(dim(d))).toBe(dim(d));
  });

  it.each(["", "B+1", "B**T", "-1", "1.5", "B T", "2B", "*B"])("refuses %j", (text) => {
    expect(() => dim(text)).toThrow(DuctusError);
  });
});

describe("product", () => {
  it("multiplies numbers and names", () => {
    expect(product([])).toBe(1);
    expect(product([2, 3])).toBe(6);
    expect(product(["T", 2, "B", 3])).toBe("6*B*T");
    expect(product(["B*T", "2*B"])).toBe("2*B*B*T");
    expect(product(["B", 0])).toBe(0);
  });
});

describe("sameShape", () => {
  it("compares rank and every axis", () => {
    expect(sameShape([2, "B"], [2, "B"])).toBe(true);
    expect(sameShape([2, "B"], ["B", 2])).toBe(false);
    expect(sameShape([2], [2, 1])).toBe(false);
    expect(sameShape([], [])).toBe(true);
  });
});

describe("broadcast", () => {
  it("is numpy's, on numbers and on symbols", () => {
    expect(broadcast([3, 4], [4])).toEqual([3, 4]);
    expect(broadcast([3, 1], [1, 4])).toEqual([3, 4]);
    expect(broadcast([], [2, 3])).toEqual([2, 3]);
    expect(broadcast(["B", 1, 3], ["T", 1])).toEqual(["B", "T", 3]);
    expect(broadcast(["B"], ["B"])).toEqual(["B"]);
  });

  it("refuses what does not fit, an unknown size against a number among it", () => {
    expect(() => broadcast([3], [4])).toThrow(/broadcast/);
    expect(() => broadcast(["B"], [4])).toThrow(/broadcast/);
    expect(() => broadcast(["B"], ["T"])).toThrow(/broadcast/);
  });
});

describe("resolve", () => {
  it("puts numbers in for names", () => {
    expect(resolve(5, {})).toBe(5);
    expect(resolve("3*B*T", { B: 2, T: 7 })).toBe(42);
    expect(resolve("B*B", { B: 3 })).toBe(9);
    expect(resolve("P", { P: 0 })).toBe(0);
    expect(() => resolve("B*T", { B: 2 })).toThrow(/"T" is not bound/);
  });
});

describe("bind", () => {
  it("learns plain names and leaves products for later", () => {
    const bindings: Record<string, number> = {};
    bind("x", ["B", 3, "T"], [2, 3, 0], bindings);
    bind("y", ["B*T", "B"], [99, 2], bindings);
    expect(bindings).toEqual({ B: 2, T: 0 });
  });

  it.each<[string, (number | string)[], number[]]>([
    ["another rank", ["B", 3], [2]], ["another number", ["B", 3], [2, 4]], ["another size of a known name", ["K", 3], [2, 3]],
    ["two sizes of one name", ["B", "B"], [2, 3]],
  ])("refuses %s", (_, declared, actual) => {
    expect(() => bind("x", declared, actual, { K: 5 })).toThrow(/Input "x" has shape/);
  });
});
