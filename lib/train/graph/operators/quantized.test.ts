import { describe, expect, it } from "vitest";
import { openNode } from "../../runtime/node";
import { f16, f32, Session } from "../../runtime/session";
import { quantizedErrors } from "../../testing/quantized";
import { gradients } from "../autodiff";
import { Graph } from "../graph";
import { toOnnx } from "../onnx";
import { linear } from "./linear";
import { dequantize, matmulQuantized, toF32, type Bits } from "./quantized";
import { reduceSum } from "./reduce";

const OUT = 48, IN = 96, BLOCK = 32;
const SHAPE = [OUT, IN] as const;
const backend = openNode();
const CASES = (["inside", "fed"] as const).flatMap((where) => (["cpu", "any"] as const).map((target) => ({ where, target })));

describe.each(CASES)("weights $where, for $target", ({ where, target }) => {
  it.each<Bits>([4, 8])("%d bits: product, gradient, matrix and rows are those of the dequantised weights", async (bits) => {
    const errors = await quantizedErrors(backend, bits, target, where);
    for (const [what, error] of Object.entries(errors)) expect(error, what).toBeLessThan(1e-5);
    expect(errors.y).toBeGreaterThan(0); // float32 against float64
  });

  it("f16: computes as with the f32 that they stand for", async () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff, 0x8000); // 1, −2, 0.33325195, 2⁻²⁴, 65504, −0
    const graph = new Graph(target);
    const x = graph.input("x", "f32", ["N", 3]);
    const weight = where === "fed" ? graph.input("w", "f16", [2, 3]) : graph.constant("f16", [2, 3], bits, "w");
    const y = linear(x, toF32(weight));
    const [dx] = gradients(graph, reduceSum(y, [0, 1]), [x]);
    const session = await Session.create(backend, toOnnx(graph, { y, dx: dx! }));
    const out = await session.run({ x: f32(Float32Array.of(1, 0, 0, 0, 1, 1), [2, 3]), ...(where === "fed" ? { w: f16(bits, [2, 3]) } : {}) });
    await session.dispose();
    expect(out["y"]!.data).toEqual(Float32Array.of(1, 2 ** -24, -2 + 1365 / 4096, 65504));
    expect([...(out["dx"]!.data as Float32Array).subarray(0, 3)]).toEqual([1 + 2 ** -24, 65502, 1365 / 4096].map(Math.fround));
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
