/**
 * Makes and undoes the held forms of held.ts: f32 to half precision, and to
 * blocks of 32 weights with one scale each. A block's scale is the best of a
 * few candidates: the largest weight by magnitude is laid on a given code (on
 * −8, keeping its sign, as llama.cpp's Q4_0 does, or a little above or below,
 * as its `make_qx_quants` does), the others are rounded, and the scale is then
 * fitted to the codes by least squares; the candidate with the smallest squared
 * error is taken. A scale may be negative. Nothing is drawn at random. Rows are
 * never joined into a block, so that any row can be read by itself.
 */
import { DuctusError } from "../../core/errors";
import { float16ToFloat32, float32ToFloat16, largestMagnitude } from "../adapter/float16";
import { BLOCK, isQuantized, type HeldTensor, type Storage } from "./held";

const FLOAT32_MAX = 3.4028234663852886e38;
/** Beyond it a number rounds to infinity in half precision (IEEE 754: 65,504 is the largest, halves go to even). */
const FLOAT16_LIMIT = 65_520;

type Quantized = Extract<HeldTensor, { scales: Float32Array }>;

/** Bytes of a block's codes. */
export function blockBytes(storage: "q8" | "q4"): 16 | 32 {
  return storage === "q8" ? 32 : 16;
}

/** The largest scale whose weights are all finite. */
export function largestScale(storage: "q8" | "q4"): number {
  return FLOAT32_MAX / (storage === "q8" ? 128 : 8);
}

/**
 * The form in which a tensor is held where `wanted` is asked for: vectors as
 * f32, matrices as asked, but as f16 where a row does not divide into blocks.
 */
export function storageFor(shape: readonly number[], wanted: Storage): Storage {
  if (shape.length < 2) return "f32";
  return isQuantized(wanted) && (shape.at(-1) as number) % BLOCK !== 0 ? "f16" : wanted;
}

/**
 * An empty tensor in the given form, to be filled with {@link fillHeld}.
 * @throws DuctusError `model/memory` where the browser has no room for it
 */
