/**
 * What a safetensors file holds, read by another reader than the product's: as
 * plain as the format's description, in float64. Only files that the product
 * has accepted are given to it; it throws where that was wrong: a key repeated,
 * bytes that belong to no tensor or to two. Never part of the product.
 */
export interface TrueTensor {
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

export function trueTensors(file: Uint8Array): { tensors: Map<string, TrueTensor>; notes: Record<string, string> } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = new TextDecoder().decode(file.subarray(8, 8 + length));
  const json = JSON.parse(header) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensors = new Map<string, TrueTensor>();
  for (const [name, entry] of Object.entries(json)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: [begin, end] } = entry;
    tensors.set(name, { dtype, shape, bytes: file.slice(8 + length + begin, 8 + length + end) });
  }
  const owners = new Uint8Array(file.length - 8 - length);
  for (const [name, { data_offsets: [begin, end] }] of Object.entries(json).filter(([name]) => name !== "__metadata__")) {
    if (header.split(`${JSON.stringify(name)}:`).length !== 2) throw new Error(`${name} is listed twice`);
    for (let i = begin; i < end; i++) owners[i]!++;
  }
  if (!owners.every((count) => count === 1)) throw new Error("bytes belong to no tensor, or to two");
  if (["dtype", "shape", "data_offsets"].some((key) => header.split(`"${key}":`).length !== tensors.size + 1)) throw new Error("a key is repeated");
  return { tensors, notes: (json["__metadata__"] ?? {}) as unknown as Record<string, string> };
}

/** Values of F32, F16 and BF16, by the definition of IEEE 754. */
export function trueValues({ dtype, bytes }: TrueTensor): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "F32") return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  const [exponentBits, mantissaBits, bias] = dtype === "F16" ? [5, 10, 15] : dtype === "BF16" ? [8, 7, 127] : [0, 0, 0];
  if (exponentBits === 0) throw new Error(`${dtype} was accepted`);
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true);
    const sign = bits >= 0x8000 ? -1 : 1;
    const exponent = Math.floor((bits % 0x8000) / 2 ** mantissaBits);
    const mantissa = (bits % 2 ** mantissaBits) / 2 ** mantissaBits;
    if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias));
  });
}

/** Values of quantised codes [rows, blocks, 16 or 32] and scales [rows, blocks], by the definition in held.ts. */
export function trueQuantized(codes: TrueTensor, scales: TrueTensor): number[] {
  const scale = trueValues(scales);
  const narrow = codes.shape[2] === 16;
  const all = narrow ? [...codes.bytes].flatMap((byte) => [byte % 16, Math.floor(byte / 16)]) : [...codes.bytes];
  return all.map((code, i) => Math.fround((code - (narrow ? 8 : 128)) * scale[Math.floor(i / 32)]!));
}
