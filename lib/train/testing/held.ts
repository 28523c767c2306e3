/** Weights in other forms than f32, and trained rows of the vocabulary, for tests of the executions. */
import { Random } from "../../core/random";
import type { ModelConfig } from "../model/config";
import type { HeldWeights, Storage } from "../model/held";
import { hold, storageFor } from "../model/quantize";
import { weightShapes } from "../model/weights";

export function asHeld(config: ModelConfig, weights: ReadonlyMap<string, Float32Array>, storage: Storage): HeldWeights {
  return new Map([...weightShapes(config)].map(([name, shape]) => [name, hold(weights.get(name)!, shape, storageFor(shape, storage))]));
}

/** [count, hidden], as large as the rows of a small random model. */
export function randomTokens(config: ModelConfig, count: number, seed = "tokens"): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count * config.hiddenSize }, () => 0.3 * (2 * random.uniform() - 1));
}
