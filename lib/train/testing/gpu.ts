/**
 * A backend with a graphics device that has room for so many buffers and no
 * more. It computes nothing: for tests of what is left where uploads fail. Node
 * only; never part of the product.
 */
import type { Backend, Ort } from "../runtime/backend";
import { openNode } from "../runtime/node";

export function narrowDevice(buffers: number): Backend & { /** Buffers made and not destroyed. */ readonly made: number } {
  const sound = openNode();
  let made = 0, full = false;
  const gpu = {
    limits: { maxBufferSize: Infinity },
    queue: { writeBuffer: () => undefined },
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(full ? { message: "no room" } : null),
    createBuffer: () => {
      full = ++made > buffers;
      return { destroy: () => made-- };
    },
  } as unknown as GPUDevice;
  const InferenceSession: Ort["InferenceSession"] = {
    create: (model, options = {}) => {
      const { preferredOutputLocation: _, ...rest } = options;
      return sound.ort.InferenceSession.create(model, rest);
    },
  };
  return { ...sound, gpu, ort: { ...sound.ort, InferenceSession }, get made() { return made; } };
}
