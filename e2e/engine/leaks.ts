/** Many trainers made, used once and disposed of: what they leave behind. */
import type { ExecutionPlan } from "../../lib/train/execution/types";
import type { Backend } from "../../lib/train/runtime/backend";
import { openSessions } from "../../lib/train/runtime/session";
import { SftTrainer } from "../../lib/train/sft/trainer";
import { held, wasmBytes } from "./probes";
import { mapOf, type TinyCase } from "./tiny";

/** After each cycle. */
export interface LeakReport {
  openSessions: number[];
  wasmBytes: number[];
  gpuBuffers: number[];
  gpuBytes: number[];
}

const WHOLE: ExecutionPlan = { kind: "whole", recompute: false }, STREAMED: ExecutionPlan = { kind: "streamed", recompute: true };

/**
 * No other session may be open on the device meanwhile: onnxruntime keeps the
 * weights of released sessions until its last session on that device is
 * released (they wait in a pool of the device, which nothing empties before).
 *
 * @param dispose false leaks on purpose, to see that it would be noticed
 * @param streamed whether every other trainer streams the model layer by layer
 */
export async function leakCycles(backend: Backend, cycles: number, dispose: boolean, streamed: boolean, tiny: TinyCase): Promise<LeakReport> {
  const report: LeakReport = { openSessions: [], wasmBytes: [], gpuBuffers: [], gpuBytes: [] };
  const { microBatches, learningRate } = tiny.steps[0]!;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const trainer = await SftTrainer.create(backend, tiny.config, mapOf(tiny.weights), tiny.sft, undefined, streamed && cycle % 2 === 1 ? STREAMED : WHOLE);
    await trainer.step(microBatches, learningRate);
    if (dispose) await trainer.dispose();
    report.openSessions.push(openSessions());
    report.wasmBytes.push(wasmBytes());
    report.gpuBuffers.push(held.buffers);
    report.gpuBytes.push(held.bytes);
  }
  return report;
}
