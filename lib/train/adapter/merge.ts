/**
 * An adapter merged into its base model: W' = W + s · B·A for every adapted
 * projection (Hu et al. 2021, §4.1), computed in f32 with f64 sums, and the
 * trained rows of the vocabulary in their places; written as safetensors files
 * that transformers opens, in one file or in shards with an index. It goes
 * through the model a few rows at a time, so that memory does not grow with the
 * model. The files beside the weights are the caller's, see
 * {@link mergedConfigJson}.
 */
import { DuctusError } from "../../core/errors";
import type { ModelConfig } from "../model/config";
import type { ModelFiles } from "../model/files";
import { modelFile } from "../model/files";
import { isHeldFile } from "../model/held-file";
import { loraScale } from "../model/lora";
import { heldRow } from "../model/quantize";
import { INDEX_FILE, openShards, readShard, WEIGHTS_FILE } from "../model/shards";
import { loadHeldWeights } from "../model/weights";
import { allFinite, float32ToFloat16 } from "./float16";
import { decodeFloats, encodeHeader, floatType, type FloatDType } from "./safetensors";
import type { LoraAdapter } from "./types";

/** The tensors of a checkpoint, by their names in it. */
export interface MergeSource {
  readonly tensors: ReadonlyMap<string, { shape: readonly number[]; dtype: FloatDType }>;
  /** Rows [start, end) of a tensor as f32 (of a vector: elements), in memory of the caller's own. */
  readRows(name: string, start: number, end: number): Promise<Float32Array>;
}

/** Where files are written, one after another. */
export interface FileSink {
  open(name: string): Promise<{ write(bytes: Uint8Array): Promise<void>; close(): Promise<void> }>;
}

export interface MergeOptions {
  /** Number type of every tensor; absent: that of each tensor in the source. */
  dtype?: FloatDType;
  /** As transformers cuts large checkpoints; at least one tensor a file. */
  maxShardBytes?: number;
  /** Called with bytes written and bytes in all. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
}

const ELEMENT_BYTES: Record<FloatDType, number> = { F32: 4, F16: 2, BF16: 2 };
const TORCH_NAMES: Record<FloatDType, string> = { F32: "float32", F16: "float16", BF16: "bfloat16" };
const DEFAULT_SHARD_BYTES = 5e9;
/** Numbers read, added to and written at a time. */
const PIECE = 1 << 21;

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

/**
 * A model's folder as a source. Of weights that are held quantised, the numbers that a product with them uses, as F32.
 *
 * @throws DuctusError as openShards and loadHeldWeights
 */
export async function openMergeSource(files: ModelFiles, config: ModelConfig): Promise<MergeSource> {
  const shards = await openShards(files);
  if (shards.some(isHeldFile)) {
    const weights = await loadHeldWeights(config, files, { matrices: "f32", embedding: "f32" });
    return {
      tensors: new Map([...weights].map(([name, { shape }]) => [name, { shape, dtype: "F32" }])),
      async readRows(name, start, end) {
        const tensor = weights.get(name)!;
        if (tensor.storage === "f32") return tensor.data.slice(start * columnsOf(tensor.shape), end * columnsOf(tensor.shape));
        const columns = columnsOf(tensor.shape);
        const rows = new Float32Array((end - start) * columns); // [end − start, columns]
        for (let row = start; row < end; row++) heldRow(tensor, row, rows.subarray((row - start) * columns, (row - start + 1) * columns));
        return rows;
      },
    };
  }
  // A copy of a tied head is left out: transformers makes it from the embedding.
  const entries = new Map(shards.flatMap((shard) => shard.entries.filter(({ name }) => !(name === HEAD && config.tieWordEmbeddings)).map((entry) => [entry.name, { shard, entry }])));
  return {
    tensors: new Map([...entries].map(([name, { shard, entry }]) => [name, { shape: entry.shape, dtype: floatType(entry, modelFile(shard.name)) }])),
    async readRows(name, start, end) {
      const { shard, entry } = entries.get(name)!;
      const dtype = floatType(entry, modelFile(shard.name));
      const columns = columnsOf(entry.shape), rowBytes = columns * ELEMENT_BYTES[dtype];
      const rows = new Float32Array((end - start) * columns); // [end − start, columns]
      decodeFloats(dtype, await readShard(shard, entry.begin + start * rowBytes, entry.begin + end * rowBytes), rows);
      return rows;
    },
  };
}

interface Planned {
  name: string;
  shape: readonly number[];
  dtype: FloatDType;
  bytes: number;
}

/**
 * Writes `model.safetensors`, or `model-0000i-of-0000n.safetensors` and
 * `model.safetensors.index.json`.
 *
 * @throws DuctusError `adapter/shapes` where the adapter does not fit, `adapter/merge-range` where a merged weight is too
 *   large for the number type, and what source and sink throw
 */
export async function writeMergedWeights(source: MergeSource, adapter: LoraAdapter, sink: FileSink, options: MergeOptions = {}): Promise<void> {
  const updates = updatesByWeight(source, adapter);
  const planned = [...source.tensors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, tensor]): Planned => {
    const dtype = options.dtype ?? tensor.dtype;
    const shape = rowsOf(name, adapter) ? [mergedVocabSize(adapter, tensor.shape[0]!), ...tensor.shape.slice(1)] : tensor.shape;
    return { name, shape, dtype, bytes: elements(shape) * ELEMENT_BYTES[dtype] };
  });
  const shards = cut(planned, options.maxShardBytes ?? DEFAULT_SHARD_BYTES);
  const total = planned.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const [index, shard] of shards.entries()) {
    const file = await sink.open(shardName(index, shards.length));
    await file.write(encodeHeader(shard, { format: "pt" }));
    for (const tensor of shard) {
      for await (const bytes of pieces(source, tensor, adapter, updates.get(tensor.name))) {
        await file.write(bytes);
        options.onProgress?.(done += bytes.byteLength, total);
      }
    }
    await file.close();
  }
  if (shards.length === 1) return;
  const weightMap = shards.flatMap((shard, index) => shard.map(({ name }) => [name, shardName(index, shards.length)] as const));
  const index = await sink.open(INDEX_FILE);
  await index.write(new TextEncoder().encode(`${JSON.stringify({ metadata: { total_size: total }, weight_map: Object.fromEntries(weightMap) }, null, 2)}\n`));
  await index.close();
}