export function emptyHeld(shape: readonly number[], storage: Storage): HeldTensor {
  const count = elements(shape);
  try {
    switch (storage) {
      case "f32":
        return { storage, shape, data: new Float32Array(count) };
      case "f16":
        return { storage, shape, data: new Uint16Array(count) };
      case "q8":
      case "q4":
        if (shape.length !== 2 || (shape[1] as number) % BLOCK !== 0) throw new TypeError(`[${shape.join(", ")}] has no whole blocks`);
        return { storage, shape, data: new Uint8Array((count / BLOCK) * blockBytes(storage)), scales: new Float32Array(count / BLOCK) };
      default:
        return storage satisfies never;
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DuctusError("model/memory", "There is not enough memory for this model.", "Close other tabs, hold the model with fewer bits, or choose a smaller one.", { cause });
  }
}

/**
 * Puts values into a tensor from element `at` on; for quantised tensors `at`
 * and the number of values are multiples of the block. Values must be finite.
 * @param name for the sentence of an error
 * @throws DuctusError `model/range` for values that half precision cannot hold
 */
export function fillHeld(tensor: HeldTensor, at: number, values: Float32Array, name = "a tensor"): void {
  switch (tensor.storage) {
    case "f32":
      tensor.data.set(values, at);
      return;
    case "f16":
      if (largestMagnitude(values) >= FLOAT16_LIMIT) {
        throw new DuctusError("model/range", `The model file holds numbers in “${name.slice(0, 80)}” that are too large for 16 bits.`, "Hold this model's weights as f32.");
      }
      float32ToFloat16(values, tensor.data.subarray(at, at + values.length));
      return;
    case "q4":
      if (at % BLOCK !== 0 || values.length % BLOCK !== 0) throw new RangeError("part of a block");
      for (let i = 0; i < values.length; i += BLOCK) quantize4(values, i, tensor.data, (at + i) / 2, tensor.scales, (at + i) / BLOCK);
      return;
    case "q8":
      if (at % BLOCK !== 0 || values.length % BLOCK !== 0) throw new RangeError("part of a block");
      for (let i = 0; i < values.length; i += BLOCK) quantize8(values, i, tensor.data, at + i, tensor.scales, (at + i) / BLOCK);
      return;
    default:
      tensor satisfies never;
  }
}

/**
 * @param values [product of shape]; finite. Copied, never kept.
 * @throws DuctusError `model/range`, `model/memory`
 */
export function hold(values: Float32Array, shape: readonly number[], storage: Storage): HeldTensor {
  if (values.length !== elements(shape)) throw new RangeError(`${values.length} values do not fill [${shape.join(", ")}]`);
  const tensor = emptyHeld(shape, storage);
  fillHeld(tensor, 0, values);
  return tensor;
}

/** Where the largest weight is laid, in units of the scale: the code −8 itself, and places around it. */
const PLACES_4 = [-8, -7.5, -8.5, -7] as const;
const codes = new Uint8Array(BLOCK);
const bestCodes = new Uint8Array(BLOCK);

/** values[at … at + 32) → data[byte … byte + 16), scales[block]. */
function quantize4(values: Float32Array, at: number, data: Uint8Array, byte: number, scales: Float32Array, block: number): void {
  const extreme = extremeOf(values, at);
  let best = -1;
  let scale = 0;
  bestCodes.fill(8);
  if (extreme !== 0) {
    for (let p = 0; p < PLACES_4.length; p++) {
      const inverse = (PLACES_4[p] as number) / extreme;
      let products = 0, squares = 0;
      for (let i = 0; i < BLOCK; i++) {
        const value = values[at + i] as number;
        let code = (value * inverse + 8.5) | 0; // 0 … 17, so that cutting off the fraction rounds to the nearest
        if (code > 15) code = 15;
        codes[i] = code;
        code -= 8;
        products += value * code;
        squares += code * code;
      }
      // With the fitted scale products / squares the squared error is Σ value² − products² / squares.
      const gain = (products * products) / squares;
      if (gain > best) {
        best = gain;
        scale = products / squares;
        bestCodes.set(codes);
      }
    }
  }
  scales[block] = bounded(scale, largestScale("q4"));
  for (let i = 0; i < BLOCK / 2; i++) data[byte + i] = (bestCodes[2 * i] as number) | ((bestCodes[2 * i + 1] as number) << 4);
}

/** values[at … at + 32) → data[byte … byte + 32), scales[block]. The largest weight is laid on the code −128. */
function quantize8(values: Float32Array, at: number, data: Uint8Array, byte: number, scales: Float32Array, block: number): void {
  const extreme = extremeOf(values, at);
  if (extreme === 0) {
    data.fill(128, byte, byte + BLOCK);
    scales[block] = 0;
    return;
  }
  const inverse = -128 / extreme;
  let products = 0, squares = 0;
  for (let i = 0; i < BLOCK; i++) {
    const value = values[at + i] as number;
    let code = (value * inverse + 128.5) | 0;
    if (code > 255) code = 255;
    data[byte + i] = code;
    code -= 128;
    products += value * code;
    squares += code * code;
  }
  scales[block] = bounded(products / squares, largestScale("q8"));
}

/** The value of largest magnitude, with its sign. */
function extremeOf(values: Float32Array, at: number): number {
  let extreme = 0, magnitude = 0;
  for (let i = at; i < at + BLOCK; i++) {
    const size = Math.abs(values[i] as number);
    if (size > magnitude) {
      magnitude = size;
      extreme = values[i] as number;
    }
  }
  return extreme;
}

/** Keeps the largest code's weight within f32: the fit may lie a little above the largest number. */
function bounded(scale: number, limit: number): number {
  return scale > limit ? limit : scale < -limit ? -limit : scale;
}

let halves: Float32Array | null = null;
/** Every half-precision number by its bits, 256 KB: quicker than arithmetic where single rows are wanted. */
function halfTable(): Float32Array {
  return (halves ??= float16ToFloat32(Uint16Array.from({ length: 65_536 }, (_, bits) => bits)));
}

/** Elements [from, from + out.length) as f32; for quantised tensors `from` and the length are multiples of the block. */
function read(tensor: HeldTensor, from: number, out: Float32Array): void {
  const count = out.length;
  switch (tensor.storage) {
    case "f32":
      out.set(tensor.data.subarray(from, from + count));
      return;
    case "f16": {
      const table = halfTable();
      for (let i = 0; i < count; i++) out[i] = table[tensor.data[from + i] as number] as number;
      return;
    }
    case "q4":
      for (let i = 0; i < count; i += BLOCK) {
        const scale = tensor.scales[(from + i) / BLOCK] as number;
        for (let k = 0; k < BLOCK / 2; k++) {
          const pair = tensor.data[(from + i) / 2 + k] as number;
          out[i + 2 * k] = ((pair & 15) - 8) * scale;
          out[i + 2 * k + 1] = ((pair >>> 4) - 8) * scale;
        }
      }
      return;
    case "q8":
      for (let i = 0; i < count; i += BLOCK) {
        const scale = tensor.scales[(from + i) / BLOCK] as number;
        for (let k = i; k < i + BLOCK; k++) out[k] = ((tensor.data[from + k] as number) - 128) * scale;
      }
      return;
    default:
      tensor satisfies never;
  }
}

/** @returns the weights that a product with this tensor uses, [product of shape] */
export function dequantize(tensor: HeldTensor): Float32Array {
  const out = new Float32Array(elements(tensor.shape));
  read(tensor, 0, out);
  return out;
}

/** One row of a matrix [rows, columns] into `out` [columns]. */
export function heldRow(tensor: HeldTensor, row: number, out: Float32Array): void {
  const columns = tensor.shape[1] as number;
  if (out.length !== columns || row < 0 || row >= (tensor.shape[0] as number)) throw new RangeError(`row ${row} of [${tensor.shape.join(", ")}] into ${out.length}`);
  read(tensor, row * columns, out);
}

/** What the tensor takes of memory, in bytes. */
export function heldBytes(tensor: HeldTensor): number {
  return tensor.data.byteLength + ("scales" in tensor ? tensor.scales.byteLength : 0);
}

/** Rows [start, end) of a tensor; a view of the same memory. */
export function sliceRows(tensor: HeldTensor, start: number, end: number): HeldTensor {
  const rows = tensor.shape[0] as number;
  if (!(start >= 0 && start <= end && end <= rows)) throw new RangeError(`rows ${start} to ${end} of ${rows}`);
  const cut = <T extends { length: number; subarray(from: number, to: number): T }>(data: T): T => data.subarray((data.length / rows) * start, (data.length / rows) * end);
  const shape = [end - start, ...tensor.shape.slice(1)];
  switch (tensor.storage) {
    case "f32":
      return { ...tensor, shape, data: cut(tensor.data) };
    case "f16":
      return { ...tensor, shape, data: cut(tensor.data) };
    case "q8":
    case "q4":
      return { ...tensor, shape, data: cut(tensor.data), scales: cut(tensor.scales) };
    default:
      return tensor satisfies never;
  }
}

/** Joins tensors of one form along their rows, into new memory. A fault of the caller throws RangeError. */
export function concatRows(tensors: readonly HeldTensor[]): HeldTensor {
  const [first] = tensors;
  if (!first) throw new RangeError("nothing to join");
  const inner = first.shape.slice(1);
  if (tensors.some((tensor) => tensor.storage !== first.storage || tensor.shape.slice(1).join() !== inner.join())) throw new RangeError("tensors of different forms cannot be joined");
  const shape = [tensors.reduce((sum, tensor) => sum + (tensor.shape[0] as number), 0), ...inner];
  const whole = emptyHeld(shape, first.storage);
  let data = 0, scales = 0;
  for (const tensor of tensors) {
    whole.data.set(tensor.data, data);
    data += tensor.data.length;
    if (!("scales" in tensor)) continue;
    (whole as Quantized).scales.set(tensor.scales, scales);
    scales += tensor.scales.length;
  }
  return whole;
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
