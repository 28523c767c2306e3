/**
 * Reads the committed reference values (tools/reference/data, made by
 * transformers and PEFT) for tests. Node only; never part of the product.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { adapterFromPeft } from "../adapter/peft";
import { MODEL_FILE, readSafetensors, toFloat32 } from "../adapter/safetensors";
import type { LoraAdapter } from "../adapter/types";
import { parseModelConfig, type ModelConfig } from "../model/config";
import { loadWeights, weightShapes } from "../model/weights";
import type { TokenizedExample } from "../sft/batch";

export { flatAdapter } from "../adapter/tensors";

const root = new URL("../../../tools/reference/data/", import.meta.url);

export const referencePath = (path: string) => fileURLToPath(new URL(path, root));
export const referenceBytes = (path: string) => new Uint8Array(readFileSync(new URL(path, root)));
export const referenceJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), "utf8"));

/** All tensors of a safetensors file as f32. */
export function referenceTensors(path: string): Map<string, { shape: readonly number[]; data: Float32Array }> {
  const { tensors } = readSafetensors(referenceBytes(path), MODEL_FILE);
  return new Map([...tensors].map(([name, t]) => [name, { shape: t.shape, data: toFloat32(t) }]));
}

/** Model weights by name, as the graphs take them. */
export function flatWeights(config: ModelConfig, file: Uint8Array): Map<string, Float32Array> {
  return new Map([...loadWeights(config, file)].map(([name, t]) => [name, t.data]));
}

/** The checkpoint in a folder of reference data, in one file or in several with an index. */
function folderWeights(name: string, config: ModelConfig): Map<string, Float32Array> {
  if (existsSync(referencePath(`${name}/model.safetensors`))) return flatWeights(config, referenceBytes(`${name}/model.safetensors`));
  const { weight_map: fileOf } = referenceJson(`${name}/model.safetensors.index.json`) as { weight_map: Record<string, string> };
  const shards = new Map([...new Set(Object.values(fileOf))].map((file) => [file, referenceTensors(`${name}/${file}`)]));
  return new Map([...weightShapes(config)].map(([tensor]) => [tensor, shards.get(fileOf[tensor]!)!.get(tensor)!.data]));
}

/** Every tiny checkpoint with reference values. */
export const REFERENCE_MODELS = ["qwen2-tied", "qwen3-untied", "llama3-tied", "qwen2-untied", "qwen3-tied"] as const;

export interface ReferenceBatch {
  lengths: number[];
  prompt_lengths: number[];
  rows: number[][];
  completion_tokens: number;
  losses: Record<string, number>;
  greedy_tokens: Record<string, number[][]>;
}

export interface ReferenceModel {
  config: ModelConfig;
  weights: Map<string, Float32Array>;
  batch: ReferenceBatch;
  examples: TokenizedExample[];
  /** Names of its adapters. */
  adapters: string[];
  adapter(name: string): LoraAdapter;
}

export function referenceModel(name: string): ReferenceModel {
  const config = parseModelConfig(referenceJson(`${name}/config.json`));
  const batch = referenceJson(`${name}/batch.json`) as ReferenceBatch;
  return {
    config,
    batch,
    weights: folderWeights(name, config),
    adapters: Object.keys(batch.losses).filter((which) => which !== "base"),
    examples: batch.rows.map((ids, i) => ({ ids, promptLength: batch.prompt_lengths[i]!, documentId: String(i), completionBytes: 0 })),
    adapter: (which) => adapterFromPeft(
      readFileSync(new URL(`${name}/${which}/adapter_config.json`, root), "utf8"), referenceBytes(`${name}/${which}/adapter_model.safetensors`), config),
  };
}

/** ‖a − b‖ / ‖b‖. */
export function relativeL2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0, norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return a.length === b.length ? Math.sqrt(difference / norm) : Infinity;
}
