/**
 * The weights of a model out of a safetensors checkpoint, under their Hugging
 * Face names: small ones whole as f32, large ones by slices into the form in
 * which they are held (f32, f16, 8 or 4 bits), so that neither a file nor an
 * f32 copy of a large matrix is ever whole in memory. Every tensor that the
 * graphs will read must be there in its shape and finite, and nothing unknown
 * may be there. It does not place anything on a device.
 */
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";
import { DuctusError } from "../../core/errors";
import { allFinite, allFiniteHalves } from "../adapter/float16";
import { damaged, decodeFloats, floatType, MODEL_FILE, readSafetensors, toFloat32, type SafeTensor, type TensorEntry } from "../adapter/safetensors";
import { PROJECTIONS } from "../sft/config";
import { projectionShape, type ModelConfig } from "./config";
import { modelFile, shorten, type ModelFiles } from "./files";
import { BLOCK, type HeldTensor, type HeldWeights, type Storage } from "./held";
import { HELD_NOTE, isHeldFile, quantizedStorage, SCALES } from "./held-file";
import { emptyHeld, fillHeld, largestScale, storageFor } from "./quantize";
import { damagedShard, openShards, readShard, type Shard } from "./shards";

export interface WeightTensor {
  shape: readonly number[];
  data: Float32Array;
}

/** By Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight` [out, in]. */
export type ModelWeights = Map<string, WeightTensor>;

/** Name → shape of every tensor the model needs. `lm_head.weight` is among them only where the head is untied. */
export function weightShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize: hidden, headDim } = config;
  const shapes = new Map<string, readonly number[]>([["model.embed_tokens.weight", [config.vocabSize, hidden]]]);
  for (let i = 0; i < config.numLayers; i++) {
    const layer = `model.layers.${i}`;
    shapes.set(`${layer}.input_layernorm.weight`, [hidden]);
    for (const projection of PROJECTIONS) {
      const { module, out, in: input } = projectionShape(config, projection);
      shapes.set(`${layer}.${module}.${projection}.weight`, [out, input]);
      const biased = projection === "q_proj" || projection === "k_proj" || projection === "v_proj";
      if ((config.attentionBias && biased) || (config.outputBias && projection === "o_proj")) shapes.set(`${layer}.${module}.${projection}.bias`, [out]);
    }
    if (config.qkNorm) {
      shapes.set(`${layer}.self_attn.q_norm.weight`, [headDim]);
      shapes.set(`${layer}.self_attn.k_norm.weight`, [headDim]);
    }
    shapes.set(`${layer}.post_attention_layernorm.weight`, [hidden]);
  }
  shapes.set("model.norm.weight", [hidden]);
  if (!config.tieWordEmbeddings) shapes.set("lm_head.weight", [config.vocabSize, hidden]);
  return shapes;
}

/**
 * @param file the whole safetensors file; not changed and not kept.
 * @throws DuctusError `model/damaged`, `model/not-safetensors`, `model/number-type`, `model/tensors`.
 */
export function loadWeights(config: ModelConfig, file: Uint8Array): ModelWeights {
  const { tensors } = readSafetensors(file, MODEL_FILE);
  const shapes = weightShapes(config);
  checkNames(config, shapes, tensors);
  const weights: ModelWeights = new Map();
  for (const [name, shape] of shapes) weights.set(name, convert(tensors.get(name) as SafeTensor, shape));
  return weights;
}

function convert(tensor: SafeTensor, shape: readonly number[]): WeightTensor {
  const data = toFloat32(tensor, MODEL_FILE);
  if (!allFinite(data)) throw damaged(MODEL_FILE, notFinite(tensor.name));
  return { shape, data };
}

export interface HoldOptions {
  /** How the blocks' matrices are held. */
  matrices: Storage;
  /** How the embedding and an untied head are held. */
  embedding: Storage;
  /** Of the checkpoint's files, after every piece. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
  /** Of these weights, where it is known already; else it is computed, which takes about as long as reading. */
  sha256?: string;
}

export interface HeldCheckpoint {
  weights: HeldWeights;
  /**
   * Which weights they are: sha256 of model.safetensors; for shards, of the lines `HASH  NAME` of all of them, in the
   * order of their names, as sha256sum prints them; for a file that was quantised here, that of what it was made from,
   * as the file says.
   */
  sha256: string;
}

/** Bytes read at a time: large enough that the calls cost nothing, small beside any model. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** Numbers converted at a time; their f32 form stays in the processor's cache. A multiple of the block. */
const STEP = 65_536;

