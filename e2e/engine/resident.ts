/**
 * Tensors that stay on the device: fed, kept and read over many sessions, and
 * what is left behind; and what becomes of them when the device is taken away.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import { Graph } from "../../lib/train/graph/graph";
import { toOnnx } from "../../lib/train/graph/onnx";
import { add } from "../../lib/train/graph/operators/elementwise";
import { matmul } from "../../lib/train/graph/operators/linear";
import type { Backend } from "../../lib/train/runtime/backend";
import { liveDeviceTensors, upload, type DeviceTensor } from "../../lib/train/runtime/device-tensor";
import { f32, openSessions, Session, type NdArray } from "../../lib/train/runtime/session";
import { openWebGpu } from "../../lib/train/runtime/web";
import { devices, held, wasmBytes } from "./probes";

const WIDTH = 256, ROWS = 8;

/** y = x · w, kept; total = y + y. */
function model() {
  const graph = new Graph();
  const y = matmul(graph.input("x", "f32", ["N", WIDTH]), graph.input("w", "f32", [WIDTH, WIDTH])); // [N, width]
  return toOnnx(graph, { y, total: add(y, y) });
}

const filled = (rows: number, value: number): NdArray => f32(new Float32Array(rows * WIDTH).fill(value), [rows, WIDTH]);

/** After each cycle. */
export interface ResidentReport {
  openSessions: number[];
  tensors: number[];
  wasmBytes: number[];
  gpuBuffers: number[];
  gpuBytes: number[];
  /** Cycles whose numbers were not what they should be. */
  wrong: number;
}

/** @param dispose false leaks the tensors on purpose, to see that it would be noticed */
export async function residentCycles(backend: Backend, cycles: number, dispose: boolean): Promise<ResidentReport> {
  const report: ResidentReport = { openSessions: [], tensors: [], wasmBytes: [], gpuBuffers: [], gpuBytes: [], wrong: 0 };
  for (let cycle = 0; cycle < cycles; cycle++) {
    const session = await Session.create(backend, model(), { keep: ["y"] });
    const tensors: DeviceTensor[] = [await upload(backend, filled(WIDTH, 1 / WIDTH)), await upload(backend, filled(ROWS, cycle + 1))];
    const [w, x] = tensors as [DeviceTensor, DeviceTensor];
    const first = await session.compute({ x, w });
    tensors.push(first.device["y"]!);
    const running = session.compute({ x: first.device["y"]!, w });
    if (dispose) for (const tensor of tensors) tensor.dispose(); // the run under way holds on to what it was fed
    const second = await running;
    tensors.push(second.device["y"]!);
    const numbers = [(await second.device["y"]!.read()).data[5], second.host["total"]!.data[5]! as number / 2, first.host["total"]!.data[0]! as number / 2] as number[];
    if (!numbers.every((v) => Math.abs(v / (cycle + 1) - 1) < 1e-5)) report.wrong++;
    if (dispose) for (const tensor of tensors) tensor.dispose();
    await session.dispose();
    report.openSessions.push(openSessions());
    report.tensors.push(liveDeviceTensors());
    report.wasmBytes.push(wasmBytes());
    report.gpuBuffers.push(held.buffers);
    report.gpuBytes.push(held.bytes);
  }
  return report;
}

/** What is under way when the device goes: a run with kept tensors, an upload, a read; or nothing, and the next call meets it. */
export type Moment = "compute" | "upload" | "read" | "before";

export interface ResidentLoss {
  /** What the call that met the loss ended with; null where it went on or hung. */
  error: SerializedError | null;
  /** What every other call ends with afterwards: upload, read, compute, create. */
  later: (SerializedError | null)[];
  openSessions: number;
  tensors: number;
  /** What a new device in the same worker computes, with the old tensors disposed of before or after. */
  again: number;
  /** Why an old tensor is refused by the new device. */
  foreign: SerializedError | null;
}

const PATIENCE_MS = 10_000;

/** What a promise ends with: its error, or null; one that does not end is an error of its own. */
const ending = (work: Promise<unknown>): Promise<SerializedError | null> => Promise.race([
  work.then(() => null, (error: unknown) => serializeError(error)),
  new Promise<SerializedError>((resolve) => setTimeout(() => resolve(serializeError(new DuctusError("app/hangs", "The call neither went on nor ended."))), PATIENCE_MS)),
]);

export async function loseResident(moment: Moment): Promise<ResidentLoss> {
  const { backend } = await openWebGpu();
  const device = devices.at(-1)!;
  const session = await Session.create(backend, model(), { keep: ["y"] });
  const w = await upload(backend, filled(WIDTH, 1 / WIDTH)), x = await upload(backend, filled(ROWS, 1));
  const kept = (await session.compute({ x, w })).device["y"]!;
  const begin: Record<Moment, () => Promise<unknown>> = {
    compute: () => session.compute({ x: kept, w }),
    upload: () => upload(backend, f32(new Float32Array(2 ** 25), [2 ** 25])), // in several pieces
    read: () => kept.read(),
    before: async () => {
      await device.lost;
      return session.compute({ x: kept, w });
    },
  };
  const work = begin[moment]();
  device.destroy();
  const error = await ending(work);
  const later = [
    await ending(upload(backend, filled(1, 1))), await ending(kept.read()),
    await ending(session.compute({ x, w })), await ending(Session.create(backend, model())),
  ];
  const other = (await openWebGpu()).backend;
  const fresh = await Session.create(other, model(), { keep: ["y"] });
  const foreign = await ending(fresh.compute({ x: kept, w }));
  for (const tensor of [w, x, kept]) tensor.dispose();
  await session.dispose();
  const weights = await upload(other, filled(WIDTH, 2 / WIDTH));
  const { device: out } = await fresh.compute({ x: filled(ROWS, 3), w: weights });
  const again = (await out["y"]!.read()).data[0] as number;
  out["y"]!.dispose();
  weights.dispose();
  await fresh.dispose();
  await other.dispose();
  return { error, later, openSessions: openSessions(), tensors: liveDeviceTensors(), again, foreign };
}
