import { describe, expect, it } from "vitest";
import { Random } from "../../../core/random";
import { openNode } from "../../runtime/node";
import { f16, f32, i32, Session, u8, type NdArray } from "../../runtime/session";
import { gradients } from "../autodiff";
import { Graph } from "../graph";
import { toOnnx } from "../onnx";
import { mul } from "./elementwise";
import { linear } from "./linear";
import { dequantize, dequantizeRows, matmulQuantized, quantizedShapes, toF32, type Bits } from "./quantized";
import { reduceSum } from "./reduce";

const OUT = 48, IN = 96, ROWS = 5, BLOCK = 32;
const SHAPE = [OUT, IN] as const;
const backend = openNode();

/** Random codes and scales, of both signs, with the weights that they stand for in f64. */
function quantized(bits: Bits) {
  const random = new Random(`quantized-${bits}`);
  const { data: dataShape, scales: scalesShape } = quantizedShapes(bits, SHAPE);
  const data = Uint8Array.from({ length: dataShape[0] * dataShape[1] * dataShape[2] }, () => Math.floor(256 * random.uniform()));
  const scales = Float32Array.from({ length: scalesShape[0] }, () => 0.1 * random.normal());
  const weights = Float64Array.from({ length: OUT * IN }, (_, at) => {
    const block = Math.floor(at / BLOCK), place = at % BLOCK;
    const code = bits === 8 ? data[at]! : (data[block * 16 + (place >> 1)]! >> (4 * (place % 2))) & 15;
    return (code - (bits === 8 ? 128 : 8)) * scales[block]!;
  });
  return { data: u8(data, dataShape), scales: f32(scales, scalesShape), weights };
}

const normals = (seed: string, length: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.normal());
};

function relative(actual: NdArray, expected: Float64Array): number {
  const data = actual.data as Float32Array;
  expect(data).toHaveLength(expected.length);
  return Math.hypot(...expected.map((v, i) => v - data[i]!)) / Math.hypot(...expected);
}

const CASES = (["in the model", "fed"] as const).flatMap((where) => (["cpu", "any"] as const).map((target) => ({ where, target })));

