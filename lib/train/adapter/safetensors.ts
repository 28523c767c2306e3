/**
 * A strict reader and a writer of the safetensors format (Hugging Face,
 * github.com/huggingface/safetensors, "Format"): 8 bytes of header length, a
 * JSON header, then the tensors' bytes, little-endian, without holes. What it
 * is not: a tensor library, or a judge of which tensors a model should have.
 * Stricter than the reference in one point: a repeated key is refused.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { bfloat16ToFloat32, float16ToFloat32 } from "./float16";
import { findDuplicateKey } from "./strict-json";

/** Bytes of one element. Formats of less than a byte are not read. */
const ELEMENT_BYTES = {
  BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1,
  I16: 2, U16: 2, F16: 2, BF16: 2,
  I32: 4, U32: 4, F32: 4,
  F64: 8, I64: 8, U64: 8,
} as const;
export type SafeDType = keyof typeof ELEMENT_BYTES;

/** The reference implementation's limit. */
export const MAX_HEADER_BYTES = 100_000_000;
const MAX_DIMENSIONS = 16;
/** Far more tensors than any model has; each entry takes time to check. */
const MAX_ENTRIES = 50_000;

export interface TensorEntry {
  name: string;
  dtype: SafeDType;
  shape: readonly number[];
  /** From the start of the file, in bytes. */
  begin: number;
  end: number;
}

export interface SafeTensor {
  name: string;
  dtype: SafeDType;
  shape: readonly number[];
  /** A view of the file's bytes, not a copy; may begin at any address. */
  bytes: Uint8Array;
}

export interface SafetensorsHeader {
  entries: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

/** A file that is read in pieces: a Blob, a file handle, bytes in memory. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** What the file is for the person: the area of error codes and how sentences begin. */
export interface FileKind {
  area: "model" | "adapter";
  /** Subject of the sentence, e.g. "This adapter file". */
  label: string;
}

export const MODEL_FILE: FileKind = { area: "model", label: "The model file" };
export const ADAPTER_FILE: FileKind = { area: "adapter", label: "This adapter file" };

const NEXT = {
  model: "Reload the page to fetch the model again.",
  adapter: "Take the file from where it was made once more, and try again.",
} as const;

/** `model/damaged` or `adapter/damaged`, with the fault in plain words. */
export function damaged(kind: FileKind, fault: string, cause?: unknown): DuctusError {
  return new DuctusError(`${kind.area}/damaged`, `${kind.label} is damaged: ${fault}.`, NEXT[kind.area], cause === undefined ? {} : { cause });
}

const tensorSchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(MAX_DIMENSIONS),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Reads a whole file that is in memory; tensors are views of `bytes`.
 * @throws DuctusError `model/…` or `adapter/…`: `not-safetensors`, `damaged`, `number-type`.
 */
export function readSafetensors(bytes: Uint8Array, kind: FileKind = MODEL_FILE): { tensors: Map<string, SafeTensor>; metadata: Record<string, string> } {
  const headerBytes = headerLength(bytes.subarray(0, 8), bytes.byteLength, kind);
  const { entries, metadata } = parseHeader(bytes.subarray(8, 8 + headerBytes), bytes.byteLength, kind);
  const tensors = new Map<string, SafeTensor>();
  for (const { name, dtype, shape, begin, end } of entries.values()) tensors.set(name, { name, dtype, shape, bytes: bytes.subarray(begin, end) });
  return { tensors, metadata };
}

/** Reads only the header of a file; tensors follow one by one with {@link readTensor}. Errors as {@link readSafetensors}. */
export async function readSafetensorsHeader(source: ByteSource, kind: FileKind = MODEL_FILE): Promise<SafetensorsHeader> {
  const headerBytes = headerLength(await readExactly(source, 0, Math.min(8, source.size), kind), source.size, kind);
  return parseHeader(await readExactly(source, 8, 8 + headerBytes, kind), source.size, kind);
}

export async function readTensor(source: ByteSource, entry: TensorEntry, kind: FileKind = MODEL_FILE): Promise<SafeTensor> {
  const { name, dtype, shape, begin, end } = entry;
  return { name, dtype, shape, bytes: await readExactly(source, begin, end, kind) };
}

export function blobSource(blob: Blob): ByteSource {
  return { size: blob.size, read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()) };
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: (start, end) => Promise.resolve(bytes.subarray(start, end)) };
}

/** @throws DuctusError `…/damaged` where the source gives another number of bytes */
export async function readExactly(source: ByteSource, start: number, end: number, kind: FileKind): Promise<Uint8Array> {
  const bytes = await source.read(start, end);
  if (bytes.byteLength !== end - start) throw damaged(kind, "it ends too early");
  return bytes;
}

function headerLength(prefix: Uint8Array, fileBytes: number, kind: FileKind): number {
  const foreign = () => new DuctusError(`${kind.area}/not-safetensors`, `${kind.label} is not a safetensors file.`, "Choose a file that ends in .safetensors.");
  if (prefix.byteLength < 8) throw foreign();
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  // A foreign file read as a length gives nearly always an absurd number; so does a file cut within its header.
  if (length > MAX_HEADER_BYTES || length < 2) throw foreign();
  if (8 + length > fileBytes) throw damaged(kind, "it ends within its table of contents");
  return length;
}

function parseHeader(bytes: Uint8Array, fileBytes: number, kind: FileKind): SafetensorsHeader {
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(kind, "its table of contents cannot be read", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw damaged(kind, "its table of contents has the wrong form");
  if (Object.keys(json).length > MAX_ENTRIES) throw damaged(kind, "its table of contents is endless");
  const twice = findDuplicateKey(text);
  if (twice !== null) throw damaged(kind, `“${shorten(twice)}” is listed twice`);

  const dataBegin = 8 + bytes.byteLength;
  const entries = new Map<string, TensorEntry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") metadata = readMetadata(value, kind);
    else entries.set(name, readEntry(name, value, dataBegin, kind));
  }
  checkLayout([...entries.values()], dataBegin, fileBytes, kind);
  return { entries, metadata };
}

