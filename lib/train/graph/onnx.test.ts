import { describe, expect, it } from "vitest";
import { openNode } from "../runtime/node";
import { f32, Session } from "../runtime/session";
import { Graph } from "./graph";
import { add, exp, mul, neg } from "./operators/elementwise";
import { toF32 } from "./operators/quantized";
import { reshape, transpose } from "./operators/shape";
import { toOnnx, type OnnxModel } from "./onnx";
import { ProtoWriter } from "./protobuf";
import { all, nodesOf as nodesIn, text } from "../testing/onnx-reader";

const backend = openNode();
const bytesOf = (hex: string) => Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));

const graphOf = (model: OnnxModel) => all(model.bytes, 7)[0]!;
/** [type, inputs, outputs] of each node. */
const nodesOf = ({ bytes }: OnnxModel) => nodesIn(bytes);
const initializers = (model: OnnxModel) => all(graphOf(model), 5).map((t) => text(all(t, 8)[0]!));
const inputNames = (model: OnnxModel) => all(graphOf(model), 11).map((v) => text(all(v, 1)[0]!));
const outputNames = (model: OnnxModel) => all(graphOf(model), 12).map((v) => text(all(v, 1)[0]!));

async function run(model: OnnxModel, feeds: Record<string, ReturnType<typeof f32>>) {
  const session = await Session.create(backend, model);
  const out = await session.run(feeds);
  await session.dispose();
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
}

describe("ProtoWriter", () => {
  it("writes the wire format of the encoding guide", () => {
    expect(new ProtoWriter().int(1, 150).finish()).toEqual(bytesOf("08 9601"));
    expect(new ProtoWriter().string(2, "testing").finish()).toEqual(bytesOf("12 07 74657374696e67"));
    expect(new ProtoWriter().message(3, new ProtoWriter().int(1, 150)).finish()).toEqual(bytesOf("1a 03 08 9601"));
    expect(new ProtoWriter().packedInts(6, [3, 270, 86942]).finish()).toEqual(bytesOf("32 06 03 8e02 9ea705"));
    expect(new ProtoWriter().int(1, -2).finish()).toEqual(bytesOf("08 feffffffffffffffff01"));
    expect(new ProtoWriter().int(1, 9223372036854775807n).finish()).toEqual(bytesOf("08 ffffffffffffffff7f"));
    expect(new ProtoWriter().int(20, 0).finish()).toEqual(bytesOf("a001 00"));
    expect(new ProtoWriter().float(2, -1.5).finish()).toEqual(bytesOf("15 0000c0bf"));
    expect(new ProtoWriter().bytes(9, new Uint8Array(0)).finish()).toEqual(bytesOf("4a 00"));
    expect(new ProtoWriter().packedInts(1, []).finish()).toEqual(bytesOf("0a 00"));
  });

  it("counts bytes and not characters", () => {
    const w = new ProtoWriter().string(1, "é→");
    expect(w.byteLength).toBe(7);
    expect(w.finish()).toEqual(bytesOf("0a 05 c3a9 e28692"));
  });
});

