/**
 * Every operator's gradient against central finite differences along random
 * directions, on random shapes, broadcasts included, and with symbolic sizes.
 */
import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { openNode } from "../runtime/node";
import { f32, i32, i64, Session, type NdArray } from "../runtime/session";
import { gradients } from "./autodiff";
import { Graph, type Tensor } from "./graph";
import * as ew from "./operators/elementwise";
import { embedding, selectRows } from "./operators/index";
import { gemm, linear, linearDown, linearUpdated, matmul } from "./operators/linear";
import { crossEntropy, linearCrossEntropy, linearCrossEntropyZ, rmsNorm, rotary, softmax } from "./operators/neural";
import { reduceMax, reduceMean, reduceSum } from "./operators/reduce";
import { concat, expand, reshape, split, transpose } from "./operators/shape";
import { toOnnx } from "./onnx";

interface Variable { shape: (number | string)[]; actual?: number[]; low?: number; high?: number }
interface Case {
  name: string;
  variables: Variable[];
  fixed?: Record<string, { declare: [NdArray["dtype"], (number | string)[]]; value: NdArray }>;
  build: (graph: Graph, v: Tensor[], fixed: Record<string, Tensor>) => Tensor;
}

const backend = openNode();

async function check(test: Case, seed: number): Promise<number> {
  const random = new Random(`${test.name}-${seed}`);
  const graph = new Graph();
  const tensors = test.variables.map((v, i) => graph.input(`x${i}`, "f32", v.shape));
  const fixed = Object.fromEntries(Object.entries(test.fixed ?? {}).map(([name, f]) => [name, graph.input(name, ...f.declare)]));
  const y = test.build(graph, tensors, fixed);
  // A random weighting of the outputs makes every one of them matter.
  const weighting = graph.input("weighting", "f32", y.shape);
  const loss = reduceSum(ew.mul(y, weighting), y.shape.map((_, i) => i));
  const grads = gradients(graph, loss, tensors);
  const model = toOnnx(graph, { y, loss, ...Object.fromEntries(grads.map((g, i) => [`g${i}`, g])) });
  const session = await Session.create(backend, model);
  try {
    const values = test.variables.map((v) => {
      const shape = v.actual ?? (v.shape as number[]);
      const n = shape.reduce((a, b) => a * b, 1);
      const low = v.low ?? -1.5, high = v.high ?? 1.5;
      return f32(Float32Array.from({ length: n }, () => low + (high - low) * random.uniform()), shape);
    });
    const feeds = (x: NdArray[], w: NdArray) => ({
      ...Object.fromEntries(x.map((value, i) => [`x${i}`, value])), weighting: w,
      ...Object.fromEntries(Object.entries(test.fixed ?? {}).map(([name, f]) => [name, f.value])),
    });
    const probeShape = await outputShape(graph, y, test, values);
    const w = f32(Float32Array.from({ length: probeShape.reduce((a, b) => a * b, 1) }, () => random.normal()), probeShape);
    const at = await session.run(feeds(values, w));
    let worst = 0;
    for (let i = 0; i < values.length; i++) {
      const x = values[i]!.data as Float32Array;
      const g = at[`g${i}`]!;
      expect(g.shape).toEqual(values[i]!.shape);
      // Along g itself the slope is |g|: the direction in which f32 noise matters least; and along a random one.
      for (const kind of ["gradient", "random"] as const) {
        const gd = g.data as Float32Array;
        const direction = Float64Array.from(gd, (v) => (kind === "gradient" ? v : random.normal()));
        const norm = Math.hypot(...direction) || 1;
        const h = 2e-2;
        const moved = async (sign: number) => {
          const data = Float32Array.from(x, (v, k) => v + (sign * h * direction[k]!) / norm);
          const out = await session.run(feeds(values.map((v, k) => (k === i ? f32(data, v.shape) : v)), w));
          const ys = out["y"]!.data as Float32Array;
          return ys.reduce((sum, v, k) => sum + v * (w.data as Float32Array)[k]!, 0); // in f64
        };
        const [p1, m1] = [await moved(1), await moved(-1)];
        const [p2, m2] = [await moved(0.5), await moved(-0.5)];
        const coarse = (p1 - m1) / (2 * h), fine = (p2 - m2) / h;
        const numeric = (4 * fine - coarse) / 3; // Richardson
        const analytic = gd.reduce((sum, v, k) => sum + (v * direction[k]!) / norm, 0);
        const scale = Math.hypot(...gd) + 1e-3;
        worst = Math.max(worst, Math.abs(numeric - analytic) / scale);
      }
    }
    return worst;
  } finally {
    await session.dispose();
  }
}

async function outputShape(graph: Graph, y: Tensor, test: Case, values: NdArray[]): Promise<readonly number[]> {
  const session = await Session.create(backend, toOnnx(graph, { y }));
  const names = new Set(toOnnx(graph, { y }).inputs.map((p) => p.name));
  const all: Record<string, NdArray> = {
    ...Object.fromEntries(values.map((v, i) => [`x${i}`, v])),
    ...Object.fromEntries(Object.entries(test.fixed ?? {}).map(([n, f]) => [n, f.value])),
  };
  const out = await session.run(Object.fromEntries(Object.entries(all).filter(([n]) => names.has(n))));
  await session.dispose();
  return out["y"]!.shape;
}

