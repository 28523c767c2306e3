/**
 * A checkpoint: all that a run needs to go on as if it had never been cut. Held
 * as one run of bytes, a safetensors file whose notes hold the plain numbers,
 * followed by the SHA-256 of all before it. No state of a random generator is in
 * it, for there is none: all chance follows from the seed and the step. The
 * order and the packing of the examples follow from the data and the settings;
 * a hash of every token in its place proves that they came out the same again.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { sha256Hex } from "../../core/hash";
import { encodeHeader, readSafetensors, toFloat32, type FileKind, type SafeTensor } from "../adapter/safetensors";
import type { ExecutionPlan } from "../execution/types";
import { mainStorage, type AnyWeights } from "../model/groups";
import type { Storage } from "../model/held";
import type { Backend } from "../runtime/backend";
import type { SftConfig } from "./config";
import { sftConfigSchema } from "./schema";
import type { TrainerState } from "./trainer";

/** What computes a run: on another, the last digits come out otherwise. */
export interface Machine {
  device: "webgpu" | "wasm" | "node";
  threads: number;
  execution: ExecutionPlan;
  /** How the weights are held. */
  storage: Storage;
  /** Which weights they are, see HeldCheckpoint; absent where the caller sees to it that they are the same. */
  modelSha256?: string | undefined;
}

export function machineOf({ kind, threads }: Pick<Backend, "kind" | "threads">, weights: AnyWeights, execution: ExecutionPlan): Machine {
  return { device: kind, threads, execution: { ...execution }, storage: mainStorage(weights) };
}

/** The adapter with the lowest held-out loss so far. */
export interface BestAdapter {
  loss: number;
  /** Steps after which it was measured, and tokens that it was trained on. */
  step: number;
  tokens: number;
  adapter: Map<string, Float32Array>;
}

export interface SftCheckpoint {
  config: SftConfig;
  machine: Machine;
  /** See planHash. */
  planHash: string;
  totalSteps: number;
  /** After how many steps the held-out loss was last measured; −1: not yet. */
  evaluated: number;
  /** Measurements in a row without a lower held-out loss. */
  checksWithoutGain: number;
  /** Tokens trained on, and time spent training, pauses left out. */
  tokens: number;
  elapsedMs: number;
  /** With the number of steps done. */
  trainer: TrainerState;
  /** Null where nothing was measured yet. */
  best: BestAdapter | null;
}

const FORMAT_VERSION = "1";
const DIGEST_BYTES = 64; // hexadecimal
const KIND: FileKind = { area: "adapter", label: "This checkpoint" };

const count = z.number().int().nonnegative();
const stateSchema = z.strictObject({
  config: sftConfigSchema,
  machine: z.strictObject({
    device: z.enum(["webgpu", "wasm", "node"]),
    threads: count,
    execution: z.strictObject({ kind: z.enum(["whole", "streamed"]), recompute: z.boolean() }),
    storage: z.enum(["f32", "f16", "q8", "q4"]),
    modelSha256: z.string().optional(),
  }),
  planHash: z.string().regex(/^[0-9a-f]{64}$/),
  totalSteps: count,
  evaluated: z.number().int().min(-1),
  checksWithoutGain: count,
  tokens: count,
  elapsedMs: z.number().nonnegative(),
  steps: count,
  optimizerSteps: count,
  best: z.strictObject({ loss: z.number(), step: count, tokens: count }).nullable(),
});

const SECTIONS = ["adapter", "best", "optimizer"] as const;

export async function encodeCheckpoint(checkpoint: SftCheckpoint): Promise<Uint8Array> {
  const { trainer, best, ...rest } = checkpoint;
  const state: z.input<typeof stateSchema> = {
    ...rest, steps: trainer.steps, optimizerSteps: trainer.optimizer.steps,
    best: best && { loss: best.loss, step: best.step, tokens: best.tokens },
  };
  const sections = { adapter: trainer.adapter, best: best?.adapter ?? new Map<string, Float32Array>(), optimizer: trainer.optimizer.tensors };
  const tensors = SECTIONS.flatMap((section) => [...sections[section]].map(([name, data]) => ({ name: `${section}:${name}`, data })));
  // Floats first, so that each begins at a multiple of 4 bytes.
  tensors.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header = encodeHeader(
    tensors.map(({ name, data }) => ({ name, dtype: data instanceof Uint8Array ? "U8" : "F32", shape: [data.length] })),
    { ductus_checkpoint: FORMAT_VERSION, state: JSON.stringify(state) },
  );
  const bytes = new Uint8Array(tensors.reduce((sum, { data }) => sum + data.byteLength, header.byteLength + DIGEST_BYTES));
  bytes.set(header);
  let at = header.byteLength;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  bytes.set(new TextEncoder().encode(await sha256Hex(bytes.subarray(0, at))), at);
  return bytes;
}

