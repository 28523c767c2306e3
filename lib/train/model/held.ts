/**
 * How a model's weights are held in memory: as f32, f16, or quantised in blocks
 * of 32 along a row to 8 or 4 bits. Only says what there is; quantize.ts
 * makes and undoes it. The quantised layout is that of ORT's MatMulNBits: symmetric, unsigned
 * with zero point 128 or 8, one f32 scale a block, so that the same bytes serve
 * the product and its transpose.
 */
export type Storage = "f32" | "f16" | "q8" | "q4";

export const isQuantized = (storage: Storage): storage is "q8" | "q4" => storage === "q8" || storage === "q4";

/** Weights in one quantisation block; a row's length must be a multiple of it, else the tensor is held as f16. */
export const BLOCK = 32;

export type HeldTensor =
  | { storage: "f32"; shape: readonly number[]; data: Float32Array }
  /** IEEE half precision, as bits. */
  | { storage: "f16"; shape: readonly number[]; data: Uint16Array }
  /**
   * shape [rows, columns]; data [rows, columns / 32, bytes of a block], a block being 32 bytes (q8) or 16 (q4, the
   * earlier weight in the low half of a byte); scales [rows · columns / 32]. weight = (code − zero point) · scale.
   */
  | { storage: "q8" | "q4"; shape: readonly number[]; data: Uint8Array; scales: Float32Array };

/** By checkpoint name. Matrices are held as asked; norms' gains and biases always as f32. */
export type HeldWeights = ReadonlyMap<string, HeldTensor>;
