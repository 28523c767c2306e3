/**
 * An adapter between its two forms: the flat tensors by name that trainers,
 * graphs and generators take, and the {@link LoraAdapter} that files are made
 * from, with the shapes of a model. Nothing is copied.
 */
import type { ModelConfig } from "../model/config";
import { adapterShapes, type LoraShape } from "../model/lora";
import type { LoraAdapter, TrainedTokens } from "./types";

/** Names, in the flat form, of trained rows of the vocabulary and of those of an untied head, [count, hidden] each. */
export const TOKEN_ROWS = "tokens";
export const HEAD_ROWS = "tokens.head";

/**
 * @param tensors by name, see adapterShapes: lora_A [rank, in], lora_B [out, rank], row by row; with `tokenIds` also
 *   {@link TOKEN_ROWS}, and {@link HEAD_ROWS} where an untied head has rows of its own
 */
export function toLoraAdapter(model: ModelConfig, lora: LoraShape, tensors: ReadonlyMap<string, Float32Array>, tokenIds: readonly number[] = []): LoraAdapter {
  const { rank, alpha, useRslora = false, targetModules } = lora;
  const factors = [...adapterShapes(model, lora)].map(([name, shape]) => [name, { shape, data: tensors.get(name)! }] as const);
  const tokens: TrainedTokens | null = tokenIds.length === 0 ? null : { ids: [...tokenIds], rows: tensors.get(TOKEN_ROWS)!, headRows: tensors.get(HEAD_ROWS) ?? null };
  return { rank, alpha, useRslora, targetModules, tensors: new Map(factors), tokens };
}

/** The tensors alone, by name. */
export function flatAdapter({ tensors, tokens }: LoraAdapter): Map<string, Float32Array> {
  const flat = new Map([...tensors].map(([name, { data }]) => [name, data]));
  if (tokens) flat.set(TOKEN_ROWS, tokens.rows);
  if (tokens?.headRows) flat.set(HEAD_ROWS, tokens.headRows);
  return flat;
}
