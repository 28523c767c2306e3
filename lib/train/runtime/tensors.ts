/**
 * Numbers with a type and a shape in plain memory, and their translation to and
 * from the runtime's tensors. Half precision is held as bits: not every browser
 * has a Float16Array, and nothing here computes with it.
 */
import type { Tensor } from "onnxruntime-web";
import { DuctusError } from "../../core/errors";
import type { DType, TypedData } from "../graph/graph";
import { byteLength } from "../graph/onnx";
import type { Ort } from "./backend";

export interface NdArray {
  dtype: DType;
  shape: readonly number[];
  /** f16 as bits; of u4 the bytes, the earlier number in the low half. */
  data: TypedData;
}

export const f32 = (data: Float32Array, shape: readonly number[]): NdArray => ({ dtype: "f32", shape, data });
export const f16 = (bits: Uint16Array, shape: readonly number[]): NdArray => ({ dtype: "f16", shape, data: bits });
export const i32 = (data: Int32Array, shape: readonly number[]): NdArray => ({ dtype: "i32", shape, data });
export const i64 = (data: BigInt64Array, shape: readonly number[]): NdArray => ({ dtype: "i64", shape, data });
export const u8 = (data: Uint8Array, shape: readonly number[]): NdArray => ({ dtype: "u8", shape, data });

/** onnxruntime's names. */
export const ORT_TYPE = { f32: "float32", f16: "float16", i32: "int32", i64: "int64", bool: "bool", u8: "uint8", u4: "uint4" } as const satisfies Record<DType, string>;

const ARRAY = { f32: Float32Array, f16: Uint16Array, i32: Int32Array, i64: BigInt64Array, bool: Uint8Array, u8: Uint8Array, u4: Uint8Array } as const satisfies Record<DType, unknown>;

/** @throws DuctusError `graph/shape` where the numbers are not as many, or not of the kind, that type and shape say */
export function checkArray(what: string, { dtype, shape, data }: NdArray): void {
  if (data.byteLength !== byteLength(dtype, shape)) throw new DuctusError("graph/shape", `${what} has ${data.length} numbers for shape [${shape.join(", ")}].`);
  if (!(data instanceof ARRAY[dtype])) throw new DuctusError("graph/shape", `${what} is ${dtype}, but its numbers are in a ${data.constructor.name}.`);
}

/** A view, no copy. */
export function toOrt(ort: Ort, { dtype, shape, data }: NdArray): Tensor {
  return new ort.Tensor(ORT_TYPE[dtype] as "float32", data as Float32Array, shape);
}

/** @param bytes of an array of that type */
export function arrayOf(dtype: DType, shape: readonly number[], bytes: ArrayBufferView): NdArray {
  const { BYTES_PER_ELEMENT } = ARRAY[dtype];
  return { dtype, shape, data: new ARRAY[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / BYTES_PER_ELEMENT) };
}