function readMetadata(value: unknown, kind: FileKind): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged(kind, "its notes have the wrong form");
  // No prototype, so that a key such as `__proto__` is a key like any other.
  const metadata = Object.create(null) as Record<string, string>;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw damaged(kind, `its note “${shorten(key)}” is not text`);
    metadata[key] = text;
  }
  return metadata;
}

function readEntry(name: string, value: unknown, dataBegin: number, kind: FileKind): TensorEntry {
  const parsed = tensorSchema.safeParse(value);
  if (!parsed.success) throw damaged(kind, `the entry of “${shorten(name)}” has the wrong form`, parsed.error);
  const { dtype, shape, data_offsets: [begin, end] } = parsed.data;
  if (!isKnownDType(dtype)) {
    throw new DuctusError(`${kind.area}/number-type`, `${kind.label} holds numbers of a type that Ductus does not read (${shorten(dtype)}).`, "Save it again as F32, F16 or BF16.");
  }
  let byteLength: number = ELEMENT_BYTES[dtype];
  for (const size of shape) {
    byteLength *= size;
    if (!Number.isSafeInteger(byteLength)) throw damaged(kind, `“${shorten(name)}” is impossibly large`);
  }
  if (end - begin !== byteLength) throw damaged(kind, `“${shorten(name)}” does not have as many bytes as its shape needs`);
  return { name, dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

function checkLayout(entries: TensorEntry[], dataBegin: number, fileBytes: number, kind: FileKind): void {
  let at = dataBegin;
  for (const entry of entries.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.end > fileBytes) throw damaged(kind, "it ends too early");
    if (entry.begin < at) throw damaged(kind, `“${shorten(entry.name)}” overlaps another entry`);
    if (entry.begin > at) throw damaged(kind, `there is a hole before “${shorten(entry.name)}”`);
    at = entry.end;
  }
  if (at !== fileBytes) throw damaged(kind, "there is something behind its last entry");
}

function isKnownDType(dtype: string): dtype is SafeDType {
  return Object.hasOwn(ELEMENT_BYTES, dtype);
}

function shorten(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

/** Number types that weights come in. */
export type FloatDType = "F32" | "F16" | "BF16";

/** @throws DuctusError `model/number-type` or `adapter/number-type` where the tensor holds other numbers. */
export function floatType({ name, dtype }: Pick<TensorEntry, "name" | "dtype">, kind: FileKind = MODEL_FILE): FloatDType {
  if (dtype === "F32" || dtype === "F16" || dtype === "BF16") return dtype;
  throw new DuctusError(`${kind.area}/number-type`, `${kind.label} holds “${shorten(name)}” as ${dtype}; Ductus reads F32, F16 and BF16.`, "Save it again in one of these types.");
}

/** F32, F16 or BF16 → a new Float32Array [product of shape]. Errors as {@link floatType}. */
export function toFloat32(tensor: SafeTensor, kind: FileKind = MODEL_FILE): Float32Array {
  const dtype = floatType(tensor, kind);
  const out = new Float32Array(tensor.bytes.byteLength / ELEMENT_BYTES[dtype]);
  decodeFloats(dtype, tensor.bytes, out);
  return out;
}

/** Bytes at any address → f32 values. @param out [bytes / bytes of one number] */
export function decodeFloats(dtype: FloatDType, bytes: Uint8Array, out: Float32Array): void {
  switch (dtype) {
    case "F32":
      new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
      return;
    case "F16":
      float16ToFloat32(uint16(bytes), out);
      return;
    case "BF16":
      bfloat16ToFloat32(uint16(bytes), out);
      return;
    default:
      dtype satisfies never;
  }
}

function uint16(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

export interface TensorToWrite {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

/**
 * The beginning of a file, up to its first tensor: length, header, spaces to a
 * multiple of 8 bytes. The tensors follow in the order given; the notes stand
 * in the order of their names. A name used twice throws RangeError.
 */
export function encodeHeader(tensors: readonly Pick<TensorEntry, "name" | "dtype" | "shape">[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const fields: string[] = [];
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (notes.length > 0) fields.push(`"__metadata__":{${notes.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(",")}}`);
  const names = new Set(["__metadata__"]);
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    if (names.has(name)) throw new RangeError(`tensor name used twice or reserved: ${name}`);
    names.add(name);
    const end = offset + shape.reduce((a, b) => a * b, ELEMENT_BYTES[dtype]);
    fields.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${offset},${end}]}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(8 + Math.ceil(json.byteLength / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.byteLength - 8), true);
  bytes.set(json, 8);
  return bytes;
}

/**
 * Writes f32 tensors. The same content gives the same bytes: tensors and notes
 * stand in the order of their names. A fault of the caller (wrong length, name
 * used twice) throws RangeError.
 */
export function writeSafetensors(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, shape, data } of sorted) {
    if (shape.reduce((a, b) => a * b, 1) !== data.length) throw new RangeError(`${name}: ${data.length} values do not fill [${shape.join(", ")}]`);
  }
  const header = encodeHeader(sorted.map(({ name, shape }) => ({ name, shape, dtype: "F32" })), metadata);
  const file = new Uint8Array(sorted.reduce((bytes, { data }) => bytes + data.byteLength, header.byteLength));
  file.set(header);
  let at = header.byteLength;
  for (const { data } of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