const v = (shape: (number | string)[], more: Partial<Variable> = {}): Variable => ({ shape, ...more });
const binaries: [string, (a: Tensor, b: Tensor) => Tensor, Partial<Variable>][] = [
  ["add", ew.add, {}], ["sub", ew.sub, {}], ["mul", ew.mul, {}], ["div", ew.div, { low: 0.7, high: 2 }],
];
const unaries: [string, (x: Tensor) => Tensor, Partial<Variable>][] = [
  ["neg", ew.neg, {}], ["exp", ew.exp, {}], ["log", ew.log, { low: 0.4, high: 3 }],
  ["sigmoid", ew.sigmoid, {}], ["silu", ew.silu, {}],
  ["scale", (x) => ew.scale(x, -0.3), {}], ["softmax", softmax, {}],
];
const broadcasts: [(number | string)[], (number | string)[]][] = [
  [[3, 4], [3, 4]], [[3, 4], [4]], [[3, 4], [3, 1]], [[1, 4], [3, 1]], [[2, 3, 4], [1, 3, 1]], [[4], [2, 3, 4]], [[2, 1, 4], [1, 3, 1]],
];
const cases: Case[] = [
  ...binaries.flatMap(([name, op, range]) => broadcasts.map(([a, b]): Case => ({
    name: `${name} [${a}] [${b}]`, variables: [v(a), v(b, range)], build: (_, [x, y]) => op(x!, y!),
  }))),
  ...binaries.map(([name, op, range]): Case => ({
    name: `${name} symbolic`, variables: [v(["B", "T", 3], { actual: [2, 4, 3] }), v(["B", 1, 3], { actual: [2, 1, 3], ...range })], build: (_, [x, y]) => op(x!, y!),
  })),
  ...unaries.map(([name, op, range]): Case => ({ name, variables: [v([3, 5], range)], build: (_, [x]) => op(x!) })),
  ...[false, true].flatMap((keep) => [[0], [1], [0, 2], [-1]].flatMap((axes): Case[] => [
    { name: `reduceSum ${axes} ${keep}`, variables: [v([2, 3, 4])], build: (_, [x]) => reduceSum(x!, axes, keep) },
    { name: `reduceMean ${axes} ${keep}`, variables: [v([2, 3, 4])], build: (_, [x]) => reduceMean(x!, axes, keep) },
  ])),
  { name: "reduceSum symbolic", variables: [v(["N", 4], { actual: [3, 4] })], build: (_, [x]) => reduceSum(x!, [0]) },
  { name: "reshape", variables: [v([2, 6])], build: (_, [x]) => ew.mul(reshape(x!, [3, 4]), reshape(x!, [3, 4])) },
  { name: "reshape symbolic, fed shape", variables: [v(["B", "T", 6], { actual: [2, 3, 6] })], build: (_, [x]) => {
    const flat = reshape(x!, ["B*T", 6]);
    return ew.exp(reshape(flat, ["B", "T", 2, 3]));
  } },
  { name: "transpose", variables: [v([2, 3, 4])], build: (_, [x]) => ew.exp(transpose(x!, [2, 0, 1])) },
  { name: "expand", variables: [v([2, 1, 3])], build: (_, [x]) => ew.exp(expand(x!, [2, 4, 3])) },
  { name: "concat", variables: [v([2, 3]), v([2, 4])], build: (_, [a, b]) => ew.exp(concat([a!, b!, a!], 1)) },
  { name: "split, one part unused", variables: [v([2, 5])], build: (_, [x]) => {
    const [a, , c] = split(x!, 1, [1, 2, 2]) as [Tensor, Tensor, Tensor];
    return ew.mul(ew.exp(a), c);
  } },
  ...[false, true].flatMap((transA) => [false, true].map((transB): Case => ({
    name: `gemm ${transA} ${transB}`,
    variables: [v(transA ? [4, 3] : [3, 4]), v(transB ? [5, 4] : [4, 5]), v([5])],
    build: (_, [a, b, c]) => gemm(a!, b!, { transA, transB, alpha: 0.7, c: c! }),
  }))),
  { name: "gemm with full c", variables: [v([3, 4]), v([4, 5]), v([3, 5])], build: (_, [a, b, c]) => gemm(a!, b!, { c: c! }) },
  { name: "linear", variables: [v(["N", 4], { actual: [3, 4] }), v([5, 4])], build: (_, [x, w]) => linear(x!, w!) },
  ...[[5], [3, 5]].map((c): Case => ({
    name: `linearUpdated, plus [${c}]`,
    variables: [v(["N", 4], { actual: [3, 4] }), v([2, 4]), v([5, 2]), v(c.length === 1 ? c : ["N", 5], { actual: c })],
    build: (graph, [x, a, b, c]) =>
      linearUpdated(x!, graph.constant("f32", [5, 4], Float32Array.from({ length: 20 }, (_, i) => Math.sin(2 * i))), { a: a!, b: b!, scale: 0.7, down: linearDown(x!, a!) }, c),
  })),
  { name: "matmul batched", variables: [v([2, 3, 4]), v([2, 4, 5])], build: (_, [a, b]) => matmul(a!, b!) },
  { name: "matmul broadcast", variables: [v([2, 3, 3, 4]), v([2, 1, 4, 5])], build: (_, [a, b]) => matmul(a!, b!) },
  { name: "matmul broadcast rank", variables: [v([3, 4]), v([2, 4, 5])], build: (_, [a, b]) => matmul(a!, b!) },
  { name: "softmax 4d", variables: [v([2, 2, 3, 5])], build: (_, [x]) => softmax(x!) },
  { name: "rmsNorm", variables: [v([3, 8]), v([8], { low: 0.5, high: 2 })], build: (_, [x, g]) => rmsNorm(x!, g!, 1e-3) },
  { name: "rmsNorm 4d symbolic", variables: [v(["B", "T", 2, 6], { actual: [2, 3, 2, 6] }), v([6])], build: (_, [x, g]) => rmsNorm(x!, g!, 1e-6) },
  { name: "reduceMax as a constant", variables: [v([3, 5])], build: (_, [x]) => softmaxByHand(x!) },
  {
    name: "rotary", variables: [v(["B", 2, "T", 6], { actual: [2, 2, 3, 6] })],
    fixed: {
      positions: { declare: ["i64", ["B", "T"]], value: i64(BigInt64Array.from([0, 1, 2, 4, 5, 7], BigInt), [2, 3]) },
      cos: { declare: ["f32", [9, 3]], value: f32(Float32Array.from({ length: 27 }, (_, i) => Math.cos(0.37 * i)), [9, 3]) },
      sin: { declare: ["f32", [9, 3]], value: f32(Float32Array.from({ length: 27 }, (_, i) => Math.sin(0.37 * i)), [9, 3]) },
    },
    build: (_, [x], f) => rotary(x!, f["positions"]!, { cos: f["cos"]!, sin: f["sin"]!, minusSin: ew.neg(f["sin"]!) }),
  },
  {
    name: "crossEntropy", variables: [v(["M", 7], { actual: [4, 7], low: -3, high: 3 })],
    fixed: { targets: { declare: ["i32", ["M", 1]], value: i32(Int32Array.from([0, 6, 3, 3]), [4, 1]) } },
    build: (_, [x], f) => crossEntropy(x!, f["targets"]!),
  },
  ...[true, false].map((frozen): Case => ({
    name: `linearCrossEntropy, the table ${frozen ? "frozen" : "trained"}`,
    variables: [v(["M", 3], { actual: [4, 3], low: -2, high: 2 }), ...(frozen ? [] : [v([5, 3], { low: -2, high: 2 })])],
    fixed: { targets: { declare: ["i32", ["M", 1]], value: i32(Int32Array.from([0, 4, 2, 2]), [4, 1]) } },
    build: (graph, [x, table], f) =>
      linearCrossEntropy(x!, table ?? graph.constant("f32", [5, 3], Float32Array.from({ length: 15 }, (_, i) => Math.sin(3 * i))), f["targets"]!),
  })),
  {
    name: "linearCrossEntropyZ",
    variables: [v(["M", 3], { actual: [4, 3], low: -2, high: 2 }), v([5, 3], { low: -2, high: 2 })],
    fixed: { targets: { declare: ["i32", ["M", 1]], value: i32(Int32Array.from([0, 4, 2, 2]), [4, 1]) } },
    build: (_, [x, table], f) => linearCrossEntropyZ(x!, table!, f["targets"]!, 0.3).loss,
  },
  {
    name: "embedding, repeated rows", variables: [v([6, 3])],
    fixed: { ids: { declare: ["i32", ["N"]], value: i32(Int32Array.from([1, 5, 1, 0, 1]), [5]) } },
    build: (_, [x], f) => ew.exp(embedding(x!, f["ids"]!)),
  },
  {
    name: "selectRows", variables: [v(["N", 3], { actual: [6, 3] })],
    fixed: {
      rows: { declare: ["i32", ["M"]], value: i32(Int32Array.from([4, 1, 2]), [3]) },
      rowOf: { declare: ["i32", ["N"]], value: i32(Int32Array.from([3, 1, 2, 3, 0, 3]), [6]) },
    },
    build: (_, [x], f) => ew.exp(selectRows(x!, f["rows"]!, f["rowOf"]!)),
  },
  { name: "a tensor used many times", variables: [v([3, 3])], build: (_, [x]) => ew.add(ew.mul(x!, ew.exp(x!)), matmul(x!, transpose(x!, [1, 0]))) },
];

function softmaxByHand(x: Tensor): Tensor {
  const e = ew.exp(ew.sub(x, reduceMax(x, [-1], true)));
  return ew.div(e, reduceSum(e, [-1], true));
}

describe("gradients by finite differences", () => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    for (const seed of [1, 2]) expect(await check(c, seed)).toBeLessThan(1e-3);
  });
});
