/**
 * The engine in a dedicated worker, as the site runs it, with switches that the
 * specs need: a graphics device that is missing, refuses, computes wrongly or is
 * lost. One worker is one runtime: the number of threads is settled by the first
 * device opened in it.
 */
import { expose } from "comlink";
import { serializeError, type SerializedError } from "../../lib/core/errors";
import type { DeviceReport } from "../../lib/store/types";
import { timeBackend } from "../../lib/train/runtime/calibrate";
import { openDevice } from "../../lib/train/runtime/device";
import { openSessions, Session } from "../../lib/train/runtime/session";
import { openWasm, openWebGpu } from "../../lib/train/runtime/web";
import { targetOf, type Backend } from "../../lib/train/runtime/backend";
import type { SftConfig } from "../../lib/train/sft/config";
import { quantizedErrors } from "../../lib/train/testing/quantized";
import { captured, captureFaults, type CaptureFaults, type CaptureReport } from "./capture";
import { executed, type Executed, type ExecutionCase } from "./executions";
import { leakCycles, type LeakReport } from "./leaks";
import { loseDeviceWhile, type LossReport, type Work } from "./loss";
import { overlap, overlapUnlocked, type OverlapReport } from "./overlap";
import { placements, type Placements } from "./placement";
import { loseResident, residentCycles, type Moment, type ResidentLoss, type ResidentReport } from "./resident";
import { resumed, type ResumeReport } from "./resume";
import { breakGpu, lostDevices, spoiled, watch, type Fault } from "./probes";
import { adapterInputs, loraTrainingGraph, measure, trainingFeeds, type Measured, type TinyCase } from "./tiny";

export type DeviceName = "wasm" | "webgpu";

/** What went wrong crosses as data: the code of an error would be lost on the way. */
export type Outcome<T> = { value: T } | { error: SerializedError };

watch();
export interface Opening {
  report: DeviceReport;
  /** Of the tiny case's training graph on the device that was chosen. */
  loss: number;
  openSessions: number;
  /** Of all devices that were opened on the way: whether they have been given back. */
  gpusLost: boolean[];
  spoiledKernels: number;
}

let backend: Backend | null = null;

async function attempt<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: serializeError(error) };
  }
}

/** The device of this worker, opened once. */
async function opened(name: DeviceName, threads?: number): Promise<Backend> {
  backend ??= name === "wasm" ? await openWasm(threads) : (await openWebGpu(threads)).backend;
  return backend;
}

const harness = {
  measure: (device: DeviceName, threads: number, tiny: TinyCase, referenceSteps: boolean): Promise<Outcome<Measured>> =>
    attempt(async () => measure(await opened(device, threads), tiny, referenceSteps)),

  executed: (device: DeviceName, cases: ExecutionCase[]): Promise<Outcome<Executed[]>> => attempt(async () => executed(await opened(device), cases)),

  placements: (tiny: TinyCase): Promise<Outcome<Placements>> => attempt(async () => placements(await opened("webgpu"), tiny)),

  /** Opens as the site does, after breaking what is to be broken; computes one loss on what it got. */
  openDevice: (preference: "auto" | "webgpu" | "wasm", fault: Fault | null, tiny: TinyCase): Promise<Outcome<Opening>> =>
    attempt(async () => {
      if (fault) breakGpu(fault);
      const { report, backend: chosen } = await openDevice(preference);
      const session = await Session.create(chosen, loraTrainingGraph(tiny));
      const { loss } = await session.run({ ...trainingFeeds(tiny), ...adapterInputs(tiny) });
      await session.dispose();
      return { report, loss: loss!.data[0] as number, openSessions: openSessions(), gpusLost: await lostDevices(), spoiledKernels: spoiled.kernels };
    }),

  loseDeviceWhile: (work: Work, reopen: boolean, tiny: TinyCase): Promise<Outcome<LossReport>> =>
    attempt(() => loseDeviceWhile(work, reopen, tiny)),

  resumed: (device: DeviceName, steps: number, every: number, changed: Partial<SftConfig>, tiny: TinyCase): Promise<Outcome<ResumeReport>> =>
    attempt(async () => resumed(await opened(device), steps, every, changed, tiny)),

  leakCycles: (device: DeviceName, cycles: number, dispose: boolean, streamed: boolean, tiny: TinyCase): Promise<Outcome<LeakReport>> =>
    attempt(async () => leakCycles(await opened(device), cycles, dispose, streamed, tiny)),

  residentCycles: (device: DeviceName, cycles: number, dispose: boolean): Promise<Outcome<ResidentReport>> =>
    attempt(async () => residentCycles(await opened(device), cycles, dispose)),

  loseResident: (moment: Moment): Promise<Outcome<ResidentLoss>> => attempt(() => loseResident(moment)),

  quantizedErrors: (device: DeviceName, bits: 4 | 8, where: "inside" | "fed"): Promise<Outcome<Record<string, number>>> =>
    attempt(async () => quantizedErrors(await opened(device), bits, targetOf(await opened(device)), where)),

  captured: (runs: number): Promise<Outcome<CaptureReport>> => attempt(async () => captured(await opened("webgpu"), runs)),

  captureFaults: (): Promise<Outcome<CaptureFaults>> => attempt(async () => captureFaults(await opened("webgpu"))),

  /** Milliseconds, with so many threads, or as many as this worker has already. */
  timeThreads: (threads: number): Promise<Outcome<{ threads: number; ms: number }>> =>
    attempt(async () => {
      const device = await openWasm(threads);
      return { threads: device.threads, ms: await timeBackend(device) };
    }),

  overlap: (device: DeviceName, tiny: TinyCase): Promise<Outcome<OverlapReport>> =>
    attempt(async () => overlap(await opened(device), tiny)),

  overlapUnlocked: (): Promise<Outcome<number>> => attempt(async () => overlapUnlocked(await opened("wasm"))),
};

export type Harness = typeof harness;
expose(harness);
