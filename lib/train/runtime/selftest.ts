/**
 * Asks a device whether its gradients are right, before anything is trained on
 * it: a small network with every operator that training uses, in one graph or
 * layer by layer, is differentiated, and each gradient is compared with finite differences of the loss computed on
 * the same device. Needed because devices fail silently: on WebGPU a known fault
 * gives a correct loss and gradients that are off by 100 %.
 */
import { Random } from "../../core/random";
import { gradients } from "../graph/autodiff";
import { Graph, type Target, type Tensor } from "../graph/graph";
import { partGradient, partStatistics } from "../graph/operators/chunked";
import { add, exp, log, mul, neg } from "../graph/operators/elementwise";
import { selectRows } from "../graph/operators/index";
import { gemm, linear, linearDown, linearUpdated } from "../graph/operators/linear";
import { attention, crossEntropy, linearCrossEntropy, rmsNorm, rotary, swiglu } from "../graph/operators/neural";
import { matmulQuantized, quantizedShapes, toF32 } from "../graph/operators/quantized";
import { reduceSum } from "../graph/operators/reduce";
import { reshape, split, transpose } from "../graph/operators/shape";
import { isView, toOnnx, type OnnxModel } from "../graph/onnx";
import { targetOf, type Backend } from "./backend";
import { f16, f32, i32, i64, Session, u8, type NdArray } from "./session";

const BATCH = 2, SEQ = 5, HEADS = 2, KEY_HEADS = 1, HEAD_DIM = 8, WIDTH = 32, VOCAB = 40, RANK = 3, ROWS = 6;
const FUSED = (HEADS + 2 * KEY_HEADS) * HEAD_DIM;
/** Largest relative error that finite differences in f32 leave on a device that computes correctly is near 1e-3. */
export const TOLERANCE = 2e-2;

/** How a fault begins when the device could not even run: it need not be the device's fault, its files may be missing. */
export const COULD_NOT_RUN = "it could not run the test";

/** What is differentiated: each rule of the network lies on every way from one of these to the loss. */
const SHAPES: Record<string, number[]> = {
  x: [BATCH * SEQ, WIDTH], wqkv: [FUSED, WIDTH], a: [RANK, WIDTH], b: [FUSED, RANK],
  gain: [WIDTH], a2: [RANK, WIDTH], gate: [WIDTH, RANK], up: [WIDTH, RANK], table: [VOCAB, WIDTH],
};

/** What is moved, each along its gradient; queries', keys' and values' rows apart, since the largest would hide the others. */
const CHECKS: { name: string; rows?: [from: number, to: number] }[] = [
  ...Object.keys(SHAPES).map((name) => ({ name })),
  ...[[0, HEADS], [HEADS, HEADS + KEY_HEADS], [HEADS + KEY_HEADS, HEADS + 2 * KEY_HEADS]].map(([from, to]) => ({ name: "wqkv", rows: [from! * HEAD_DIM, to! * HEAD_DIM] as [number, number] })),
];

export interface Variant {
  target: Target;
  /** Whether one weight is held as f16. */
  f16: boolean;
}

/**
 * The network as a graph with its gradients: one layer and the head as training computes them, with every way to hold a weight.
 * @param fixedShapes for capture: with the outputs that it allows
 */