/**
 * Loads a checkpoint's weights, converting while reading. Tensors that the file
 * holds quantised stay as they are.
 * @throws DuctusError as openShards, and `model/tensors` (does not fit config.json), `model/range` (too large for 16
 *   bits), `model/memory`; the signal's reason where it aborts
 */
export async function loadHeldWeights(config: ModelConfig, files: ModelFiles, options: HoldOptions): Promise<HeldWeights> {
  return (await loadCheckpoint(config, files, { sha256: "unknown", ...options })).weights;
}

/** As {@link loadHeldWeights}, with the weights' hash. */
export async function loadCheckpoint(config: ModelConfig, files: ModelFiles, { matrices, embedding, onProgress, signal, sha256: known }: HoldOptions): Promise<HeldCheckpoint> {
  signal?.throwIfAborted();
  const shards = await openShards(files);
  const held = shards.some(isHeldFile);
  const shapes = weightShapes(config);
  const entries = new Map(shards.flatMap((shard) => shard.entries.map((entry) => [entry.name, entry])));
  if (held) checkHeld(shapes, entries);
  else checkNames(config, shapes, entries);
  for (const shard of shards) {
    for (const entry of shard.entries) if (shapes.has(entry.name) && !(held && entry.dtype === "U8")) floatType(entry, modelFile(shard.name));
  }

  const totalBytes = shards.reduce((sum, { source }) => sum + source.size, 0);
  let doneBytes = 0;
  const loaded = new Map<string, HeldTensor>();
  /** Made when the first of its two parts is met. */
  const target = (name: string, shape: readonly number[]): HeldTensor => {
    const stored = quantizedStorage(entries.get(name), shape);
    const wanted = name === "model.embed_tokens.weight" || name === "lm_head.weight" ? embedding : matrices;
    const tensor = loaded.get(name) ?? emptyHeld(shape, stored ?? storageFor(shape, wanted));
    loaded.set(name, tensor);
    return tensor;
  };

  const identified = known ?? shards.find(isHeldFile)?.metadata[HELD_NOTE];
  const hashes: string[] = [];
  for (const shard of shards) {
    const hash = identified === undefined ? sha256.create() : null;
    /** Every byte of the file passes here once, in order. */
    const pass = async (begin: number, end: number, pieceBytes: number, take: (bytes: Uint8Array, at: number) => void) => {
      for (let at = begin; at < end; at += pieceBytes) {
        signal?.throwIfAborted();
        const bytes = await readShard(shard, at, Math.min(end, at + pieceBytes));
        signal?.throwIfAborted();
        hash?.update(bytes);
        take(bytes, at - begin);
        doneBytes += bytes.byteLength;
        onProgress?.(doneBytes, totalBytes);
      }
    };
    await pass(0, shard.headerBytes, PIECE_BYTES, () => {});
    for (const entry of shard.entries) {
      const owner = entry.name.endsWith(SCALES) ? entry.name.slice(0, -SCALES.length) : entry.name;
      const shape = shapes.get(owner);
      if (!shape) await pass(entry.begin, entry.end, PIECE_BYTES, () => {}); // for the hash alone
      else if (entry.name !== owner) await pass(entry.begin, entry.end, PIECE_BYTES, scalesInto(shard, entry, target(owner, shape)));
      else await pass(entry.begin, entry.end, PIECE_BYTES, valuesInto(shard, entry, target(owner, shape)));
    }
    if (hash) hashes.push(bytesToHex(hash.digest()));
  }
  // In the order of the model, whatever that of the files.
  return { weights: new Map([...shapes.keys()].map((name) => [name, loaded.get(name) as HeldTensor])), sha256: identified ?? identity(shards, hashes) };
}

