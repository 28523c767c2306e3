/** The base model as an adapter that changes nothing: B factors of zero, and the table's own rows for trained tokens. */
import type { ModelConfig } from "../model/config";
import { HEAD_ROWS, TOKEN_ROWS } from "../adapter/tensors";
import { baseTokenRows } from "../model/added-tokens";
import type { AnyWeights } from "../model/groups";
import { adapterShapes } from "../model/lora";
import type { ExecutionSettings } from "./feeds";

export function freshAdapter(config: ModelConfig, { lora, tokens }: Pick<ExecutionSettings, "lora" | "tokens">, weights: AnyWeights): Map<string, Float32Array> {
  const adapter = new Map<string, Float32Array>();
  for (const [name, [rows, columns]] of adapterShapes(config, lora)) adapter.set(name, new Float32Array(rows * columns));
  if (tokens.length === 0) return adapter;
  const { rows, headRows } = baseTokenRows(config, weights, tokens);
  adapter.set(TOKEN_ROWS, rows);
  if (headRows) adapter.set(HEAD_ROWS, headRows);
  return adapter;
}
