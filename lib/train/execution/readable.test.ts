import { expect, it } from "vitest";
import type { HeldWeights } from "../model/held";
import { dequantize, hold } from "../model/quantize";
import type { Backend } from "../runtime/backend";
import { readable } from "./readable";

const gpu = {} as GPUDevice;
const without: Pick<Backend, "gpu" | "features"> = { gpu, features: { f16: false } };
const matrix = Float32Array.from({ length: 64 }, (_, i) => i / 7);
const weights: HeldWeights = new Map([["half", hold(matrix, [2, 32], "f16")], ["four", hold(matrix, [2, 32], "q4")], ["gain", hold(matrix, [64], "f32")]]);

it("makes f32 of f16 for a graphics processor that has no f16, and of nothing else", () => {
  const found = readable(without, weights) as HeldWeights;
  expect([...found.keys()]).toEqual([...weights.keys()]);
  expect(found.get("half")).toEqual({ storage: "f32", shape: [2, 32], data: dequantize(weights.get("half")!) });
  expect(found.get("four")).toBe(weights.get("four"));
  expect(found.get("gain")).toBe(weights.get("gain"));
  expect(readable(without, weights)).toBe(found); // once for all who read them
});

it("leaves weights as they are where they can be read", () => {
  expect(readable({ gpu, features: { f16: true } }, weights)).toBe(weights);
  expect(readable({ gpu: null, features: { f16: false } }, weights)).toBe(weights);
  for (const same of [new Map([["four", weights.get("four")!]]), new Map([["bare", matrix]])]) expect(readable(without, same)).toBe(same);
});