/** @throws DuctusError `train/checkpoint-damaged`, `train/checkpoint-newer` */
export async function decodeCheckpoint(bytes: Uint8Array): Promise<SftCheckpoint> {
  const end = bytes.byteLength - DIGEST_BYTES;
  if (end < 8) throw damaged("it is too short");
  const body = bytes.subarray(0, end);
  if ((await sha256Hex(body)) !== new TextDecoder().decode(bytes.subarray(end))) throw damaged("its bytes are not those that were written");
  let file: ReturnType<typeof readSafetensors>;
  try {
    file = readSafetensors(body, KIND);
  } catch (cause) {
    throw damaged("its parts do not fit together", cause);
  }
  if (file.metadata["ductus_checkpoint"] !== FORMAT_VERSION) {
    throw new DuctusError("train/checkpoint-newer", "The stored state of this run was written by another version of Ductus.", "Reload the page to get the newest version, and try again.");
  }
  let parsed: z.infer<typeof stateSchema>;
  try {
    parsed = stateSchema.parse(JSON.parse(file.metadata["state"] ?? ""));
  } catch (cause) {
    throw damaged("its notes have the wrong form", cause);
  }
  const sections = { adapter: new Map<string, Float32Array>(), best: new Map<string, Float32Array>(), optimizer: new Map<string, Float32Array | Uint8Array>() };
  for (const [key, tensor] of file.tensors) {
    const section = SECTIONS.find((name) => key.startsWith(`${name}:`));
    if (!section) throw damaged(`it holds “${key.slice(0, 80)}”`);
    const name = key.slice(section.length + 1);
    if (section === "optimizer") sections.optimizer.set(name, numbers(tensor));
    else sections[section].set(name, floats(tensor));
  }
  const { steps, optimizerSteps, best, ...rest } = parsed;
  if (steps > rest.totalSteps || rest.evaluated > steps || (best?.step ?? 0) > steps) throw damaged("its steps are not in order");
  return {
    ...rest,
    trainer: { steps, adapter: sections.adapter, optimizer: { steps: optimizerSteps, tensors: sections.optimizer } },
    best: best && { ...best, adapter: sections.best },
  };
}

/**
 * The first of a run's checkpoints, newest first, that can be read.
 * @returns it, and what was wrong with those before it
 * @throws DuctusError what is wrong with the newest, where none can be read; `train/no-checkpoint` where there is none
 */
export async function firstReadable(newestFirst: Iterable<Uint8Array>): Promise<{ checkpoint: SftCheckpoint; damaged: DuctusError[] }> {
  const faults: DuctusError[] = [];
  for (const bytes of newestFirst) {
    try {
      return { checkpoint: await decodeCheckpoint(bytes), damaged: faults };
    } catch (error) {
      if (!(error instanceof DuctusError)) throw error;
      faults.push(error);
    }
  }
  throw faults[0] ?? new DuctusError("train/no-checkpoint", "Nothing is stored from which this run could go on.", "Start a new run.");
}

/** @throws DuctusError `train/checkpoint-other` where the run would not see what the checkpoint's saw */
export function requireSamePlan(checkpoint: SftCheckpoint, planHash: string): void {
  if (checkpoint.planHash === planHash) return;
  throw new DuctusError("train/checkpoint-other", "This run cannot go on: the writing it learns from, or its settings, have changed since.", "Start a new run.", { details: `${checkpoint.planHash} is now ${planHash}` });
}

/** @throws DuctusError `train/checkpoint-other` where the checkpoint says that it is of another model's run, which may have the same shapes */
export function requireSameModel({ machine }: SftCheckpoint, modelSha256: string): void {
  if (machine.modelSha256 === undefined || machine.modelSha256 === modelSha256) return;
  throw new DuctusError("train/checkpoint-other", "This run cannot go on: it was begun on another model.", "Name the model that it was begun on, or start a new run.", { details: `sha256 of the weights: ${machine.modelSha256}, now ${modelSha256}` });
}

/** In words, why a resumed run will not repeat the other's numbers to the last bit; empty where it will (but for graphics processors). */
export function differences(checkpoint: SftCheckpoint, config: SftConfig, machine: Machine): string[] {
  const was = checkpoint.machine;
  const pairs: [string, unknown, unknown][] = [
    ["device", was.device, machine.device],
    ["number of threads", was.threads, machine.threads],
    ["execution", `${was.execution.kind}${was.execution.recompute ? ", recomputing" : ""}`, `${machine.execution.kind}${machine.execution.recompute ? ", recomputing" : ""}`],
    ["number type of the weights", was.storage, machine.storage],
  ];
  const changed = pairs.filter(([, a, b]) => a !== b).map(([what, a, b]) => `the ${what} was ${String(a)} and is now ${String(b)}`);
  return JSON.stringify(sftConfigSchema.parse(config)) === JSON.stringify(sftConfigSchema.parse(checkpoint.config)) ? changed : [...changed, "the settings have changed"];
}

function floats(tensor: SafeTensor): Float32Array {
  if (tensor.dtype !== "F32") throw damaged(`“${tensor.name.slice(0, 80)}” is ${tensor.dtype}`);
  return toFloat32(tensor);
}

function numbers(tensor: SafeTensor): Float32Array | Uint8Array {
  return tensor.dtype === "U8" ? new Uint8Array(tensor.bytes) : floats(tensor);
}

function damaged(fault: string, cause?: unknown): DuctusError {
  return new DuctusError("train/checkpoint-damaged", `The stored state of this run is damaged: ${fault}.`, "Start a new run. What it had learned by its last check, if it got so far, is kept.", cause === undefined ? {} : { cause });
}