/** Rows of the vocabulary once the adapter's are among them. @param vocabSize of the base */
export function mergedVocabSize({ tokens }: LoraAdapter, vocabSize: number): number {
  return Math.max(vocabSize, ...(tokens?.ids ?? []).map((id) => id + 1));
}

/** config.json for merged weights: as it was, with the number type and the vocabulary that they have now. */
export function mergedConfigJson(config: Readonly<Record<string, unknown>>, { dtype, vocabSize }: { dtype?: FloatDType; vocabSize: number }): string {
  const { torch_dtype: old, ...rest } = config;
  const type = dtype === undefined ? (old === undefined ? {} : { torch_dtype: old }) : { [old === undefined ? "dtype" : "torch_dtype"]: TORCH_NAMES[dtype] };
  return `${JSON.stringify({ ...rest, ...type, vocab_size: vocabSize }, null, 2)}\n`;
}

/** The adapter's rows for this tensor, [ids.length, hidden], if it has any. */
function rowsOf(name: string, { tokens }: LoraAdapter): Float32Array | null {
  if (!tokens) return null;
  return name === EMBEDDING ? tokens.rows : name === HEAD ? tokens.headRows : null;
}

interface Update {
  /** [out, rank] */
  b: Float32Array;
  /** [rank, in] */
  a: Float32Array;
  rank: number;
  scale: number;
}