/** Puts pieces of a tensor's bytes where they are held. Pieces begin at whole numbers and whole blocks. */
function valuesInto(shard: Shard, entry: TensorEntry, tensor: HeldTensor): (bytes: Uint8Array, at: number) => void {
  if (quantizedStorage(entry, tensor.shape) !== null) return (bytes, at) => { tensor.data.set(bytes, at); };
  const dtype = floatType(entry, modelFile(shard.name));
  const width = dtype === "F32" ? 4 : 2;
  if (dtype === "F16" && tensor.storage === "f16") {
    return (bytes, at) => {
      const bits = tensor.data.subarray(at / 2, (at + bytes.byteLength) / 2);
      new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength).set(bytes);
      if (!allFiniteHalves(bits)) throw damagedShard(shard, notFinite(entry.name));
    };
  }
  const scratch = new Float32Array(Math.min(STEP, (entry.end - entry.begin) / width));
  return (bytes, at) => {
    for (let from = 0; from < bytes.byteLength; from += STEP * width) {
      const part = bytes.subarray(from, from + STEP * width);
      const values = scratch.subarray(0, part.byteLength / width);
      decodeFloats(dtype, part, values);
      if (!allFinite(values)) throw damagedShard(shard, notFinite(entry.name));
      fillHeld(tensor, (at + from) / width, values, entry.name);
    }
  };
}

function scalesInto(shard: Shard, entry: TensorEntry, tensor: HeldTensor): (bytes: Uint8Array, at: number) => void {
  if (!("scales" in tensor)) throw damagedShard(shard, `“${shorten(entry.name)}” belongs to nothing`);
  return (bytes, at) => {
    const values = tensor.scales.subarray(at / 4, (at + bytes.byteLength) / 4);
    decodeFloats("F32", bytes, values);
    if (!values.every((scale) => Math.abs(scale) <= largestScale(tensor.storage))) throw damagedShard(shard, notFinite(entry.name));
  };
}

function identity(shards: readonly Shard[], hashes: readonly string[]): string {
  if (shards.length === 1) return hashes[0] as string;
  return bytesToHex(sha256(new TextEncoder().encode(shards.map(({ name }, i) => `${hashes[i] as string}  ${name}\n`).join(""))));
}

function checkNames(config: ModelConfig, shapes: ReadonlyMap<string, readonly number[]>, found: ReadonlyMap<string, { shape: readonly number[] }>): void {
  for (const [name, shape] of shapes) {
    const tensor = found.get(name);
    if (!tensor) throw mismatch(`it has no “${name}”`);
    if (tensor.shape.join() !== shape.join()) throw mismatch(`“${name}” has the shape ${tensor.shape.join(" × ")} instead of ${shape.join(" × ")}`);
  }
  for (const name of found.keys()) {
    if (!shapes.has(name) && !isHarmless(name, config)) throw mismatch(`it holds “${shorten(name)}”, which such a model does not have`);
  }
}

/**
 * As {@link checkNames}, for files that hold quantised tensors: codes in the place of values, and their scales beside
 * them. The graphs join q, k and v, and one of them serves all layers: so each projection has one form.
 */
function checkHeld(shapes: ReadonlyMap<string, readonly number[]>, found: ReadonlyMap<string, TensorEntry>): void {
  const rest = new Set(found.keys());
  for (const [name, shape] of shapes) {
    const tensor = found.get(name);
    if (!tensor) throw mismatch(`it has no “${name}”`);
    rest.delete(name);
    const like = name.replace(/^model\.layers\.\d+\./, "model.layers.0.").replace(/\.[kv]_proj\./, ".q_proj.");
    if (quantizedStorage(tensor, shape) !== quantizedStorage(found.get(like), shapes.get(like) as readonly number[])) throw mismatch(`“${name}” is held in another form than “${like}”`);
    if (tensor.dtype !== "U8") {
      if (tensor.shape.join() !== shape.join()) throw mismatch(`“${name}” has the shape ${tensor.shape.join(" × ")} instead of ${shape.join(" × ")}`);
      continue;
    }
    const scales = found.get(name + SCALES);
    const fits = quantizedStorage(tensor, shape) !== null && scales?.dtype === "F32" && scales.shape.join() === [shape[0], (shape[1] as number) / BLOCK].join();
    if (!fits) throw mismatch(`“${name}” is quantised in a way that does not fit its shape`);
    rest.delete(name + SCALES);
  }
  for (const name of rest) throw mismatch(`it holds “${shorten(name)}”, which such a model does not have`);
}

/** What some files carry although it follows from the rest: a copy of a tied head, the rotary frequencies. */
function isHarmless(name: string, config: ModelConfig): boolean {
  return (name === "lm_head.weight" && config.tieWordEmbeddings) || /^model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq$/.test(name);
}

function notFinite(name: string): string {
  return `“${shorten(name)}” holds a value that is not a number`;
}

function mismatch(fault: string): DuctusError {
  return new DuctusError("model/tensors", `The model's weights do not fit its config.json: ${fault}.`, "Fetch the model again, with all its files from the same place.");
}
