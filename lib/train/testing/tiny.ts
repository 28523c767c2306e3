/**
 * Small things that many tests of the engine need: settings, random examples,
 * random adapters. Node only; never part of the product. Random numbers are
 * uniform, so that they are the same to the last bit on every platform.
 */
import { Random } from "../../core/random";
import type { ModelConfig } from "../model/config";
import { adapterShapes, type LoraShape } from "../model/lora";
import type { TokenizedExample } from "../sft/batch";
import { LARGE_MODEL_DEFAULTS, type LoraConfig, type SftConfig } from "../sft/config";

type Changes = Partial<Omit<SftConfig, "lora">> & { lora?: Partial<LoraConfig> };

/** Settings without dropout, warm-up or decay, but for what is given. */
export function settings({ lora, ...changes }: Changes = {}): SftConfig {
  return {
    ...LARGE_MODEL_DEFAULTS, learningRate: 0.02, warmupRatio: 0, maxLength: 32, batchSize: 2, gradientAccumulationSteps: 1, epochs: 1, evaluations: 2,
    ...changes, lora: { ...LARGE_MODEL_DEFAULTS.lora, rank: 4, alpha: 8, dropout: 0, ...lora },
  };
}

/** Examples of 3 to 12 random tokens, at least one of them completion. */
export function randomExamples(seed: number | string, count: number, vocab = 96): TokenizedExample[] {
  const random = new Random(`examples-${seed}`);
  return Array.from({ length: count }, (_, i) => {
    const ids = Array.from({ length: 3 + random.int(10) }, () => 1 + random.int(vocab - 1));
    return { ids, promptLength: 1 + random.int(ids.length - 1), documentId: String(i), completionBytes: ids.length };
  });
}

/** Every A and B random and far from zero; uniform in ±1.5/√columns for A, ±0.4 for B. */
export function randomLora(model: ModelConfig, lora: LoraShape, seed: number | string): Map<string, Float32Array> {
  const random = new Random(`random-lora-${seed}`);
  return new Map([...adapterShapes(model, lora)].map(([name, [rows, columns]]) => {
    const bound = name.endsWith("lora_A") ? 1.5 / Math.sqrt(columns) : 0.4;
    return [name, Float32Array.from({ length: rows * columns }, () => (2 * random.uniform() - 1) * bound)];
  }));
}

export const copyOf = (tensors: ReadonlyMap<string, Float32Array>) => new Map([...tensors].map(([name, data]) => [name, data.slice()]));

/** Largest relative L2 distance of a tensor of `a` from its namesake in `b`. */
export function largestDistance(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  if (a.size !== b.size) return Infinity;
  return Math.max(...[...b].map(([name, data]) => {
    const other = a.get(name);
    if (other?.length !== data.length) return Infinity;
    let difference = 0, norm = 0;
    for (let i = 0; i < data.length; i++) {
      difference += (other[i]! - data[i]!) ** 2;
      norm += data[i]! ** 2;
    }
    return difference === 0 ? 0 : Math.sqrt(difference / norm);
  }));
}
