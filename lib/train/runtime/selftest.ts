/**
 * Asks a device whether its gradients are right, before anything is trained on
 * it: a small network with every operator that training uses is differentiated,
 * and each gradient is compared with finite differences of the loss computed on
 * the same device. Needed because devices fail silently: on WebGPU a known fault
 * gives a correct loss and gradients that are off by 100 %.
 */
import { Random } from "../../core/random";
import { gradients } from "../graph/autodiff";
import { Graph, type Tensor } from "../graph/graph";
import { add, mul, scale, silu } from "../graph/operators/elementwise";
import { embedding, selectRows } from "../graph/operators/index";
import { gemm, linear, matmul } from "../graph/operators/linear";
import { crossEntropy, rmsNorm, rotary, softmax } from "../graph/operators/neural";
import { reduceSum } from "../graph/operators/reduce";
import { reshape, transpose } from "../graph/operators/shape";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { Backend } from "./backend";
import { f32, i32, i64, Session, type NdArray } from "./session";

const BATCH = 2, SEQ = 5, HEADS = 2, HEAD_DIM = 8, WIDTH = 16, VOCAB = 40, RANK = 3, ROWS = 6;
/** Largest relative error that finite differences in f32 leave on a device that computes correctly is near 1e-3. */
export const TOLERANCE = 2e-2;

/** How a fault begins when the device could not even run: it need not be the device's fault, its files may be missing. */
export const COULD_NOT_RUN = "it could not run the test";

const SHAPES: Record<string, number[]> = {
  table: [VOCAB, WIDTH], gain: [WIDTH], wq: [WIDTH, WIDTH], wk: [WIDTH, WIDTH], wv: [WIDTH, WIDTH],
  gate: [WIDTH, WIDTH], up: [WIDTH, WIDTH], a: [RANK, WIDTH], b: [WIDTH, RANK],
};

/** The network as a graph with its gradients. */
export function selfTestModel(): OnnxModel {
  const graph = new Graph();
  const parameters = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, graph.parameter(name, shape)])) as Record<string, Tensor>;
  const p = (name: string) => parameters[name]!;
  const positions = graph.input("positions", "i64", ["B", "T"]);
  const mask = graph.input("mask", "f32", [1, 1, "T", "T"]);
  const table = (f: (x: number) => number, name: string) => graph.constant("f32", [SEQ, HEAD_DIM / 2],
    Float32Array.from({ length: (SEQ * HEAD_DIM) / 2 }, (_, i) => f(Math.floor(i / (HEAD_DIM / 2)) * 0.7 ** (i % (HEAD_DIM / 2)))), name);
  const tables = { cos: table(Math.cos, "cos"), sin: table(Math.sin, "sin"), minusSin: table((x) => -Math.sin(x), "minusSin") };

  const x = embedding(p("table"), graph.input("ids", "i32", ["B*T"])); // [B·T, width]
  const normed = rmsNorm(x, p("gain"), 1e-5);
  const heads = (t: Tensor) => transpose(reshape(t, ["B", "T", HEADS, HEAD_DIM]), [0, 2, 1, 3]); // [B, heads, T, headDim]
  const q = rotary(heads(linear(normed, p("wq"))), positions, tables);
  const k = rotary(heads(linear(normed, p("wk"))), positions, tables);
  const weights = softmax(add(scale(matmul(q, transpose(k, [0, 1, 3, 2])), HEAD_DIM ** -0.5), mask)); // [B, heads, T, T]
  const attended = reshape(transpose(matmul(weights, heads(linear(normed, p("wv")))), [0, 2, 1, 3]), ["B*T", WIDTH]); // [B·T, width]
  const y = add(x, attended);
  const gated = mul(silu(linear(y, p("gate"))), linear(y, p("up"))); // [B·T, width]
  const adapted = gemm(linear(gated, p("a")), p("b"), { transB: true, alpha: 1.5, c: y }); // [B·T, width]
  const rows = selectRows(adapted, graph.input("rows", "i32", ["M"]), graph.input("rowOf", "i32", ["B*T"])); // [M, width]
  const nll = crossEntropy(linear(rows, p("table")), graph.input("targets", "i32", ["M", 1])); // [M, 1]
  const loss = reduceSum(mul(nll, graph.input("weights", "f32", ["M", 1])), [0, 1]); // []
  const adjoints = gradients(graph, loss, Object.values(parameters));
  return toOnnx(graph, { loss, nll, ...Object.fromEntries(Object.keys(SHAPES).map((name, i) => [`grad:${name}`, adjoints[i]!])) });
}

function fixedFeeds(): Record<string, NdArray> {
  const mask = Float32Array.from({ length: SEQ * SEQ }, (_, i) => (i % SEQ > Math.floor(i / SEQ) ? -1e9 : 0));
  const rows = Int32Array.from([0, 2, 3, 5, 6, 8]);
  const rowOf = Int32Array.from({ length: BATCH * SEQ }, (_, i) => (rows.includes(i) ? rows.indexOf(i) : ROWS));
  return {
    ids: i32(Int32Array.from([3, 17, 3, 39, 0, 5, 17, 22, 3, 1]), [BATCH * SEQ]),
    positions: i64(BigInt64Array.from({ length: BATCH * SEQ }, (_, i) => BigInt(i % SEQ)), [BATCH, SEQ]),
    mask: f32(mask, [1, 1, SEQ, SEQ]),
    rows: i32(rows, [ROWS]),
    rowOf: i32(rowOf, [BATCH * SEQ]),
    targets: i32(Int32Array.from([17, 39, 0, 17, 22, 1]), [ROWS, 1]),
    weights: f32(Float32Array.from({ length: ROWS }, (_, i) => 0.1 + 0.05 * i), [ROWS, 1]),
  };
}

/**
 * @returns null when every gradient is right; else what is wrong, for the report
 * @throws nothing of its own: a device that fails to run is reported too
 */
export async function gradientSelfTest(backend: Backend): Promise<string | null> {
  let session: Session | null = null;
  try {
    session = await Session.create(backend, selfTestModel());
    const random = new Random("self-test");
    const fixed = fixedFeeds();
    const point = new Map(Object.entries(SHAPES).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length: size }, () => (name === "gain" ? 1 + 0.3 * random.normal() : 0.35 * random.normal()))];
    }));
    const run = (moved?: { name: string; data: Float32Array }) =>
      session!.run({ ...fixed, ...Object.fromEntries([...point].map(([name, data]) => [name, f32(moved?.name === name ? moved.data : data, SHAPES[name]!)])) });
    const weights = fixed["weights"]!.data as Float32Array;
    /** Summed here in f64: the loss summed in f32 would drown small differences. */
    const lossOf = (out: Record<string, NdArray>) => (out["nll"]!.data as Float32Array).reduce((sum, v, i) => sum + v * weights[i]!, 0);
    const here = await run();
    const loss = here["loss"]!.data[0] as number;
    if (!(Math.abs(loss - lossOf(here)) < 1e-4)) return `its loss is ${loss}, where its parts add up to ${lossOf(here)}`;
    for (const [name, data] of point) {
      const gradient = here[`grad:${name}`]!.data as Float32Array;
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