describe("toOnnx", () => {
  it("writes a tiny model byte for byte", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", ["N", 2]);
    const model = toOnnx(graph, { y: neg(x) });
    const node = "0a01 78  1201 79  1a05 6e65672330  2203 4e6567"; // input x, output y, name neg#0, type Neg: 18 bytes
    const shape = "0a03 1201 4e  0a02 0802"; // N, 2: 9 bytes
    const type = `0a0d 0801 1209 ${shape}`; // tensor, float, shape: 15 bytes
    const graphProto = `
      0a12 ${node}
      1206 647563747573
      5a14 0a0178 120f ${type}
      6214 0a0179 120f ${type}`;
    const length = bytesOf(graphProto).length.toString(16).padStart(2, "0");
    expect(model.bytes).toEqual(bytesOf(`
      080a 1206 647563747573
      3a${length} ${graphProto}
      4204 0a00 1012
      4211 0a0d 636f6d2e6d6963726f736f6674 1001`));
    expect(model.nodeCount).toBe(1);
    expect(model.inputs).toEqual([{ name: "x", dtype: "f32", shape: ["N", 2] }]);
    expect(model.outputs).toEqual([{ name: "y", dtype: "f32", shape: ["N", 2] }]);
  });

  it("leaves out whatever no output needs", async () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]);
    graph.input("unused", "f32", [2]);
    graph.parameter("unusedWeight", [2]);
    exp(mul(x, graph.scalar(3))); // dead
    const kept = neg(x);
    mul(kept, kept); // dead, though it reads what is kept
    const model = toOnnx(graph, { y: kept });
    expect(nodesOf(model).map(([type]) => type)).toEqual(["Neg"]);
    expect(model.nodeCount).toBe(1);
    expect(inputNames(model)).toEqual(["x"]);
    expect(initializers(model)).toEqual([]);
    expect(await run(model, { x: f32(Float32Array.of(1, -2), [2]) })).toEqual({ y: [-1, 2] });
  });

  it("says which outputs are another tensor in another shape, or under another name", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2, 3]);
    const a = exp(x);
    const { outputs } = toOnnx(graph, { a, again: a, x, flat: reshape(a, [6]), turned: transpose(a, [1, 0]) });
    expect(outputs.filter(({ view }) => view).map(({ name }) => name)).toEqual(["again", "x", "flat"]);
  });

  it("makes a model for given sizes alone", async () => {
    const graph = new Graph();
    const y = reshape(exp(graph.input("x", "f32", ["B", 2])), ["B*2"]); // [2·B]
    const model = toOnnx(graph, { y }, new Map(), { sizes: { B: 3 } });
    expect([model.inputs, model.outputs]).toEqual([[{ name: "x", dtype: "f32", shape: [3, 2] }], [{ name: "y", dtype: "f32", shape: [6], view: true }]]);
    expect(await run(model, { x: f32(new Float32Array(6), [3, 2]) })).toEqual({ y: [1, 1, 1, 1, 1, 1] });
    expect(() => toOnnx(graph, { y }, new Map(), { sizes: {} })).toThrow(expect.objectContaining({ code: "graph/dimension" }) as Error);
  });

  it("keeps nodes in an order in which every input is made before it is read", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]);
    const a = exp(x), b = neg(a), c = add(b, a);
    const made = new Set(["x"]);
    for (const [, inputs, outputs] of nodesOf(toOnnx(graph, { c, a }))) {
      for (const name of inputs) expect(made).toContain(name);
      outputs.forEach((name) => made.add(name));
    }
    expect(made).toContain("c");
  });

  it("writes a weight into the model where its numbers are given, else makes it an input", async () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]);
    const y = add(mul(x, graph.parameter("w", [2])), graph.parameter("b", [2]));
    const inside = toOnnx(graph, { y }, new Map([["w", Float32Array.of(10, 100)], ["elsewhere", new Float32Array(7)]]));
    expect(initializers(inside)).toEqual(["w"]);
    expect(inputNames(inside).sort()).toEqual(["b", "x"]);
    const feeds = { x: f32(Float32Array.of(1, 2), [2]), b: f32(Float32Array.of(0.5, 0.25), [2]) };
    expect(await run(inside, feeds)).toEqual({ y: [10.5, 200.25] });
    const outside = toOnnx(graph, { y });
    expect(initializers(outside)).toEqual([]);
    expect(await run(outside, { ...feeds, w: f32(Float32Array.of(10, 100), [2]) })).toEqual({ y: [10.5, 200.25] });
  });

  it("writes weights that are a view into a larger buffer", async () => {
    const graph = new Graph();
    const y = add(graph.input("x", "f32", [2]), graph.parameter("w", [2]));
    const buffer = Float32Array.of(9, 9, 1, 2, 9);
    expect(await run(toOnnx(graph, { y }, new Map([["w", buffer.subarray(2, 4)]])), { x: f32(new Float32Array(2), [2]) })).toEqual({ y: [1, 2] });
  });

  it("can give an input, a weight or a constant as an output, and one tensor under two names", async () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]);
    const y = neg(x);
    const z = exp(y); // reads y, which is renamed to an output's name
    const model = toOnnx(graph, { same: x, first: y, second: y, weight: graph.parameter("w", [1]), one: graph.scalar(1), z }, new Map([["w", Float32Array.of(7)]]));
    expect(outputNames(model)).toEqual(["same", "first", "second", "weight", "one", "z"]);
    expect(model.nodeCount).toBe(6); // Neg, Exp and four Identity
    const out = await run(model, { x: f32(Float32Array.of(0, -0.5), [2]) });
    expect(out).toMatchObject({ same: [0, -0.5], first: [-0, 0.5], second: [-0, 0.5], weight: [7], one: [1] });
    expect(out["z"]![1]).toBeCloseTo(Math.exp(0.5), 6);
  });

  it("asks the runtime for shapes that no constant can say", async () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", ["B", "T", 2]);
    const flat = reshape(x, ["B*T", 2]);
    const y = transpose(reshape(flat, ["B", "T", 2]), [1, 0, 2]);
    const model = toOnnx(graph, { y });
    expect(model.inputs.filter((p) => p.shapeOf)).toEqual([{ name: "shape:B,T,2", dtype: "i64", shape: [3], shapeOf: ["B", "T", 2] }]);
    expect(await run(model, { x: f32(Float32Array.from({ length: 12 }, (_, i) => i), [2, 3, 2]) })).toEqual({ y: [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11] });
  });

  it("puts large weights beside the model, as views of the caller's numbers", async () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [4]);
    const y = mul(add(x, graph.parameter("large", [4])), graph.parameter("small", [1]));
    const large = Float32Array.of(9, 1, 2, 3, 4).subarray(1), small = Float32Array.of(2);
    const model = toOnnx(graph, { y }, new Map([["large", large], ["small", small]]), { externalOver: 4 });
    expect(model.external).toEqual([{ path: "weight-0", data: new Uint8Array(large.buffer, 4, 16) }]);
    expect(model.external[0]!.data.buffer).toBe(large.buffer);
    const named = (name: string) => all(graphOf(model), 5).find((tensor) => text(all(tensor, 8)[0]!) === name)!;
    expect(all(named("large"), 9)).toEqual([]);
    expect(all(named("large"), 13).map((entry) => [text(all(entry, 1)[0]!), text(all(entry, 2)[0]!)])).toEqual([["location", "weight-0"], ["offset", "0"], ["length", "16"]]);
    expect(all(named("small"), 9)).toHaveLength(1);
    expect(await run(model, { x: f32(Float32Array.of(10, 20, 30, 40), [4]) })).toEqual({ y: [22, 44, 66, 88] });
    expect(toOnnx(graph, { y }, new Map([["large", large]]), { externalOver: 16 }).external).toEqual([]);
  });

  it("refuses a model that holds more than protocol buffers can", () => {
    const graph = new Graph();
    const half = new Uint8Array(2 ** 30); // never touched, so never in memory
    const parts = ["a", "b"].map((name) => graph.parameter(name, [2 ** 30], "u8"));
    const sum = graph.node("Add", parts, { dtype: "u8", shape: [2 ** 30] });
    const weights = new Map([["a", half], ["b", half]]);
    expect(() => toOnnx(graph, { sum }, weights)).toThrow(expect.objectContaining({ code: "graph/size" }));
    expect(toOnnx(graph, { sum }, weights, { externalOver: 1 }).bytes.length).toBeLessThan(1000);
  });

  it("writes weights of every type, and says whether they are held in fewer bits", async () => {
    const graph = new Graph();
    const y = add(graph.input("x", "f32", [2]), toF32(graph.parameter("half", [2], "f16")));
    const halves = new Map([["half", Uint16Array.of(0x3c00, 0xc000)]]);
    expect(await run(toOnnx(graph, { y }, halves), { x: f32(Float32Array.of(1, 1), [2]) })).toEqual({ y: [2, -1] });
    expect(toOnnx(graph, { y }, halves).compact).toBe(true);
    expect(toOnnx(graph, { y }).compact).toBe(false);
    expect(() => toOnnx(graph, { y }, new Map([["half", Uint8Array.of(1, 2, 3, 4)]]))).toThrow(/"half" is f16, but its numbers are in a Uint8Array/);
    expect(() => toOnnx(graph, { y }, new Map([["half", Float32Array.of(1, 2)]]))).toThrow(/"half" has 2 numbers for shape \[2\]/);
  });

  it("refuses numbers that do not fit the shape", () => {
    const graph = new Graph();
    const y = neg(graph.parameter("w", [2, 3]));
    for (const length of [0, 5, 7]) expect(() => toOnnx(graph, { y }, new Map([["w", new Float32Array(length)]]))).toThrow(/"w" has \d numbers for shape \[2, 3\]/);
    expect(() => graph.constant("f32", [3], new Float32Array(2))).toThrow(/2 values for shape/);
  });

  it("writes every kind of attribute", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2, 3]);
    const y = graph.node("Odd", [x, null], { dtype: "f32", shape: [1] }, { domain: "com.microsoft", attributes: { i: -1, f: { float: 1 }, s: "add", list: [1, -2] } });
    const [node] = all(graphOf(toOnnx(graph, { y })), 1);
    expect(all(node!, 1).map(text)).toEqual(["x", ""]); // an input left out is an empty name
    expect(text(all(node!, 7)[0]!)).toBe("com.microsoft");
    expect(all(node!, 5)).toEqual([
      bytesOf("0a0169 18ffffffffffffffffff01 a00102"), bytesOf("0a0166 150000803f a00101"), bytesOf("0a0173 2203616464 a00103"),
      bytesOf("0a046c697374 420b01feffffffffffffffff01 a00107"),
    ]);
  });
});

