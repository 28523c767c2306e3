/**
 * Tiny checkpoints in the real layouts, made on the spot: one file or shards
 * with their index, in f32, f16 or bf16. Node only; never part of the product.
 */
import { Random } from "../../core/random";
import { float32ToFloat16 } from "../adapter/float16";
import { encodeHeader, type FloatDType } from "../adapter/safetensors";
import type { ModelConfig } from "../model/config";
import { weightShapes, type WeightTensor } from "../model/weights";

export interface RawTensor {
  name: string;
  dtype: FloatDType;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** Random values that every one of the three number types holds exactly. */
export function exactWeights(config: ModelConfig, seed: number | string): Map<string, WeightTensor> {
  const random = new Random(seed);
  return new Map([...weightShapes(config)].map(([name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return [name, { shape, data: Float32Array.from({ length: count }, () => (random.int(255) - 127) / 64) }];
  }));
}

export function encodeTensor(name: string, { shape, data }: WeightTensor, dtype: FloatDType): RawTensor {
  switch (dtype) {
    case "F32":
      return { name, dtype, shape, bytes: new Uint8Array(data.slice().buffer) };
    case "F16":
      return { name, dtype, shape, bytes: new Uint8Array(float32ToFloat16(data).buffer) };
    case "BF16":
      // The upper halves, cut off: the values of these tests have no lower ones.
      return { name, dtype, shape, bytes: new Uint8Array(Uint16Array.from(new Uint32Array(data.slice().buffer), (bits) => bits >>> 16).buffer) };
    default:
      return dtype satisfies never;
  }
}

/** A safetensors file with the tensors in the order given. */
export function safetensorsFile(tensors: readonly RawTensor[], metadata: Record<string, string> = { format: "pt" }): Uint8Array {
  return concat([encodeHeader(tensors, metadata), ...tensors.map(({ bytes }) => bytes)]);
}

/** The files of a checkpoint in `shards` parts, as save_pretrained cuts it: in order, each tensor whole. */
export function shardedFiles(tensors: readonly RawTensor[], shards: number): Record<string, Uint8Array | string> {
  const files: Record<string, Uint8Array | string> = {};
  const weightMap: Record<string, string> = {};
  const each = Math.ceil(tensors.length / shards);
  for (let i = 0; i < shards; i++) {
    const number = (n: number) => String(n).padStart(5, "0");
    const name = `model-${number(i + 1)}-of-${number(shards)}.safetensors`;
    const part = tensors.slice(i * each, (i + 1) * each);
    files[name] = safetensorsFile(part);
    for (const tensor of part) weightMap[tensor.name] = name;
  }
  const totalSize = tensors.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  files["model.safetensors.index.json"] = JSON.stringify({ metadata: { total_size: totalSize }, weight_map: weightMap }, null, 2);
  return files;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
