/** Held weights as tensors on the device, under the names that the graphs read them by. */
import { quantizedShapes } from "../graph/operators/quantized";
import type { HeldTensor } from "../model/held";
import type { Backend } from "../runtime/backend";
import { upload, type DeviceTensor } from "../runtime/device-tensor";
import { f16, f32, u8, type NdArray } from "../runtime/session";

/** `name`, and `name.scales` of a quantised tensor; the caller's to dispose of. Where one has no room, none is left. */
export const uploadHeld = (backend: Backend, name: string, tensor: HeldTensor): Promise<Record<string, DeviceTensor>> =>
  uploadAll(backend, [[name, tensor]]);

/** As {@link uploadHeld}, several by their names. */
export async function uploadAll(backend: Backend, tensors: Iterable<[name: string, tensor: HeldTensor]>): Promise<Record<string, DeviceTensor>> {
  const uploaded: Record<string, DeviceTensor> = {};
  try {
    for (const [name, tensor] of tensors) for (const [part, array] of partsOf(name, tensor)) uploaded[part] = await upload(backend, array);
    return uploaded;
  } catch (error) {
    for (const tensor of Object.values(uploaded)) tensor.dispose();
    throw error;
  }
}

function partsOf(name: string, tensor: HeldTensor): [name: string, array: NdArray][] {
  switch (tensor.storage) {
    case "f32":
      return [[name, f32(tensor.data, tensor.shape)]];
    case "f16":
      return [[name, f16(tensor.data, tensor.shape)]];
    case "q4":
    case "q8": {
      const shapes = quantizedShapes(tensor.storage === "q4" ? 4 : 8, tensor.shape as [number, number]);
      return [[name, u8(tensor.data, shapes.data)], [`${name}.scales`, f32(tensor.scales, shapes.scales)]];
    }
    default:
      return tensor satisfies never;
  }
}