describe.each(CASES)("weights $where, for $target", ({ where, target }) => {
  const leaf = (graph: Graph, name: string, { dtype, shape, data }: NdArray) => where === "fed" ? graph.input(name, dtype, shape) : graph.constant(dtype, shape, data, name);
  const feeds = (arrays: Record<string, NdArray>) => (where === "fed" ? arrays : {});

  it.each<Bits>([4, 8])("product with %d-bit weights and its gradient are those with the dequantised weights", async (bits) => {
    const { data, scales, weights } = quantized(bits);
    const x = normals("x", ROWS * IN), dy = normals("dy", ROWS * OUT);
    const graph = new Graph(target);
    const input = graph.input("x", "f32", ["N", IN]);
    const weight = { data: leaf(graph, "data", data), scales: leaf(graph, "scales", scales) };
    const y = matmulQuantized(input, weight, bits, SHAPE);
    const loss = reduceSum(mul(y, graph.input("dy", "f32", ["N", OUT])), [0, 1]);
    const [dx] = gradients(graph, loss, [input]);
    const session = await Session.create(backend, toOnnx(graph, { y, dx: dx!, w: dequantize(weight, bits, SHAPE) }));
    const out = await session.run({ x: f32(x, [ROWS, IN]), dy: f32(dy, [ROWS, OUT]), ...feeds({ data, scales }) });
    await session.dispose();
    const expectedY = Float64Array.from({ length: ROWS * OUT }, (_, at) => {
      const [n, o] = [Math.floor(at / OUT), at % OUT];
      return weights.subarray(o * IN, (o + 1) * IN).reduce((sum, w, k) => sum + w * x[n * IN + k]!, 0);
    });
    const expectedDx = Float64Array.from({ length: ROWS * IN }, (_, at) => {
      const [n, k] = [Math.floor(at / IN), at % IN];
      return dy.subarray(n * OUT, (n + 1) * OUT).reduce((sum, d, o) => sum + d * weights[o * IN + k]!, 0);
    });
    expect(relative(out["y"]!, expectedY)).toBeLessThan(1e-5);
    expect(relative(out["dx"]!, expectedDx)).toBeLessThan(1e-5);
    expect(relative(out["w"]!, weights)).toBeLessThan(1e-6);
    expect(out["w"]!.shape).toEqual(SHAPE);
  });

  it.each<Bits>([4, 8])("looks up rows of %d-bit weights, repeated ones too", async (bits) => {
    const { data, scales, weights } = quantized(bits);
    const picked = [7, 0, 47, 7];
    const graph = new Graph(target);
    const weight = { data: leaf(graph, "data", data), scales: leaf(graph, "scales", scales) };
    const session = await Session.create(backend, toOnnx(graph, { rows: dequantizeRows(weight, bits, SHAPE, graph.input("at", "i32", ["N"])) }));
    const out = await session.run({ at: i32(Int32Array.from(picked), [picked.length]), ...feeds({ data, scales }) });
    await session.dispose();
    expect(out["rows"]!.shape).toEqual([picked.length, IN]);
    expect(relative(out["rows"]!, Float64Array.from(picked.flatMap((r) => [...weights.subarray(r * IN, (r + 1) * IN)])))).toBeLessThan(1e-6);
  });

  it("computes with f16 weights as with the f32 that they stand for", async () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff, 0x8000); // 1, −2, 0.33325195, 2⁻²⁴, 65504, −0
    const values = Float64Array.of(1, -2, 1365 / 4096, 2 ** -24, 65504, 0);
    const weight = f16(bits, [2, 3]);
    const graph = new Graph(target);
    const x = graph.input("x", "f32", ["N", 3]);
    const y = linear(x, toF32(leaf(graph, "w", weight)));
    const [dx] = gradients(graph, reduceSum(y, [0, 1]), [x]);
    const session = await Session.create(backend, toOnnx(graph, { y, dx: dx! }));
    const out = await session.run({ x: f32(Float32Array.of(1, 0, 0, 0, 1, 1), [2, 3]), ...feeds({ w: weight }) });
    await session.dispose();
    expect(relative(out["y"]!, Float64Array.of(values[0]!, values[3]!, values[1]! + values[2]!, values[4]! + values[5]!))).toBeLessThan(1e-6);
    expect([...(out["dx"]!.data as Float32Array).subarray(0, 3)]).toEqual([1 + 2 ** -24, 65502, values[2]!].map(Math.fround));
  });
});

describe("what does not fit", () => {
  const graph = new Graph();
  const scales = graph.input("scales", "f32", [(OUT * IN) / BLOCK]);
  const x = graph.input("x", "f32", ["N", IN]);
  const data = (name: string, shape: number[], dtype: "u8" | "f32" = "u8") => graph.input(name, dtype, shape);
  it.each<[string, () => unknown]>([
    ["bytes of the other width", () => matmulQuantized(x, { data: data("a", [OUT, IN / BLOCK, 32]), scales }, 4, SHAPE)],
    ["another type", () => matmulQuantized(x, { data: data("b", [OUT, IN / BLOCK, 16], "f32"), scales }, 4, SHAPE)],
    ["another number of scales", () => matmulQuantized(x, { data: data("c", [OUT, IN / BLOCK, 16]), scales: graph.input("few", "f32", [OUT]) }, 4, SHAPE)],
    ["rows that are not whole blocks", () => dequantize({ data: data("d", [OUT, 3, 16]), scales }, 4, [OUT, 90])],
    ["an input of another width", () => matmulQuantized(graph.input("narrow", "f32", ["N", 64]), { data: data("e", [OUT, IN / BLOCK, 16]), scales }, 4, SHAPE)],
    ["f32 for f16", () => toF32(x)],
  ])("refuses %s", (_, build) => {
    expect(build).toThrow(expect.objectContaining({ code: "graph/shape" }));
  });

  it("has no gradient for the weights", () => {
    const half = graph.input("half", "f16", [4, IN]);
    expect(() => gradients(graph, reduceSum(linear(x, toF32(half)), [0, 1]), [half])).toThrow(/"Cast" has no gradient rule/);
  });
});
