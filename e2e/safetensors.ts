/**
 * Reads and writes a safetensors file with nothing of the app's: eight bytes of header
 * length, a JSON header, then the tensors (https://github.com/huggingface/safetensors).
 */
export interface Tensor {
  dtype: string;
  shape: number[];
  data: Float32Array;
}

export function readTensors(file: Buffer): { metadata: Record<string, string>; tensors: Map<string, Tensor> } {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString("utf8")) as Record<string, unknown>;
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: [start, end] } = value as { dtype: string; shape: number[]; data_offsets: [number, number] };
    const bytes = new Uint8Array(file.subarray(8 + length + start, 8 + length + end));
    if (dtype !== "F32" && dtype !== "F16") throw new Error(`${name} is ${dtype}`);
    tensors.set(name, { dtype, shape, data: dtype === "F32" ? new Float32Array(bytes.buffer, 0, bytes.byteLength / 4) : Float32Array.from(new Uint16Array(bytes.buffer), half) });
  }
  return { metadata: (header["__metadata__"] ?? {}) as Record<string, string>, tensors };
}

/** The number that 16 bits stand for (IEEE 754 binary16). */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function writeTensors(tensors: readonly { name: string; shape: number[]; data: Float32Array }[]): Buffer {
  let offset = 0;
  const header = Buffer.from(JSON.stringify(Object.fromEntries(tensors.map(({ name, shape, data }) => [name, { dtype: "F32", shape, data_offsets: [offset, (offset += data.byteLength)] }]))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header, ...tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))]);
}

/** A safetensors file of no tensors, with these notes. */
export function emptySafetensors(metadata: Record<string, string>): Buffer {
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header]);
}
