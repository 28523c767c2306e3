/** Many trainers made, used once and disposed of: what they leave behind. */
import type { Backend } from "../../lib/train/runtime/backend";
import { selfTestModel } from "../../lib/train/runtime/selftest";
import { openSessions, Session } from "../../lib/train/runtime/session";
import { SftTrainer } from "../../lib/train/sft/trainer";
import { held, wasmBytes } from "./probes";
import { mapOf, type TinyCase } from "./tiny";

/** After each cycle, and at the end once more, when all is disposed of that is meant to be. */
export interface LeakReport {
  openSessions: number[];
  wasmBytes: number[];
  gpuBuffers: number[];
  gpuBytes: number[];
}

/** @param dispose false leaks on purpose, to see that it would be noticed */
export async function leakCycles(backend: Backend, cycles: number, dispose: boolean, tiny: TinyCase): Promise<LeakReport> {
  const report: LeakReport = { openSessions: [], wasmBytes: [], gpuBuffers: [], gpuBytes: [] };
  const note = () => {
    report.openSessions.push(openSessions());
    report.wasmBytes.push(wasmBytes());
    report.gpuBuffers.push(held.buffers);
    report.gpuBytes.push(held.bytes);
  };
  // With its last session the runtime drops its compiled kernels too, and each cycle would compile them anew.
  const anchor = await Session.create(backend, selfTestModel());
  const { microBatches, learningRate } = tiny.steps[0]!;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const trainer = await SftTrainer.create(backend, tiny.config, mapOf(tiny.weights), tiny.sft);
    await trainer.step(microBatches, learningRate);
    if (dispose) await trainer.dispose();
    note();
  }
  await anchor.dispose();
  note();
  return report;
}