describe("Graph", () => {
  it("shares scalars and vectors by value, and parameters by name", () => {
    const graph = new Graph();
    expect(graph.scalar(0.5)).toBe(graph.scalar(0.5));
    expect(graph.scalar(0.5)).not.toBe(graph.scalar(0.25));
    expect(graph.ints([1, 2])).toBe(graph.ints([1, 2]));
    expect(graph.shapeVector([2, 3])).toBe(graph.ints([2, 3]));
    expect(graph.shapeVector(["B", 3])).toBe(graph.shapeVector(["B", 3]));
    expect(graph.parameter("w", [2, "N"])).toBe(graph.parameter("w", [2, "N"]));
  });

  it("refuses a name used twice, another shape of a weight, an unknown name and a foreign tensor", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]);
    graph.parameter("w", [2]);
    expect(() => graph.input("x", "f32", [2])).toThrow(/"x" is taken/);
    expect(() => graph.parameter("x", [2])).toThrow(/another shape/);
    expect(() => graph.parameter("w", [3])).toThrow(/another shape/);
    expect(() => graph.named("nobody")).toThrow(/Nothing is called/);
    expect(() => add(x, new Graph().input("y", "f32", [2]))).toThrow(/another graph/);
    expect(() => x.dim(1)).toThrow(/no axis 1/);
    expect(x.dim(-1)).toBe(2);
  });
});
