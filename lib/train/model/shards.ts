/**
 * Where each tensor of a checkpoint lies: in model.safetensors, or in the
 * shards of model.safetensors.index.json (transformers' layout: `weight_map`
 * from tensor to file). Every tensor must be in exactly the file that the index
 * names, and nothing else. Only the files' headers are read.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { damaged, readExactly, readSafetensorsHeader, type ByteSource, type TensorEntry } from "../adapter/safetensors";
import { missingFile, modelFile, readJson, shorten, type ModelFiles } from "./files";

export const WEIGHTS_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

const MAX_INDEX_BYTES = 16 * 1024 * 1024;
const MAX_SHARDS = 1000;
/** A base name, so that no index leads out of the folder. */
const SHARD_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}\.safetensors$/;

export interface Shard {
  name: string;
  source: ByteSource;
  /** Of the header and the length before it. */
  headerBytes: number;
  /** In the order of the file. */
  entries: readonly TensorEntry[];
  metadata: Readonly<Record<string, string>>;
}

const indexSchema = z.looseObject({ weight_map: z.looseObject({}) });

/**
 * Opens a checkpoint's files, in the order of their names.
 * @throws DuctusError `model/missing-file`, `model/index`, `model/damaged`, `model/not-safetensors`,
 *   `model/number-type`, `model/pickle` (weights in PyTorch's or another form only), `model/unreadable`
 */
export async function openShards(files: ModelFiles): Promise<Shard[]> {
  const names = new Set(files.names());
  // In this order transformers looks for them.
  if (names.has(WEIGHTS_FILE)) return [await openShard(files, WEIGHTS_FILE)];
  if (!names.has(INDEX_FILE)) throw noWeights([...names]);
  const fileOf = await readIndex(files);
  const shardNames = [...new Set(fileOf.values())].sort();
  for (const name of shardNames) if (!names.has(name)) throw missingFile(name);
  const shards: Shard[] = [];
  let listed = 0;
  for (const name of shardNames) {
    const shard = await openShard(files, name);
    for (const entry of shard.entries) {
      const place = fileOf.get(entry.name);
      if (place === undefined) throw wrongIndex(`it does not list “${shorten(entry.name)}”, which ${name} holds`);
      if (place !== name) throw wrongIndex(`“${shorten(entry.name)}” lies in ${name}, not only in ${place}`);
      listed++;
    }
    shards.push(shard);
  }
  if (listed !== fileOf.size) {
    const held = new Set(shards.flatMap(({ entries }) => entries.map((entry) => entry.name)));
    const [lost, place] = [...fileOf].find(([tensor]) => !held.has(tensor)) as [string, string];
    throw wrongIndex(`“${shorten(lost)}” is not in ${place}`);
  }
  return shards;
}

/** One safetensors file. */
export async function openShard(files: ModelFiles, name: string): Promise<Shard> {
  const source = await files.open(name);
  const { entries, metadata } = await readSafetensorsHeader(source, modelFile(name));
  const sorted = [...entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
  return { name, source, headerBytes: sorted[0]?.begin ?? source.size, entries: sorted, metadata };
}

/** Bytes [start, end) of a shard. @throws DuctusError `model/damaged` where it ends too early */
export function readShard(shard: Shard, start: number, end: number): Promise<Uint8Array> {
  return readExactly(shard.source, start, end, modelFile(shard.name));
}

/** @throws DuctusError `model/damaged` in the name of the shard */
export function damagedShard(shard: Shard, fault: string): DuctusError {
  return damaged(modelFile(shard.name), fault);
}

/** Tensor → file. */
async function readIndex(files: ModelFiles): Promise<Map<string, string>> {
  const json = await readJson(files, INDEX_FILE, MAX_INDEX_BYTES);
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) throw wrongIndex("it has the wrong form", parsed.error);
  const fileOf = new Map<string, string>();
  const shards = new Set<string>();
  for (const [tensor, file] of Object.entries((json as typeof parsed.data).weight_map)) { // as parsed, because zod leaves out __proto__
    if (typeof file !== "string" || !SHARD_NAME.test(file)) throw wrongIndex(`it names no proper file for “${shorten(tensor)}”`);
    fileOf.set(tensor, file);
    shards.add(file);
    if (shards.size > MAX_SHARDS) throw wrongIndex("it names too many files");
  }
  if (fileOf.size === 0) throw wrongIndex("it lists nothing");
  return fileOf;
}

function wrongIndex(fault: string, cause?: unknown): DuctusError {
  return new DuctusError("model/index", `The model's list of weights (${INDEX_FILE}) does not fit its files: ${fault}.`, "Fetch the model again, with all its files from the same place.", cause === undefined ? {} : { cause });
}

function noWeights(names: readonly string[]): DuctusError {
  const other = names.find((name) => /\.(bin|pt|pth|ckpt|gguf|h5|msgpack|onnx)$/i.test(name));
  if (other !== undefined) {
    return new DuctusError("model/pickle", `This model's weights are in a form that Ductus does not read (${shorten(other)}).`, "Choose the same model with its weights as .safetensors.");
  }
  const shard = names.find((name) => name.endsWith(".safetensors"));
  if (shard !== undefined) {
    return new DuctusError("model/missing-file", `There is ${shorten(shard)}, but neither ${WEIGHTS_FILE} nor ${INDEX_FILE}.`, "Choose the whole folder of the model, with all its files.");
  }
  return missingFile(WEIGHTS_FILE);
}
