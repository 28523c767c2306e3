/**
 * Reads a safetensors file with nothing of the app's: eight bytes of header
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
    if (dtype !== "F32") throw new Error(`${name} is ${dtype}`);
    const bytes = new Uint8Array(file.subarray(8 + length + start, 8 + length + end));
    tensors.set(name, { dtype, shape, data: new Float32Array(bytes.buffer, 0, bytes.byteLength / 4) });
  }
  return { metadata: (header["__metadata__"] ?? {}) as Record<string, string>, tensors };
}

/** A safetensors file of no tensors, with these notes. */
export function emptySafetensors(metadata: Record<string, string>): Buffer {
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header]);
}