export function selfTestModel(variant: Variant, fixedShapes = false): OnnxModel {
  const graph = new Graph(variant.target);
  const parameters = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, graph.parameter(name, name === "x" ? ["B*T", WIDTH] : shape)])) as Record<string, Tensor>;
  const p = (name: string) => parameters[name]!;
  const fixed = (name: string, shape: number[]) => graph.input(name, "f32", shape);
  const quantized = (name: string, bits: 4 | 8) => {
    const shapes = quantizedShapes(bits, [WIDTH, WIDTH]);
    return { data: graph.input(name, "u8", shapes.data), scales: fixed(`${name}.scales`, shapes.scales) };
  };
  const positions = graph.input("positions", "i64", ["B", "T"]);
  const mask = graph.input("mask", "f32", [1, 1, "T", "T"]);
  const table = (f: (x: number) => number, name: string) => graph.constant("f32", [SEQ, HEAD_DIM / 2],
    Float32Array.from({ length: (SEQ * HEAD_DIM) / 2 }, (_, i) => f(Math.floor(i / (HEAD_DIM / 2)) * 0.7 ** (i % (HEAD_DIM / 2)))), name);
  const tables = { cos: table(Math.cos, "cos"), sin: table(Math.sin, "sin"), minusSin: table((v) => -Math.sin(v), "minusSin") };
  const lora = (x: Tensor, a: Tensor, b: Tensor, base: Tensor) => gemm(linear(x, a), b, { transB: true, alpha: 1.5, c: base });

  const x = p("x"); // [B·T, width]
  const normed = rmsNorm(x, fixed("ones", [WIDTH]), 1e-5); // [B·T, width]
  // Queries, keys and values from a trained weight, and from a frozen one with an update added to it.
  const change = { a: p("a"), b: p("b"), scale: 1.5, down: linearDown(normed, p("a")) };
  const updated = linearUpdated(normed, fixed("frozen", [FUSED, WIDTH]), change, fixed("bias", [FUSED])); // [B·T, fused]
  const qkv = gemm(normed, p("wqkv"), { transB: true, c: updated }); // [B·T, fused]
  const heads = transpose(reshape(qkv, ["B", "T", HEADS + 2 * KEY_HEADS, HEAD_DIM]), [0, 2, 1, 3]); // [B, all heads, T, headDim]
  const [qk, v] = split(heads, 1, [HEADS + KEY_HEADS, KEY_HEADS]) as [Tensor, Tensor];
  const even = mul(rmsNorm(qk, null, 1e-5), fixed("headGains", [HEADS + KEY_HEADS, 1, HEAD_DIM])); // [B, heads + keyHeads, T, headDim]
  const [q, k] = split(rotary(even, positions, tables), 1, [HEADS, KEY_HEADS]) as [Tensor, Tensor];
  const mixed = reshape(transpose(attention(q, k, v, mask), [0, 2, 1, 3]), ["B*T", HEADS * HEAD_DIM]); // [B·T, heads · headDim]
  const out = variant.f16 ? toF32(graph.input("out", "f16", [WIDTH, HEADS * HEAD_DIM])) : fixed("out", [WIDTH, HEADS * HEAD_DIM]);
  const attended = gemm(mixed, out, { transB: true, c: x }); // [B·T, width]
  const rows = selectRows(attended, graph.input("rows", "i32", ["M"]), graph.input("rowOf", "i32", ["B*T"])); // [M, width]
  const second = rmsNorm(rows, p("gain"), 1e-5); // [M, width]
  const four = matmulQuantized(second, quantized("four", 4), 4, [WIDTH, WIDTH]); // [M, width]
  const gated = swiglu(lora(second, p("a2"), p("gate"), four), lora(second, p("a2"), p("up"), four)); // [M, width]
  const down = matmulQuantized(gated, quantized("eight", 8), 8, [WIDTH, WIDTH]); // [M, width]
  const targets = graph.input("targets", "i32", ["M", 1]);
  const frozenTable = fixed("frozenTable", [VOCAB, WIDTH]);
  const whole = add(crossEntropy(linear(down, p("table")), targets), linearCrossEntropy(down, frozenTable, targets)); // [M, 1]
  const nll = add(whole, chunkedCrossEntropy(down, frozenTable, targets)); // [M, 1]
  const loss = reduceSum(mul(nll, graph.input("weights", "f32", ["M", 1])), [0, 1]); // []
  const adjoints = gradients(graph, loss, Object.values(parameters));
  const outputs = Object.entries({ loss, nll, ...Object.fromEntries(Object.keys(SHAPES).map((name, i) => [`grad:${name}`, adjoints[i]!])) });
  if (!fixedShapes) return toOnnx(graph, Object.fromEntries(outputs));
  return toOnnx(graph, Object.fromEntries(outputs.filter(([, tensor]) => !isView(graph, tensor))), new Map(), { sizes: { B: BATCH, T: SEQ, M: ROWS } });
}

/** As the streamed head has it, the vocabulary being one part. @returns [n, 1] */
function chunkedCrossEntropy(x: Tensor, table: Tensor, targets: Tensor): Tensor {
  const logits = linear(x, table); // [n, vocab]
  const { max: top, sum, picked } = partStatistics(logits, targets);
  const logSum = log(sum); // [n, 1]
  return x.graph.node("Sub", [add(top, logSum), picked], { dtype: "f32", shape: picked.shape }, {
    through: [x],
    // 1 / sum by what is there already: each further kernel costs a device without hardware time.
    gradient: (dy) => [partGradient(logits, table, { top, share: mul(dy, exp(neg(logSum))), targets, hit: neg(dy) })],
  });
}

/** Random numbers for every input of the network. */
function pointOf(random: Random): Map<string, Float32Array> {
  return new Map(Object.entries(SHAPES).map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, Float32Array.from({ length: size }, () => (name === "gain" ? 1 + 0.3 * random.normal() : 0.25 * random.normal()))];
  }));
}

/** What the network is fed, by a seed. */
export function selfTestFeeds(variant: Variant, seed: string): Record<string, NdArray> {
  const random = new Random(seed);
  return { ...fixedFeeds(random, variant), ...Object.fromEntries([...pointOf(random)].map(([name, data]) => [name, f32(data, SHAPES[name]!)])) };
}

