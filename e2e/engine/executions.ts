/** One step's loss and gradients of a tiny model, whole and streamed, with its weights held in one form or another. Runs in the worker of harness.ts and in the specs. */
import { openExecution } from "../../lib/train/execution/open";
import { readable } from "../../lib/train/execution/readable";
import { StreamedExecution } from "../../lib/train/execution/streamed";
import type { Execution } from "../../lib/train/execution/types";
import { gradientName } from "../../lib/train/model/graphs";
import type { Storage } from "../../lib/train/model/held";
import type { Backend } from "../../lib/train/runtime/backend";
import { collate } from "../../lib/train/sft/batch";
import { asHeld } from "../../lib/train/testing/held";
import { mapOf, MAX_POSITIONS, sharedAdapter, type Tensors, type TinyCase, type Values } from "./tiny";

/** So small that the vocabulary of a tiny model is cut into several. */
const HEAD_CHUNK_BYTES = 4_000;
/** Of the reference's adapter: more of it makes the attention of qwen2-tied so sharp that float32 itself is 1e-6 off. */
const SHARE = 0.25;

/** A width that is a number of blocks of 32, as quantised weights need it. */
const WIDE = 64;

/** The model with an MLP of that width: its first neurons stand in it twice. */
function widened(tiny: TinyCase): TinyCase {
  const { intermediateSize: narrow } = tiny.config;
  const wider = (tensors: Tensors): Tensors => Object.fromEntries(Object.entries(tensors).map(([name, data]) => {
    if (/\.(gate|up)_proj\.(weight|lora_B)$/.test(name)) return [name, Float32Array.of(...data, ...data.subarray(0, (WIDE - narrow) * (data.length / narrow)))]; // [wide, …]
    if (!/\.down_proj\.(weight|lora_A)$/.test(name)) return [name, data];
    const rows = Array.from({ length: data.length / narrow }, (_, i) => data.subarray(i * narrow, (i + 1) * narrow));
    return [name, Float32Array.from(rows.flatMap((row) => [...row, ...row.subarray(0, WIDE - narrow)]))]; // […, wide]
  }));
  return { ...tiny, config: { ...tiny.config, intermediateSize: WIDE }, weights: wider(tiny.weights), adapter: wider(tiny.adapter) };
}

export interface Executed {
  whole: Values;
  streamed: Values;
}

export interface ExecutionCase {
  tiny: TinyCase;
  storage: Storage;
  /** Whether the streamed execution computes activations again on the way back. */
  recompute: boolean;
}

export async function executed(backend: Backend, cases: readonly ExecutionCase[]): Promise<Executed[]> {
  // Open to the end: with its last session the runtime forgets its compiled kernels, which the next case needs.
  const open: Execution[] = [];
  const results: Executed[] = [];
  for (const one of cases) results.push(await execute(backend, one, open));
  for (const execution of open) await execution.dispose();
  return results;
}

async function execute(backend: Backend, { tiny: narrow, storage, recompute }: ExecutionCase, open: Execution[]): Promise<Executed> {
  const tiny = widened(narrow);
  const { config, lora } = tiny;
  const weights = asHeld(config, mapOf(tiny.weights), storage);
  const settings = { lora, dropout: 0, maxPositions: MAX_POSITIONS, tokens: [] };
  const batch = collate(tiny.examples);
  const rowWeights = Float32Array.from({ length: batch.completionTokens }, (_, i) => 0.05 + 0.01 * i);
  const adapter = sharedAdapter(tiny, SHARE);
  const values = async (execution: Execution): Promise<Values> => {
    const { loss, gradients } = await execution.train(batch, { adapter, rowWeights, dropoutSeed: null, noise: null });
    return { scalars: { "lora loss": loss }, tensors: Object.fromEntries([...gradients].map(([name, data]) => [`lora ${gradientName(name)}`, data])) };
  };
  const whole = await openExecution(backend, { config, weights }, settings, { kind: "whole", recompute: false });
  const streamed = await StreamedExecution.create(backend, config, readable(backend, weights), settings, { recompute, headChunkBytes: HEAD_CHUNK_BYTES });
  open.push(whole, streamed);
  return { whole: await values(whole), streamed: await values(streamed) };
}
