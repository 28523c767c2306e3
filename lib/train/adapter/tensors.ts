/**
 * An adapter between its two forms: the flat tensors by name that trainers,
 * graphs and generators take, and the {@link LoraAdapter} that files are made
 * from, with the shapes of a model. Nothing is copied.
 */
import type { ModelConfig } from "../model/config";
import { adapterShapes, type LoraShape } from "../model/lora";
import type { LoraAdapter } from "./types";

/** @param tensors by name, see adapterShapes: lora_A [rank, in], lora_B [out, rank], row by row */
export function toLoraAdapter(model: ModelConfig, lora: LoraShape, tensors: ReadonlyMap<string, Float32Array>): LoraAdapter {
  const { rank, alpha, targetModules } = lora;
  return { rank, alpha, targetModules, tensors: new Map([...adapterShapes(model, lora)].map(([name, shape]) => [name, { shape, data: tensors.get(name)! }])) };
}

/** The tensors alone, by name. */
export function flatAdapter(adapter: LoraAdapter): Map<string, Float32Array> {
  return new Map([...adapter.tensors].map(([name, { data }]) => [name, data]));
}
