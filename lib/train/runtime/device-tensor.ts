/**
 * Tensors that stay where they are computed: buffers on a WebGPU device, plain
 * memory elsewhere. They are fed to runs without being copied by us; what is
 * kept of a run's outputs is one too. Whoever uploads one or gets one from a run
 * owns it and disposes of it, once or more often; a run that is under way holds
 * on to what it was fed, so that it may be disposed of at any moment.
 */
import type { Tensor } from "onnxruntime-web";
import { DuctusError } from "../../core/errors";
import type { DType } from "../graph/graph";
import { byteLength } from "../graph/onnx";
import type { Backend } from "./backend";
import { readBuffer, writeBuffer } from "./gpu-buffer";
import { exclusive } from "./mutex";
import { arrayOf, checkArray, ORT_TYPE, toOrt, type NdArray } from "./tensors";

export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of its numbers. */
  readonly bytes: number;
  /**
   * Its numbers in plain memory: a copy from a graphics device, elsewhere the tensor's own.
   * @throws DuctusError `device/released` after it was disposed of, `device/lost`, `device/read`
   */
  read(): Promise<NdArray>;
  /** Never throws, nor when the device is gone. */
  dispose(): void;
}

let live = 0;

/** Device tensors not yet disposed of, for leak tests. */
export const liveDeviceTensors = () => live;

/** What a session needs beyond the public face. */
export abstract class HeldTensor implements DeviceTensor {
  private disposed = false;
  private holders = 0;

  constructor(
    protected readonly backend: Backend,
    readonly dtype: DType,
    readonly shape: readonly number[],
  ) {
    live++;
  }

  get bytes(): number {
    return byteLength(this.dtype, this.shape);
  }

  abstract read(): Promise<NdArray>;

  /** A tensor for one run, to be given back with {@link release}. */
  hold(backend: Backend): Tensor {
    this.checkOpen();
    if (backend !== this.backend && backend.gpu !== this.backend.gpu) throw new DuctusError("device/foreign", "This tensor belongs to another device.");
    this.holders++;
    return this.tensor();
  }

  release(): void {
    this.holders--;
    this.freeWhenUnused();
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    live--;
    this.freeWhenUnused();
  }

  protected checkOpen(): void {
    if (this.disposed) throw new DuctusError("device/released", "This tensor is no longer held.");
  }

  protected abstract tensor(): Tensor;
  protected abstract free(): void;

  private freeWhenUnused(): void {
    if (this.disposed && this.holders === 0) this.free();
  }
}

/** In plain memory; also what is empty, which has no buffer anywhere. */
export class HostTensor extends HeldTensor {
  private array: NdArray | null;

  constructor(backend: Backend, array: NdArray) {
    super(backend, array.dtype, array.shape);
    this.array = array;
  }

  override read(): Promise<NdArray> {
    return this.array ? Promise.resolve(this.array) : Promise.reject(new DuctusError("device/released", "This tensor is no longer held."));
  }

  protected override tensor(): Tensor {
    return toOrt(this.backend.ort, this.array!);
  }

  protected override free(): void {
    this.array = null;
  }
}

/** A buffer on a WebGPU device: our own, or one of the runtime's that a run gave out. */
export class GpuTensor extends HeldTensor {
  constructor(
    backend: Backend,
    dtype: DType,
    shape: readonly number[],
    private readonly buffer: GPUBuffer,
    /** Where the buffer is the runtime's. */
    private readonly output: Tensor | null,
  ) {
    super(backend, dtype, shape);
  }

  override async read(): Promise<NdArray> {
    this.checkOpen();
    return arrayOf(this.dtype, this.shape, await readBuffer(this.backend, this.buffer, this.bytes));
  }

  protected override tensor(): Tensor {
    return this.output ?? this.backend.ort.Tensor.fromGpuBuffer(this.buffer, { dataType: ORT_TYPE[this.dtype] as "float32", dims: this.shape });
  }

  protected override free(): void {
    const { output } = this;
    if (!output) return this.buffer.destroy();
    // It goes back to the runtime, which must not be called while it works.
    void exclusive(() => Promise.resolve(output.dispose())).catch(() => undefined); // the device is gone, and the buffer with it
  }
}

/**
 * Puts numbers on the device. On a graphics device they are copied, and the
 * array is free; elsewhere the tensor is that array, and it must not be changed.
 *
 * @throws DuctusError `graph/shape`, `device/memory` where the device has no room, `device/lost`
 */
export async function upload(backend: Backend, array: NdArray): Promise<DeviceTensor> {
  checkArray("What is to be uploaded", array);
  if (!backend.gpu || array.data.byteLength === 0) return new HostTensor(backend, array);
  return new GpuTensor(backend, array.dtype, array.shape, await writeBuffer(backend, array.data), null);
}
