/**
 * Captured graphs against plain ones on the graphics device, over runs with
 * changing inputs, from memory and from the device; and the self-test for
 * capture, as it is and where a replay reads what the first run was fed.
 */
import { Graph } from "../../lib/train/graph/graph";
import { toOnnx } from "../../lib/train/graph/onnx";
import { add, mul } from "../../lib/train/graph/operators/elementwise";
import { matmul } from "../../lib/train/graph/operators/linear";
import { reshape } from "../../lib/train/graph/operators/shape";
import { targetOf, type Backend } from "../../lib/train/runtime/backend";
import { captureFault } from "../../lib/train/runtime/capture-test";
import { liveDeviceTensors, upload, type DeviceTensor } from "../../lib/train/runtime/device-tensor";
import { allocate, copyBuffer } from "../../lib/train/runtime/gpu-buffer";
import { selfTestFeeds, selfTestModel } from "../../lib/train/runtime/selftest";
import { f32, openSessions, Session, type NdArray } from "../../lib/train/runtime/session";
import { serializeError, type SerializedError } from "../../lib/core/errors";
import { held } from "./probes";

const WIDTH = 64, ROWS = 8;

export interface CaptureReport {
  /** Largest difference of each run from a plain one. */
  differences: number[];
  /** Bind groups that the runtime made for the last run, plain and captured: a replay makes none. */
  bindGroups: { plain: number; captured: number };
  /** Largest change of what a run has kept, by the runs after it. */
  overwritten: number;
  /** Of a graph that cannot be captured. */
  refused: SerializedError | null;
  openSessions: number;
  tensors: number;
  /** More than before the sessions were made. */
  gpuBuffers: number;
}

/** y = x · w + x · x, kept; total = y + y; with `flat`, y once more as one row. */
function model(flat = false) {
  const graph = new Graph();
  const x = graph.input("x", "f32", [ROWS, WIDTH]), w = graph.input("w", "f32", [WIDTH, WIDTH]);
  const y = add(matmul(x, w), mul(x, x)); // [rows, width]
  return toOnnx(graph, { y, total: add(y, y), ...(flat ? { flat: reshape(y, [ROWS * WIDTH]) } : {}) });
}

const filled = (rows: number, seed: number): NdArray => f32(Float32Array.from({ length: rows * WIDTH }, (_, i) => Math.sin(seed + i)), [rows, WIDTH]);

const distance = (a: NdArray, b: NdArray) => Math.max(...(a.data as Float32Array).map((v, i) => Math.abs(v - (b.data[i] as number))));

export async function captured(backend: Backend, runs: number): Promise<CaptureReport> {
  let bindGroups = 0;
  const device = backend.gpu!;
  const create = device.createBindGroup.bind(device);
  device.createBindGroup = (descriptor) => {
    bindGroups++;
    return create(descriptor);
  };
  const counted = async <T>(work: Promise<T>): Promise<[T, number]> => {
    const before = bindGroups;
    return [await work, bindGroups - before];
  };
  const made = { plain: 0, captured: 0 };
  const buffersBefore = held.buffers;
  const plain = await Session.create(backend, model()), session = await Session.create(backend, model(), { capture: true, keep: ["y"] });
  const differences: number[] = [];
  const kept: { expected: NdArray; y: DeviceTensor }[] = [];
  for (let run = 0; run < runs; run++) {
    const x = filled(ROWS, run), w = filled(WIDTH, 100 + run);
    const [expected, ofPlain] = await counted(plain.run({ x, w }));
    const resident = run % 2 === 0 ? await upload(backend, w) : null; // now a buffer that is gone afterwards, now from memory
    const [{ host, device: onDevice }, ofCaptured] = await counted(session.compute({ x, w: resident ?? w }));
    Object.assign(made, { plain: ofPlain, captured: ofCaptured });
    resident?.dispose();
    kept.push({ expected: expected["y"]!, y: onDevice["y"]! });
    differences.push(distance(host["total"]!, expected["total"]!));
  }
  let overwritten = 0;
  for (const { expected, y } of kept) {
    overwritten = Math.max(overwritten, distance(await y.read(), expected));
    y.dispose();
  }
  await plain.dispose();
  await session.dispose();
  const refused = await Session.create(backend, model(true), { capture: true }).then(() => null, serializeError);
  return { differences, bindGroups: made, overwritten, refused, openSessions: openSessions(), tensors: liveDeviceTensors(), gpuBuffers: held.buffers - buffersBefore };
}

export interface CaptureFaults {
  sound: string | null;
  stale: string | null;
}

/** What the self-test says of the device, and of one on which every run reads what the first one was fed. */
export async function captureFaults(backend: Backend): Promise<CaptureFaults> {
  // With its last session the runtime forgets its compiled kernels, which all of these need.
  const variant = { target: targetOf(backend), f16: backend.features.f16 };
  const session = await Session.create(backend, selfTestModel(variant));
  await session.run(selfTestFeeds(variant, "kernels"));
  const faults = { sound: await captureFault(backend), stale: await captureFault(staleBackend(backend)) };
  await session.dispose();
  return faults;
}

function staleBackend(backend: Backend): Backend {
  const { InferenceSession, Tensor } = backend.ort;
  const create: typeof InferenceSession.create = async (model, options) => {
    const session = await InferenceSession.create(model, options);
    if (options?.enableGraphCapture !== true) return session;
    const run = session.run.bind(session);
    let first: Record<string, InstanceType<typeof Tensor>> | null = null;
    session.run = async (feeds: Parameters<typeof run>[0]) => {
      if (first === null) {
        first = {};
        for (const [name, value] of Object.entries(feeds)) {
          const { gpuBuffer, dims, type } = value as { gpuBuffer: GPUBuffer; dims: readonly number[]; type: "float32" };
          const copy = await allocate(backend, gpuBuffer.size);
          copyBuffer(backend, gpuBuffer, copy, gpuBuffer.size);
          first[name] = Tensor.fromGpuBuffer(copy, { dims, dataType: type });
        }
      }
      return run(first);
    };
    return session;
  };
  return { ...backend, ort: { Tensor, InferenceSession: { create } } };
}