function updatesByWeight(source: MergeSource, adapter: LoraAdapter): Map<string, Update> {
  const updates = new Map<string, Update>();
  for (const [key, a] of adapter.tensors) {
    if (!key.endsWith(".lora_A")) continue;
    const module = key.slice(0, -".lora_A".length);
    const b = adapter.tensors.get(`${module}.lora_B`);
    const name = `model.${module}.weight`;
    const weight = source.tensors.get(name);
    if (!b || weight?.shape.join() !== [b.shape[0], a.shape[1]].join() || a.shape[0] !== b.shape[1]) {
      throw new DuctusError("adapter/shapes", `This adapter does not fit the model: ${module} is ${b?.shape[0] ?? "nothing"} × ${a.shape[1]} in the one and ${weight?.shape.join(" × ") ?? "missing"} in the other.`, "Use an adapter that was made for this model.");
    }
    updates.set(name, { a: a.data, b: b.data, rank: a.shape[0], scale: loraScale(adapter) });
  }
  return updates;
}

/** The bytes of a tensor, some rows at a time. */
async function* pieces(source: MergeSource, { name, shape, dtype }: Planned, adapter: LoraAdapter, update: Update | undefined): AsyncGenerator<Uint8Array> {
  const rows = shape[0] ?? 1, sourceRows = source.tensors.get(name)!.shape[0] ?? 1;
  const columns = columnsOf(shape);
  const step = Math.max(1, Math.floor(PIECE / columns));
  for (let start = 0; start < rows; start += step) {
    const end = Math.min(rows, start + step);
    const values = new Float32Array((end - start) * columns); // [end − start, columns]
    if (start < sourceRows) values.set(await source.readRows(name, start, Math.min(end, sourceRows)));
    putRows(values, start, columns, adapter.tokens?.ids ?? [], rowsOf(name, adapter));
    if (update) addUpdate(values, update, start, columns);
    yield encode(values, dtype, name);
  }
}

/** Trained rows that fall into rows [start, …) of the vocabulary. */
function putRows(values: Float32Array, start: number, columns: number, ids: readonly number[], rows: Float32Array | null): void {
  if (!rows) return;
  ids.forEach((id, i) => {
    const at = (id - start) * columns;
    if (at >= 0 && at < values.length) values.set(rows.subarray(i * columns, (i + 1) * columns), at);
  });
}

/** values [rows, columns] += s · B[start … start + rows]·A */
function addUpdate(values: Float32Array, { a, b, rank, scale }: Update, start: number, columns: number): void {
  const sum = new Float64Array(columns); // a row of B·A
  for (let row = 0; row < values.length / columns; row++) {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b[(start + row) * rank + k]!;
      const from = k * columns;
      for (let i = 0; i < columns; i++) sum[i] = sum[i]! + factor * a[from + i]!;
    }
    const at = row * columns;
    for (let i = 0; i < columns; i++) values[at + i] = values[at + i]! + scale * sum[i]!;
  }
}

/** Little-endian bytes of the values in a number type, rounded to nearest, ties to even. */
function encode(values: Float32Array, dtype: FloatDType, name: string): Uint8Array {
  const tooLarge = () => new DuctusError("adapter/merge-range", `With this adapter, “${name}” holds weights too large for ${TORCH_NAMES[dtype]}.`, "Write the model as F32.");
  if (!allFinite(values)) throw tooLarge();
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = dtype === "F16" ? float32ToFloat16(values) : float32ToBFloat16(values);
  const infinity = dtype === "F16" ? 0x7c00 : 0x7f80;
  if (bits.some((half) => (half & 0x7fff) === infinity)) throw tooLarge();
  return new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
}

/** @param values finite */
function float32ToBFloat16(values: Float32Array): Uint16Array {
  const raw = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(raw, (bits) => (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
}

function cut(tensors: readonly Planned[], maxBytes: number): Planned[][] {
  const shards: Planned[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    if (shards.length === 0 || tensor.bytes > room) {
      shards.push([]);
      room = maxBytes;
    }
    shards.at(-1)!.push(tensor);
    room -= tensor.bytes;
  }
  return shards;
}

function shardName(index: number, count: number): string {
  const digits = (n: number) => String(n).padStart(5, "0");
  return count === 1 ? WEIGHTS_FILE : `model-${digits(index + 1)}-of-${digits(count)}.safetensors`;
}

const columnsOf = (shape: readonly number[]) => elements(shape.slice(1));
const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
