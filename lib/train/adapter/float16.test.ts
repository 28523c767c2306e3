import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { allFinite, bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from "./float16";

/** IEEE 754 binary16 by its definition. */
function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const everyHalf = Uint16Array.from({ length: 65_536 }, (_, i) => i);

describe("float16", () => {
  it("reads all 65,536 values as IEEE 754 defines them", () => {
    const values = float16ToFloat32(everyHalf);
    for (let half = 0; half < 65_536; half++) expect(Object.is(values[half], float16Value(half)), `0x${half.toString(16)}`).toBe(true);
  });

  it("gives all 65,536 bit patterns back, NaN payloads included", () => {
    const back = float32ToFloat16(float16ToFloat32(everyHalf));
    for (let half = 0; half < 65_536; half++) expect(back[half]).toBe(half);
  });

  it("rounds to the nearest value, ties to even", () => {
    const random = new Random(3);
    const finite = [...float16ToFloat32(everyHalf)].filter(Number.isFinite).sort((a, b) => a - b);
    for (let i = 0; i < 5000; i++) {
      const value = Math.fround(random.normal() * 2 ** (random.int(34) - 18));
      if (Math.abs(value) > 65_504) continue;
      const rounded = float16Value(float32ToFloat16(Float32Array.of(value))[0] as number);
      const above = finite.findIndex((candidate) => candidate >= value);
      const nearest = Math.min(...[above - 1, above].map((at) => Math.abs((finite[at] ?? Infinity) - value)));
      expect(Math.abs(rounded - value)).toBe(nearest);
    }
    const half = (value: number) => float16Value(float32ToFloat16(Float32Array.of(value))[0] as number);
    expect(half(1 + 2 ** -11)).toBe(1);
    expect(half(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(half(2 ** -25)).toBe(0);
    expect(half(3 * 2 ** -25)).toBe(2 ** -23);
    expect(half(65_519.99)).toBe(65_504);
    expect(half(65_520)).toBe(Infinity);
    expect(half(-1e30)).toBe(-Infinity);
    expect(half(1e-40)).toBe(0);
  });
});

describe("bfloat16", () => {
  it("is the upper half of an f32, for all 65,536 values", () => {
    const values = bfloat16ToFloat32(everyHalf);
    const bits = new Uint32Array(values.buffer);
    for (let i = 0; i < 65_536; i++) expect(bits[i]).toBe(i * 65_536);
    expect(bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc049))).toEqual(Float32Array.of(1, -3.140625));
  });
});

describe("allFinite", () => {
  it("sees one NaN or infinity anywhere, and nothing in the largest finite values", () => {
    expect(allFinite(Float32Array.of(3.4e38, -3.4e38, 0, 1e-45))).toBe(true);
    expect(allFinite(new Float32Array(0))).toBe(true);
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const values = new Float32Array(1000).fill(1);
      values[777] = bad;
      expect(allFinite(values)).toBe(false);
    }
  });
});
