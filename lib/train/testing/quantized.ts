/** Quantised weights with what they stand for in float64, and the relative errors of the operators on a backend. For tests. */
import { Random } from "../../core/random";
import { gradients } from "../graph/autodiff";
import { Graph, type Target, type Tensor } from "../graph/graph";
import { mul } from "../graph/operators/elementwise";
import { dequantize, dequantizeRows, matmulQuantized, quantizedShapes, type Bits } from "../graph/operators/quantized";
import { reduceSum } from "../graph/operators/reduce";
import { toOnnx } from "../graph/onnx";
import type { Backend } from "../runtime/backend";
import { f32, i32, Session, u8, type NdArray } from "../runtime/session";

const OUT = 48, IN = 96, ROWS = 5, BLOCK = 32;
const SHAPE = [OUT, IN] as const;
const PICKED = [7, 0, 47, 7];

/** Random codes and scales of both signs. */
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
  if (data.length !== expected.length) return Infinity;
  return Math.hypot(...expected.map((v, i) => v - data[i]!)) / Math.hypot(...expected);
}

/**
 * Relative L2 errors against float64 on the dequantised weights: the product,
 * the gradient of its input, the weights as f32, and rows of them.
 *
 * @param where whether the weights stand in the model or are fed
 */
export async function quantizedErrors(backend: Backend, bits: Bits, target: Target, where: "inside" | "fed"): Promise<{ y: number; dx: number; weights: number; rows: number }> {
  const { data, scales, weights } = quantized(bits);
  const x = normals("x", ROWS * IN), dy = normals("dy", ROWS * OUT);
  const graph = new Graph(target);
  const leaf = (name: string, { dtype, shape, data: numbers }: NdArray): Tensor =>
    where === "fed" ? graph.input(name, dtype, shape) : graph.constant(dtype, shape, numbers, name);
  const input = graph.input("x", "f32", ["N", IN]); // [n, in]
  const weight = { data: leaf("data", data), scales: leaf("scales", scales) };
  const y = matmulQuantized(input, weight, bits, SHAPE); // [n, out]
  const [dx] = gradients(graph, reduceSum(mul(y, graph.input("dy", "f32", ["N", OUT])), [0, 1]), [input]); // [n, in]
  const rows = dequantizeRows(weight, bits, SHAPE, graph.input("at", "i32", ["R"])); // [r, in]
  const session = await Session.create(backend, toOnnx(graph, { y, dx: dx!, weights: dequantize(weight, bits, SHAPE), rows }));
  try {
    const out = await session.run({
      x: f32(x, [ROWS, IN]), dy: f32(dy, [ROWS, OUT]), at: i32(Int32Array.from(PICKED), [PICKED.length]), ...(where === "fed" ? { data, scales } : {}),
    });
    const expected: Record<string, Float64Array> = {
      y: Float64Array.from({ length: ROWS * OUT }, (_, at) => {
        const [n, o] = [Math.floor(at / OUT), at % OUT];
        return weights.subarray(o * IN, (o + 1) * IN).reduce((sum, w, k) => sum + w * x[n * IN + k]!, 0);
      }),
      dx: Float64Array.from({ length: ROWS * IN }, (_, at) => {
        const [n, k] = [Math.floor(at / IN), at % IN];
        return dy.subarray(n * OUT, (n + 1) * OUT).reduce((sum, d, o) => sum + d * weights[o * IN + k]!, 0);
      }),
      weights,
      rows: Float64Array.from(PICKED.flatMap((r) => [...weights.subarray(r * IN, (r + 1) * IN)])),
    };
    const error = (name: string) => relative(out[name]!, expected[name]!);
    return { y: error("y"), dx: error("dx"), weights: error("weights"), rows: error("rows") };
  } finally {
    await session.dispose();
  }
}
