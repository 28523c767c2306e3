/**
 * Graph capture on WebGPU: the runtime records the commands of a run and replays
 * them, which spares encoding every node anew. What it records is tied to
 * buffers, so that all inputs have buffers of their own here, into which what is
 * fed is copied, and outputs are copied out of the runtime's before the next run
 * overwrites them. For a graph of fixed shapes, all of it on the device, of which
 * no output is another shape of a tensor: that is a copy, which onnxruntime-web
 * 1.31 makes while it records and leaves out of the replays.
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { DuctusError } from "../../core/errors";
import type { OnnxModel, Port } from "../graph/onnx";
import { byteLength } from "../graph/onnx";
import type { Backend } from "./backend";
import { GpuTensor, type DeviceTensor } from "./device-tensor";
import { allocate, copyBuffer, fillBuffer, readBuffer } from "./gpu-buffer";
import { arrayOf, ORT_TYPE, type NdArray } from "./tensors";

const sizeOf = ({ dtype, shape }: Port) => byteLength(dtype, shape as number[]);

export class Capture {
  private constructor(
    private readonly backend: Backend,
    /** Of each input. */
    private readonly buffers: ReadonlyMap<string, GPUBuffer>,
    private readonly model: Pick<OnnxModel, "inputs" | "outputs">,
  ) {}

  /** @throws DuctusError `graph/capture` for a graph that cannot be captured, `device/memory`, `device/lost` */
  static async create(backend: Backend, { inputs, outputs }: OnnxModel): Promise<Capture> {
    const open = [...inputs, ...outputs].find((port) => port.shapeOf ?? port.shape.some((d) => typeof d !== "number"));
    if (open) throw new DuctusError("graph/capture", `"${open.name}" has no fixed shape, which a captured graph needs.`);
    const view = outputs.find((port) => port.view);
    if (view) throw new DuctusError("graph/capture", `"${view.name}" is another tensor in another shape, which a replay would not copy.`);
    const buffers = new Map<string, GPUBuffer>();
    try {
      for (const port of inputs) buffers.set(port.name, await allocate(backend, sizeOf(port)));
    } catch (error) {
      for (const buffer of buffers.values()) buffer.destroy();
      throw error;
    }
    return new Capture(backend, buffers, { inputs, outputs });
  }

  /** @param fed every input, wherever it is @param keep outputs that are to stay on the device */
  async run(session: InferenceSession, fed: Readonly<Record<string, Tensor>>, keep: ReadonlySet<string>): Promise<{ host: Record<string, NdArray>; device: Record<string, DeviceTensor> }> {
    const { backend, model } = this;
    const feeds: Record<string, Tensor> = {};
    for (const port of model.inputs) {
      const buffer = this.buffers.get(port.name)!;
      const tensor = fed[port.name]!;
      if (tensor.location === "gpu-buffer") copyBuffer(backend, tensor.gpuBuffer, buffer, sizeOf(port));
      else await fillBuffer(backend, buffer, tensor.data as Float32Array);
      feeds[port.name] = backend.ort.Tensor.fromGpuBuffer(buffer, { dataType: ORT_TYPE[port.dtype] as "float32", dims: port.shape as number[] });
    }
    const results = await session.run(feeds);
    const host: Record<string, NdArray> = {}, device: Record<string, DeviceTensor> = {};
    try {
      for (const port of model.outputs) {
        const shape = port.shape as number[];
        const { gpuBuffer } = results[port.name]!;
        if (keep.has(port.name)) {
          const copy = await allocate(backend, sizeOf(port));
          copyBuffer(backend, gpuBuffer, copy, sizeOf(port));
          device[port.name] = new GpuTensor(backend, port.dtype, shape, copy, null);
        } else host[port.name] = arrayOf(port.dtype, shape, await readBuffer(backend, gpuBuffer, sizeOf(port)));
      }
      return { host, device };
    } catch (error) {
      for (const tensor of Object.values(device)) tensor.dispose();
      throw error;
    } finally {
      for (const tensor of Object.values(results)) tensor.dispose();
    }
  }

  dispose(): void {
    for (const buffer of this.buffers.values()) buffer.destroy();
  }
}
