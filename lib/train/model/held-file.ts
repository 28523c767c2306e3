/**
 * Held weights on disk: a safetensors file whose quantised tensors are two, the
 * codes under the tensor's own name (U8, [rows, columns / 32, 16 or 32], the
 * layout of held.ts) and `name.scales` (F32, [rows, columns / 32]); the others
 * are F32 or F16. A note names the sha256 of the weights that it was made from.
 * Ductus alone reads such a file; weights.ts does, as any other. It is written
 * as a stream, and so never whole in memory.
 */
import { DuctusError } from "../../core/errors";
import { encodeHeader, type SafeDType } from "../adapter/safetensors";
import { BLOCK, type HeldTensor, type HeldWeights } from "./held";
import { blockBytes } from "./quantize";

export const SCALES = ".scales";
/** The note's key; its value is the sha256 of the weights before they were quantised. */
export const HELD_NOTE = "ductus_quantized_from";
const FORMAT_KEY = "ductus_held";
const FORMAT_VERSION = "1";

/** Takes a file's bytes one part after another. A part may be a view of memory that goes on being used: it is to be written, not kept. */
export type ByteSink = (part: Uint8Array) => Promise<void> | void;

interface Part {
  name: string;
  dtype: SafeDType;
  shape: readonly number[];
  data: Float32Array | Uint16Array | Uint8Array;
}

function partsOf(name: string, tensor: HeldTensor): Part[] {
  switch (tensor.storage) {
    case "f32":
      return [{ name, dtype: "F32", shape: tensor.shape, data: tensor.data }];
    case "f16":
      return [{ name, dtype: "F16", shape: tensor.shape, data: tensor.data }];
    case "q8":
    case "q4": {
      const blocks = [tensor.shape[0] as number, (tensor.shape[1] as number) / BLOCK];
      return [
        { name, dtype: "U8", shape: [...blocks, blockBytes(tensor.storage)], data: tensor.data },
        { name: name + SCALES, dtype: "F32", shape: blocks, data: tensor.scales },
      ];
    }
    default:
      return tensor satisfies never;
  }
}

/** Bytes handed to the sink at a time. */
const PART_BYTES = 16 * 1024 * 1024;

/**
 * Writes model.safetensors in the held form. The same weights give the same bytes.
 * @param sha256 of the weights that these were made from (HeldCheckpoint.sha256)
 * @param onProgress bytes written, of all
 */
export async function writeHeldModel(weights: HeldWeights, sha256: string, sink: ByteSink, onProgress?: (doneBytes: number, totalBytes: number) => void, signal?: AbortSignal): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError(`no sha256: ${sha256}`);
  const parts = [...weights].flatMap(([name, tensor]) => partsOf(name, tensor));
  // Wide numbers first, so that all lie at multiples of their size, as the reference implementation orders them.
  const order: SafeDType[] = ["F32", "F16", "U8"];
  parts.sort((a, b) => order.indexOf(a.dtype) - order.indexOf(b.dtype) || (a.name < b.name ? -1 : 1));
  const header = encodeHeader(parts, { format: "pt", [FORMAT_KEY]: FORMAT_VERSION, [HELD_NOTE]: sha256 });
  const totalBytes = parts.reduce((sum, { data }) => sum + data.byteLength, header.byteLength);
  let doneBytes = 0;
  const write = async (part: Uint8Array) => {
    signal?.throwIfAborted();
    await sink(part);
    doneBytes += part.byteLength;
    onProgress?.(doneBytes, totalBytes);
  };
  await write(header);
  for (const { data } of parts) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.byteLength; at += PART_BYTES) await write(bytes.subarray(at, at + PART_BYTES));
  }
}

/**
 * Whether a file says that it is in the held form.
 * @throws DuctusError `model/newer` for a later version of it, `model/damaged` where its note is no hash
 */
export function isHeldFile({ metadata }: { metadata: Readonly<Record<string, string>> }): boolean {
  const version = metadata[FORMAT_KEY];
  if (version === undefined) return false;
  if (version !== FORMAT_VERSION) throw new DuctusError("model/newer", "This model was quantised by another version of Ductus.", "Reload the page to get the newest version, or quantise the model again.");
  if (!/^[0-9a-f]{64}$/.test(metadata[HELD_NOTE] ?? "")) throw new DuctusError("model/damaged", "The model file is damaged: it does not say what it was made from.", "Quantise the model again.");
  return true;
}

/** How many bits a quantised entry of a file has; null where it is not quantised, or does not fit the shape. @param shape of the tensor, [rows, columns] */
export function quantizedStorage(entry: { dtype: SafeDType; shape: readonly number[] } | undefined, shape: readonly number[]): "q8" | "q4" | null {
  if (entry?.dtype !== "U8" || shape.length !== 2 || (shape[1] as number) % BLOCK !== 0) return null;
  const [rows, blocks, bytes] = entry.shape;
  if (entry.shape.length !== 3 || rows !== shape[0] || blocks !== (shape[1] as number) / BLOCK) return null;
  return bytes === 32 ? "q8" : bytes === 16 ? "q4" : null;
}
