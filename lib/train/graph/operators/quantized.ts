/**
 * Products with frozen weights that are held in fewer bits: quantised in blocks
 * of 32 along a row (ORT's MatMulNBits: unsigned codes, zero point 8 or 128, one
 * f32 scale a block), or as f16. The same bytes serve both directions, so there
 * is one copy of a weight and no transposed one; what is computed with is f32.
 * No gradient goes to the weights.
 */
import { DuctusError } from "../../../core/errors";
import type { Tensor } from "../graph";
import { gemm } from "./linear";
import { concat, reshape } from "./shape";

/** Weights that share a scale. */
const BLOCK = 32;

export type Bits = 4 | 8;

export interface QuantizedWeight {
  /** u8 [rows, columns / 32, 4 · bits]; of 4-bit codes the earlier stands in the low half of a byte. */
  data: Tensor;
  /** f32 [rows · columns / 32]; weight = (code − zero point) · scale. */
  scales: Tensor;
}

/** @throws DuctusError `graph/shape` where bytes and scales do not fit the shape */
function check({ data, scales }: QuantizedWeight, bits: Bits, [rows, columns]: readonly [number, number]): void {
  const blocks = columns / BLOCK;
  const fits = Number.isInteger(blocks) && data.dtype === "u8" && data.rank === 3 && data.dim(0) === rows && data.dim(1) === blocks && data.dim(2) === 4 * bits
    && scales.dtype === "f32" && scales.rank === 1 && scales.dim(0) === rows * blocks;
  if (!fits) throw new DuctusError("graph/shape", `"${data.name}" and its scales are not ${bits}-bit weights of shape [${rows}, ${columns}].`);
}

/** The shapes of a quantised matrix' two tensors. */
export function quantizedShapes(bits: Bits, [rows, columns]: readonly [number, number]): { data: [number, number, number]; scales: [number] } {
  return { data: [rows, columns / BLOCK, 4 * bits], scales: [(rows * columns) / BLOCK] };
}

/**
 * x · Wᵀ with a quantised W: x [n, in] → [n, out]. dX = dY · W, with W
 * dequantised for as long as that product takes.
 *
 * @param shape of W, [out, in]
 */
export function matmulQuantized(x: Tensor, weight: QuantizedWeight, bits: Bits, shape: readonly [number, number]): Tensor {
  check(weight, bits, shape);
  const [out, width] = shape;
  if (x.rank !== 2 || x.dim(1) !== width) throw new DuctusError("graph/shape", `[${x.shape.join(", ")}] does not fit weights of shape [${out}, ${width}].`);
  return x.graph.node("MatMulNBits", [x, weight.data, weight.scales], { dtype: "f32", shape: [x.dim(0), out] }, { // [n, out]
    domain: "com.microsoft",
    attributes: { K: width, N: out, bits, block_size: BLOCK },
    through: [x],
    gradient: (dy) => [gemm(dy, dequantize(weight, bits, shape))], // [n, in]
  });
}

/** A quantised matrix as f32: [rows, columns]. */
export function dequantize(weight: QuantizedWeight, bits: Bits, shape: readonly [number, number]): Tensor {
  check(weight, bits, shape);
  const { graph } = weight.data;
  const [rows, columns] = shape;
  if (graph.target === "cpu") {
    const bytes = reshape(weight.data, [(rows * columns) / BLOCK, 4 * bits]); // [blocks, 4 · bits]
    return reshape(codesToF32(bits === 8 ? bytes : nibbles(bytes), weight.scales, bits), [rows, columns]);
  }
  const all = graph.shared(`rows:${rows}`, () => graph.constant("i32", [rows], Int32Array.from({ length: rows }, (_, i) => i)));
  return dequantizeRows(weight, bits, shape, all);
}

/** u8 codes [blocks, 32] → f32 of that shape. On the processor ten times as quick as GatherBlockQuantized, on WebGPU not at hand. */
function codesToF32(codes: Tensor, scales: Tensor, bits: Bits): Tensor {
  const { graph } = codes;
  const blocks = codes.dim(0) as number;
  const zeroPoint = 2 ** (bits - 1);
  const zeroPoints = graph.shared(`zero points:${zeroPoint}:${blocks}`, () => graph.constant("u8", [blocks], new Uint8Array(blocks).fill(zeroPoint)));
  return graph.node("DequantizeLinear", [codes, scales, zeroPoints], { dtype: "f32", shape: codes.shape }, { attributes: { axis: 0 } });
}

/** Two codes from each byte, the low half first: u8 [blocks, 16] → u8 [blocks, 32]. Joined along a new axis, they stand in order: a transposition would take longer than the product. */
function nibbles(bytes: Tensor): Tensor {
  const { graph } = bytes;
  const [blocks, size] = bytes.shape as [number, number];
  const byte = (value: number) => graph.shared(`u8:${value}`, () => graph.constant("u8", [1], Uint8Array.of(value)));
  const low = graph.node("BitwiseAnd", [bytes, byte(15)], { dtype: "u8", shape: bytes.shape }); // [blocks, 16]
  const high = graph.node("BitShift", [bytes, byte(4)], { dtype: "u8", shape: bytes.shape }, { attributes: { direction: "RIGHT" } }); // [blocks, 16]
  const column = (codes: Tensor) => reshape(codes, [blocks, size, 1]); // [blocks, 16, 1]
  return reshape(concat([column(low), column(high)], 2), [blocks, 2 * size]); // [blocks, 32]
}

/** Rows of a quantised matrix as f32: indices i32 [n] → [n, columns]. */
export function dequantizeRows(weight: QuantizedWeight, bits: Bits, shape: readonly [number, number], indices: Tensor): Tensor {
  check(weight, bits, shape);
  const [rows, columns] = shape;
  const blocks = columns / BLOCK;
  const scales = reshape(weight.scales, [rows, blocks, 1]); // [rows, blocks, 1]
  // Taken for a tensor of blocks, [rows, blocks, 32], the bytes need no other layout than that of MatMulNBits.
  const picked = weight.data.graph.node("GatherBlockQuantized", [weight.data, indices, scales], { dtype: "f32", shape: [indices.dim(0), blocks, BLOCK] }, { // [n, blocks, 32]
    domain: "com.microsoft",
    attributes: { bits, block_size: BLOCK, gather_axis: 0, quantize_axis: 2 },
  });
  return reshape(picked, [indices.dim(0), columns]); // [n, columns]
}

/** A weight held as f16, as f32 of the same shape. */
export function toF32(weight: Tensor): Tensor {
  if (weight.dtype !== "f16") throw new DuctusError("graph/shape", `"${weight.name}" is ${weight.dtype}, not f16.`);
  return weight.graph.node("Cast", [weight], { dtype: "f32", shape: weight.shape }, { attributes: { to: 1 } });
}
