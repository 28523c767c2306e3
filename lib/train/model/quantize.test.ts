import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { fault } from "../testing/fault";
import { BLOCK, type HeldTensor } from "./held";
import { concatRows, dequantize, emptyHeld, fillHeld, heldBytes, heldRow, hold, sliceRows, storageFor } from "./quantize";

const random = new Random("quantize");
const rows = 6, columns = 96;
const values = Float32Array.from({ length: rows * columns }, () => random.normal() * 0.05);

/** The definition, in float64: weight = (code − zero point) · scale, codes in order, the earlier in the low half of a byte. */
function byDefinition(tensor: HeldTensor): number[] {
  if (!("scales" in tensor)) throw new Error("is not quantised");
  const zero = tensor.storage === "q4" ? 8 : 128;
  const codes = tensor.storage === "q4" ? [...tensor.data].flatMap((byte) => [byte % 16, Math.floor(byte / 16)]) : [...tensor.data];
  return codes.map((code, i) => (code - zero) * tensor.scales[Math.floor(i / BLOCK)]!);
}

const squaredError = (a: ArrayLike<number>, b: ArrayLike<number>, from = 0, to = a.length) => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
};

/** Every code at its nearest, for a given scale. */
const rounded = (block: Float32Array, scale: number, low: number, high: number) =>
  Float64Array.from(block, (value) => Math.max(low, Math.min(high, Math.round(value / scale))) * scale);

describe.each(["q4", "q8"] as const)("%s", (storage) => {
  const tensor = hold(values, [rows, columns], storage);
  const [low, high] = storage === "q4" ? [-8, 7] : [-128, 127];

  it("has the layout of MatMulNBits, and is read back by its definition", () => {
    expect(tensor.data.length).toBe(rows * (columns / 32) * (storage === "q4" ? 16 : 32));
    expect("scales" in tensor && tensor.scales.length).toBe(rows * (columns / 32));
    const exact = byDefinition(tensor);
    dequantize(tensor).forEach((value, i) => expect(value).toBe(Math.fround(exact[i]!)));
    expect(heldBytes(tensor)).toBe(rows * columns * (storage === "q4" ? 0.625 : 1.125));
  });

  it("is in every block at least as near as rounding by the largest weight", () => {
    const back = dequantize(tensor);
    for (let at = 0; at < values.length; at += BLOCK) {
      const block = values.subarray(at, at + BLOCK);
      const extreme = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      const ours = squaredError(values, back, at, at + BLOCK);
      const plain = [extreme / low, ...(storage === "q4" ? [Math.abs(extreme) / high] : [])];
      for (const scale of plain) expect(ours).toBeLessThanOrEqual(squaredError(block, rounded(block, scale, low, high)) * (1 + 1e-6));
    }
    const relative = Math.sqrt(squaredError(values, back) / squaredError(values, new Float32Array(values.length)));
    expect(relative).toBeLessThan(storage === "q4" ? 0.09 : 0.0056);
  });

  it("keeps a weight that is one of its own numbers, and zeros", () => {
    const codes = Array.from({ length: BLOCK }, (_, i) => (i === 5 ? low : i === 6 ? high : random.int(high - low) + low));
    for (const scale of [0.25, -0.25]) {
      const exact = Float32Array.from(codes, (code) => code * scale);
      expect(dequantize(hold(exact, [1, BLOCK], storage))).toEqual(exact);
    }
    const nothing = hold(new Float32Array(BLOCK), [1, BLOCK], storage);
    expect(dequantize(nothing)).toEqual(new Float32Array(BLOCK));
  });

  it("stays finite at the ends of f32", () => {
    for (const size of [3.4028234663852886e38, 1e-38, 1.4e-45]) {
      const edge = Float32Array.from({ length: BLOCK }, (_, i) => (i % 3 === 0 ? size : -size / (i + 1)));
      const back = dequantize(hold(edge, [1, BLOCK], storage));
      expect(back.every(Number.isFinite)).toBe(true);
      if (size > 1e-40) expect(Math.sqrt(squaredError(edge.map((v) => v / size), back.map((v) => v / size)))).toBeLessThan(0.3);
    }
  });

  it("is the same however it is filled", () => {
    const pieces = emptyHeld([rows, columns], storage);
    for (const at of [64, 0, 32]) fillHeld(pieces, at, values.subarray(at, at + 32));
    fillHeld(pieces, 96, values.subarray(96));
    expect(pieces).toEqual(tensor);
    expect(() => fillHeld(pieces, 16, values.subarray(0, 32))).toThrow(RangeError);
    expect(() => emptyHeld([2, 33], storage)).toThrow(TypeError);
  });
});

describe("held tensors", () => {
  it("give any row", () => {
    for (const storage of ["f32", "f16", "q8", "q4"] as const) {
      const tensor = hold(values, [rows, columns], storage);
      const whole = dequantize(tensor);
      const out = new Float32Array(columns);
      for (const row of [0, 3, rows - 1]) {
        heldRow(tensor, row, out);
        expect(out).toEqual(whole.subarray(row * columns, (row + 1) * columns));
      }
      expect(() => heldRow(tensor, rows, out)).toThrow(RangeError);
      expect(() => heldRow(tensor, 0, new Float32Array(1))).toThrow(RangeError);
    }
  });

  it("are cut and joined along their rows", () => {
    for (const storage of ["f32", "f16", "q8", "q4"] as const) {
      const tensor = hold(values, [rows, columns], storage);
      const parts = [sliceRows(tensor, 0, 1), sliceRows(tensor, 1, 4), sliceRows(tensor, 4, rows)];
      expect(parts[1]!.shape).toEqual([3, columns]);
      expect(parts[1]!.data.buffer).toBe(tensor.data.buffer); // a view
      expect(dequantize(parts[1]!)).toEqual(dequantize(tensor).subarray(columns, 4 * columns));
      expect(concatRows(parts)).toEqual(tensor);
      expect(() => sliceRows(tensor, 0, rows + 1)).toThrow(RangeError);
    }
    expect(() => concatRows([])).toThrow(RangeError);
    expect(() => concatRows([hold(values, [rows, columns], "q4"), hold(values, [rows, columns], "q8")])).toThrow(RangeError);
    const bias = hold(values.subarray(0, 4), [4], "f32");
    expect(concatRows([bias, bias]).shape).toEqual([8]);
  });

  it("hold half precision to the nearest, and refuse what is too large for it in words", () => {
    const back = dequantize(hold(values, [rows, columns], "f16"));
    values.forEach((value, i) => expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11 + 2 ** -25));
    const large = Float32Array.of(65_519, -65_504);
    expect(dequantize(hold(large, [1, 2], "f16"))).toEqual(Float32Array.of(65_504, -65_504));
    const error = fault(() => fillHeld(emptyHeld([1, 2], "f16"), 0, Float32Array.of(1, -65_520), "model.norm"));
    expect(error.code).toBe("model/range");
    expect(error.message).toContain("model.norm");
  });

  it("fall back to f16 where a row is no whole number of blocks, and vectors stay f32", () => {
    expect(storageFor([4, 64], "q4")).toBe("q4");
    expect(storageFor([4, 48], "q4")).toBe("f16");
    expect(storageFor([4, 48], "f32")).toBe("f32");
    expect(storageFor([64], "q8")).toBe("f32");
  });

  it("say that memory is short when it is", () => {
    expect(fault(() => emptyHeld([2 ** 30, 2 ** 20], "f32")).code).toBe("model/memory");
  });
});
