/**
 * Weights in forms that a device can compute with: a graphics processor without
 * `shader-f16` cannot even turn f16 into f32, so there f16 weights become f32
 * beforehand. Everything else stays as it is held.
 */
import { float16ToFloat32 } from "../adapter/float16";
import type { AnyWeights } from "../model/groups";
import type { HeldTensor } from "../model/held";
import { emptyHeld } from "../model/quantize";
import type { Backend } from "../runtime/backend";

const widened = new WeakMap<AnyWeights, AnyWeights>();

/**
 * The same map where nothing is to be done; else one that is shared by all who ask for it while the given one lives.
 * @throws DuctusError `model/memory` where there is no room for it
 */
export function readable(backend: Pick<Backend, "gpu" | "features">, weights: AnyWeights): AnyWeights {
  const narrow = (tensor: HeldTensor | Float32Array) => !(tensor instanceof Float32Array) && tensor.storage === "f16";
  if (!backend.gpu || backend.features.f16 || ![...weights.values()].some(narrow)) return weights;
  const known = widened.get(weights);
  if (known) return known;
  const result = new Map([...weights].map(([name, tensor]): [string, HeldTensor] => [name, widen(tensor as HeldTensor)]));
  widened.set(weights, result);
  return result;
}

function widen(tensor: HeldTensor): HeldTensor {
  if (tensor.storage !== "f16") return tensor;
  const wide = emptyHeld(tensor.shape, "f32") as Extract<HeldTensor, { storage: "f32" }>;
  float16ToFloat32(tensor.data, wide.data);
  return wide;
}