function fixedFeeds(random: Random, variant: Variant): Record<string, NdArray> {
  const mask = Float32Array.from({ length: SEQ * SEQ }, (_, i) => (i % SEQ > Math.floor(i / SEQ) ? -1e9 : 0));
  const rows = Int32Array.from([0, 2, 3, 5, 6, 8]);
  const rowOf = Int32Array.from({ length: BATCH * SEQ }, (_, i) => (rows.includes(i) ? rows.indexOf(i) : ROWS));
  const normals = (shape: number[], mean: number, deviation: number) =>
    f32(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => mean + deviation * random.normal()), shape);
  const quantized = (name: string, bits: 4 | 8) => {
    const { data, scales } = quantizedShapes(bits, [WIDTH, WIDTH]);
    const codes = Uint8Array.from({ length: data[0] * data[1] * data[2] }, () => Math.floor(256 * random.uniform()));
    return { [name]: u8(codes, data), [`${name}.scales`]: normals(scales, 2 ** -bits, 0.1 * 2 ** -bits) };
  };
  const outShape = [WIDTH, HEADS * HEAD_DIM];
  // Sign, exponent and mantissa of halves between 1/4 and 1/2.
  const halves = Uint16Array.from({ length: WIDTH * HEADS * HEAD_DIM }, () => (random.uniform() < 0.5 ? 0x8000 : 0) | (0x3400 + Math.floor(1024 * random.uniform())));
  return {
    positions: i64(BigInt64Array.from({ length: BATCH * SEQ }, (_, i) => BigInt(i % SEQ)), [BATCH, SEQ]),
    mask: f32(mask, [1, 1, SEQ, SEQ]),
    rows: i32(rows, [ROWS]),
    rowOf: i32(rowOf, [BATCH * SEQ]),
    targets: i32(Int32Array.from([17, 39, 0, 17, 22, 1]), [ROWS, 1]),
    weights: f32(Float32Array.from({ length: ROWS }, (_, i) => 0.1 + 0.05 * i), [ROWS, 1]),
    ones: normals([WIDTH], 1, 0.3), frozen: normals([FUSED, WIDTH], 0, 0.25), frozenTable: normals([VOCAB, WIDTH], 0, 0.25), bias: normals([FUSED], 0, 0.3), headGains: normals([HEADS + KEY_HEADS, 1, HEAD_DIM], 1, 0.3),
    out: variant.f16 ? f16(halves, outShape) : normals(outShape, 0, 0.35),
    ...quantized("four", 4), ...quantized("eight", 8),
  };
}

/**
 * @returns null when every gradient is right; else what is wrong, for the report
 * @throws nothing of its own: a device that fails to run is reported too
 */
export async function gradientSelfTest(backend: Backend): Promise<string | null> {
  let session: Session | null = null;
  try {
    const variant = { target: targetOf(backend), f16: backend.features.f16 };
    session = await Session.create(backend, selfTestModel(variant));
    const random = new Random("self-test");
    const fixed = fixedFeeds(random, variant);
    const point = pointOf(random);
    const run = (moved?: { name: string; data: Float32Array }) =>
      session!.run({ ...fixed, ...Object.fromEntries([...point].map(([name, data]) => [name, f32(moved?.name === name ? moved.data : data, SHAPES[name]!)])) });
    const weights = fixed["weights"]!.data as Float32Array;
    /** Summed here in f64: the loss summed in f32 would drown small differences. */
    const lossOf = (out: Record<string, NdArray>) => (out["nll"]!.data as Float32Array).reduce((sum, v, i) => sum + v * weights[i]!, 0);
    const here = await run();
    const loss = here["loss"]!.data[0] as number;
    if (!(Math.abs(loss - lossOf(here)) < 1e-4)) return `its loss is ${loss}, where its parts add up to ${lossOf(here)}`;
    for (const { name, rows } of CHECKS) {
      const data = point.get(name)!;
      const [from, to] = rows ? [rows[0] * WIDTH, rows[1] * WIDTH] : [0, data.length];
      const gradient = (here[`grad:${name}`]!.data as Float32Array).map((v, i) => (i >= from && i < to ? v : 0));
      const norm = Math.hypot(...gradient);
      if (!(norm > 1e-4 && norm < 1e4)) return `the gradient of ${name} has norm ${norm}`;
      const step = 0.03 / Math.max(1, norm);
      const along = async (sign: number) => lossOf(await run({ name, data: data.map((v, i) => v + (sign * step * gradient[i]!) / norm) }));
      const numeric = ((await along(1)) - (await along(-1))) / (2 * step);
      const error = Math.abs(numeric - norm) / norm;
      if (!(error < TOLERANCE)) return `the gradient of ${name} is off by ${(100 * error).toFixed(1)} %`;
    }
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `${COULD_NOT_RUN} (${cause instanceof Error ? cause.message.slice(0, 200) : String(cause)})`;
  } finally {
    await session?.dispose();
  }
}
