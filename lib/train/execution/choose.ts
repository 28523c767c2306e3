/**
 * Which execution suits a model on a device, from estimated sizes: whole while
 * the weights, once for every session that holds them, and the activations fit;
 * else streamed, computing activations again where keeping them does not fit.
 */
import type { ModelConfig } from "../model/config";
import { isQuantized, type Storage } from "../model/held";
import { groupInput, GROUPS, mainStorage, productRows, weightBytes, type AnyWeights } from "../model/groups";
import { mergePays } from "../model/lora";
import type { Backend } from "../runtime/backend";
import type { ExecutionPlan } from "./types";

/** The work that is to be done. */
export interface Workload {
  /** Rows and tokens a row of the largest batch. */
  batch: number;
  seq: number;
  /** Sessions beside training that will hold the weights inside (scoring counts itself where it has one). */
  otherCopies: number;
}

export interface MemoryLimits {
  /** What the runtime's own heap may hold. */
  heapBytes: number;
  /** What everything together may take. */
  totalBytes: number;
  /** Whether the streamed execution, and each generator beside it, copies the weights to the device. */
  uploads?: boolean;
}

/** Of 4 GiB that a wasm heap can grow to. */
const WASM_HEAP_BYTES = 3.4e9;
/** Share of a device's memory that a page may reckon with. */
const SHARE = 0.6;
/** Reckoned with at most, and where the browser does not tell: newer ones tell up to 32, of which a tab is not to take its share. */
export const MOST_GIB = 8;

export function memoryLimits(backend: Pick<Backend, "kind">): MemoryLimits {
  const gib = Math.min(MOST_GIB, (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? MOST_GIB);
  const totalBytes = gib * 2 ** 30 * SHARE;
  return { totalBytes, heapBytes: backend.kind === "wasm" ? Math.min(WASM_HEAP_BYTES, totalBytes) : totalBytes, uploads: backend.kind === "webgpu" };
}

export interface Sizes {
  /** As held: once in plain memory, and once in every session of the whole execution. */
  weightBytes: number;
  /** What all layers together keep for the way back. */
  activationBytes: number;
  /** What the head needs for its widest step. */
  logitsBytes: number;
  /** What the whole execution needs beside: weights of fewer bits as floats, and weights with their updates. */
  workBytes: number;
}

/** Room that a quantised matrix takes while it is used, in copies of it as f32: codes, floats, and what the runtime's allocator rounds up (4.7 measured). */
const DEQUANTIZED_COPIES = 5;

/** How a model's weights are held: most of them as, and all of them in. */
export interface HeldSize {
  storage: Storage;
  weightBytes: number;
}

export const heldSize = (weights: AnyWeights): HeldSize => ({ storage: mainStorage(weights), weightBytes: weightBytes(weights) });

/** Estimates, from above. */
export function executionSizes(config: ModelConfig, { storage, weightBytes }: HeldSize, { batch, seq }: Pick<Workload, "batch" | "seq">): Sizes {
  const tokens = batch * seq;
  const { hiddenSize: hidden, intermediateSize: intermediate, numHeads, numKeyValueHeads, headDim } = config;
  // Kept a token and layer: the input and two norms, queries, keys and values turned and mixed, both gates with their products, and a row of attention.
  const perToken = 5 * hidden + 3 * (numHeads + 2 * numKeyValueHeads) * headDim + 5 * intermediate + 2 * numHeads * seq;
  return {
    weightBytes,
    activationBytes: config.numLayers * tokens * perToken * 4,
    logitsBytes: tokens * config.vocabSize * 4 * 3,
    workBytes: workBytes(config, storage, tokens),
  };
}

function workBytes(config: ModelConfig, storage: Storage, tokens: number): number {
  const head = 4 * config.vocabSize * config.hiddenSize;
  if (isQuantized(storage)) return DEQUANTIZED_COPIES * head;
  const matrices = GROUPS.flatMap((group) => group.products.map((product) => [groupInput(config, group), productRows(config, product)] as const));
  const bytes = (counts: (columns: number, out: number) => boolean) =>
    config.numLayers * 4 * matrices.reduce((sum, [columns, out]) => sum + (counts(columns, out) ? columns * out : 0), 0);
  const withUpdates = bytes((columns, out) => mergePays(tokens, columns, out));
  // Halves are widened once, for the way forward and the way back: the floats live through the step.
  return withUpdates + (storage === "f16" ? bytes(() => true) + head : 0);
}

/** Weights beyond this are not held twice by the whole execution, see whole.ts. */
export const SCORING_APART_BYTES = 400e6;

export function choosePlan(sizes: Sizes, limits: MemoryLimits, otherCopies: number): ExecutionPlan {
  const copies = 1 + otherCopies + (sizes.weightBytes <= SCORING_APART_BYTES ? 1 : 0);
  const heap = copies * sizes.weightBytes + sizes.activationBytes + sizes.logitsBytes + sizes.workBytes;
  if (heap <= limits.heapBytes && heap + sizes.weightBytes <= limits.totalBytes) return { kind: "whole", recompute: false };
  const held = sizes.weightBytes * (limits.uploads ? 2 + otherCopies : 1);
  return { kind: "streamed", recompute: held + 2 * sizes.activationBytes > limits.totalBytes };
}
