/** Buffers of our own on a WebGPU device: filled from memory, and read back into it. */
import { DuctusError } from "../../core/errors";
import type { Backend } from "./backend";

// The constants of the WebGPU specification, which are not defined where there is no WebGPU.
const MAP_READ = 0x1, COPY_SRC = 0x4, COPY_DST = 0x8, STORAGE = 0x80, MODE_READ = 0x1;

/** The runtime reads whole vectors of 16 bytes. */
const ALIGNMENT = 16;
/** Written at a time: the browser keeps a copy of what the device has not taken yet. */
const PIECE_BYTES = 2 ** 26;

const padded = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** A buffer of zeros, for so many bytes. @throws DuctusError `device/memory` where the device has no room, `device/lost` */
export async function allocate(backend: Backend, bytes: number): Promise<GPUBuffer> {
  const gpu = backend.gpu!;
  const noRoom = (details: string) => new DuctusError("device/memory", "The graphics processor has too little memory for this model.",
    "Hold the model with fewer bits, choose a smaller one, or compute without the graphics processor.", { details });
  const size = padded(bytes);
  if (size > gpu.limits.maxBufferSize) throw noRoom(`a buffer of ${size} bytes, where ${gpu.limits.maxBufferSize} are allowed`);
  gpu.pushErrorScope("out-of-memory");
  const buffer = gpu.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  const scope = gpu.popErrorScope();
  try {
    const failure = await backend.unlessLost(scope);
    if (failure) throw noRoom(failure.message);
    return buffer;
  } catch (error) {
    buffer.destroy();
    throw error;
  }
}

/** A buffer with these numbers. @throws as {@link allocate} */
export async function writeBuffer(backend: Backend, data: ArrayBufferView): Promise<GPUBuffer> {
  const buffer = await allocate(backend, data.byteLength);
  try {
    await fillBuffer(backend, buffer, data);
    return buffer;
  } catch (error) {
    buffer.destroy();
    throw error;
  }
}

/** Writes numbers to the start of a buffer. @throws DuctusError `device/lost` */
export async function fillBuffer(backend: Backend, buffer: GPUBuffer, data: ArrayBufferView): Promise<void> {
  const { queue } = backend.gpu!;
  const whole = data.byteLength - (data.byteLength % 4); // what is written counts in fours
  for (let at = 0; at < whole; at += PIECE_BYTES) {
    queue.writeBuffer(buffer, at, data.buffer, data.byteOffset + at, Math.min(PIECE_BYTES, whole - at));
    if (whole > PIECE_BYTES) await backend.unlessLost(queue.onSubmittedWorkDone());
  }
  if (whole < data.byteLength) {
    const rest = new Uint8Array(4);
    rest.set(new Uint8Array(data.buffer, data.byteOffset + whole, data.byteLength - whole));
    queue.writeBuffer(buffer, whole, rest);
  }
}

/** Copies the first bytes of one buffer to another, after all work handed in so far. */
export function copyBuffer(backend: Backend, from: GPUBuffer, to: GPUBuffer, bytes: number): void {
  const encoder = backend.gpu!.createCommandEncoder();
  encoder.copyBufferToBuffer(from, 0, to, 0, padded(bytes));
  backend.gpu!.queue.submit([encoder.finish()]);
}

/** The first bytes of a buffer, as they are after all work handed in so far. @throws DuctusError `device/lost`, `device/read` */
export async function readBuffer(backend: Backend, buffer: GPUBuffer, bytes: number): Promise<Uint8Array> {
  const gpu = backend.gpu!;
  const size = padded(bytes);
  const staging = gpu.createBuffer({ size, usage: MAP_READ | COPY_DST });
  try {
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await backend.unlessLost(staging.mapAsync(MODE_READ));
    return new Uint8Array(staging.getMappedRange().slice(0, bytes));
  } catch (cause) {
    if (cause instanceof DuctusError) throw cause;
    throw new DuctusError("device/read", "The graphics processor did not hand out what it computed.", "Try again. What a run had learned up to its last check is kept.", { cause });
  } finally {
    staging.destroy();
  }
}
