/** Held weights as tensors on the device, under the names that the graphs read them by. */
import { quantizedShapes } from "../graph/operators/quantized";
import type { HeldTensor } from "../model/held";
import type { Backend } from "../runtime/backend";
import { upload, type DeviceTensor } from "../runtime/device-tensor";
import { f16, f32, u8 } from "../runtime/session";

/** `name`, and `name.scales` of a quantised tensor; the caller's to dispose of. */
export async function uploadHeld(backend: Backend, name: string, tensor: HeldTensor): Promise<Record<string, DeviceTensor>> {
  switch (tensor.storage) {
    case "f32":
      return { [name]: await upload(backend, f32(tensor.data, tensor.shape)) };
    case "f16":
      return { [name]: await upload(backend, f16(tensor.data, tensor.shape)) };
    case "q4":
    case "q8": {
      const shapes = quantizedShapes(tensor.storage === "q4" ? 4 : 8, tensor.shape as [number, number]);
      return { [name]: await upload(backend, u8(tensor.data, shapes.data)), [`${name}.scales`]: await upload(backend, f32(tensor.scales, shapes.scales)) };
    }
    default:
      return tensor satisfies never;
  }
}
