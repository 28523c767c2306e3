import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { dynamicMap, quantiseBlock, STATE_BLOCK, zeroQuantised } from "./blockwise";

const random = new Random("blockwise");

describe.each([["signed", true], ["unsigned", false]] as const)("the %s map", (_, signed) => {
  const map = dynamicMap(signed);

  it("has 256 rising values from end to end, zero among them", () => {
    expect(map.values).toHaveLength(256);
    map.values.forEach((v, i) => i > 0 && expect(v).toBeGreaterThan(map.values[i - 1]!));
    expect(map.values[255]).toBe(1);
    expect(map.values.includes(0)).toBe(true);
    expect(map.values[0]).toBeCloseTo(signed ? -0.99296875 : 0, 6); // no −1, as in bitsandbytes
    expect(map.values[signed ? 128 : 1]! / (signed ? 5.5e-7 : 3.25e-7)).toBeCloseTo(1, 6);
  });

  it("quantises each number to the nearest value, ties to the lower, as a search through all does", () => {
    const quotients = [...map.values, ...map.middles, ...Array.from({ length: 3000 }, () => random.normal() * 10 ** (-7 * random.uniform()))]
      .map((q) => (signed ? q : Math.abs(q))).map((q) => Math.max(-1, Math.min(1, q)));
    for (const [i, quotient] of quotients.entries()) {
      const to = zeroQuantised(2, map);
      quantiseBlock(Float64Array.of(quotient, 1), to, 0, 2, map); // the one makes the largest magnitude 1
      let nearest = 0;
      for (let code = 1; code < 256; code++) if (Math.abs(map.values[code]! - quotient) < Math.abs(map.values[nearest]! - quotient)) nearest = code;
      expect(Math.abs(map.values[to.codes[0]!]! - quotient), String(quotient)).toBeCloseTo(Math.abs(map.values[nearest]! - quotient), 15);
      if (i >= 256 && i < 511) expect(to.codes[0]).toBe(i - 256); // on a middle
    }
  });
});

describe("quantiseBlock", () => {
  const map = dynamicMap(true);

  it("scales by the block's largest magnitude and touches no other block", () => {
    const to = zeroQuantised(600, map);
    const block = Float64Array.from({ length: STATE_BLOCK }, () => random.normal() * 1e-12);
    quantiseBlock(block, to, STATE_BLOCK, STATE_BLOCK, map);
    const largest = Math.max(...block.map(Math.abs));
    expect([...to.absmax]).toEqual([0, Math.fround(largest), 0]);
    block.forEach((x, i) => expect(Math.abs(map.values[to.codes[STATE_BLOCK + i]!]! * to.absmax[1]! - x)).toBeLessThan(0.04 * largest));
    expect(to.codes.subarray(0, STATE_BLOCK).every((c) => map.values[c] === 0)).toBe(true);
    expect(to.codes.subarray(2 * STATE_BLOCK).every((c) => map.values[c] === 0)).toBe(true);
  });

  it("keeps zeros zero, and a last block that is not full", () => {
    const to = zeroQuantised(3, map);
    quantiseBlock(new Float64Array(STATE_BLOCK), to, 0, 3, map);
    expect([...to.codes].map((c) => map.values[c])).toEqual([0, 0, 0]);
    expect([...to.absmax]).toEqual([0]);
  });
});
