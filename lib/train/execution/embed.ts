/**
 * Token embeddings looked up in JavaScript: a few rows of a large table, which
 * need not be on the device for it. Rows that an adapter trains stand in the
 * place of the table's.
 */
import { DuctusError } from "../../core/errors";
import type { ModelConfig } from "../model/config";
import { held, type AnyWeights } from "../model/groups";
import { heldRow } from "../model/quantize";

/** Rows of the vocabulary that an adapter brings, [ids.length, hidden]. */
export interface TokenRows {
  ids: readonly number[];
  rows: Float32Array;
}

/** ids [n] → [n, hidden]. @throws DuctusError `generate/token` for a token that there is not */
export function embedTokens(config: ModelConfig, weights: AnyWeights, ids: ArrayLike<number>, tokens: TokenRows | null = null): Float32Array {
  const width = config.hiddenSize;
  const table = held(weights, "model.embed_tokens.weight");
  const shaped = table.storage === "f32" ? { ...table, shape: [config.vocabSize, width] } : table;
  const out = new Float32Array(ids.length * width); // [n, hidden]
  const own = new Map(tokens?.ids.map((id, i) => [id, i]));
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!, place = own.get(id);
    const row = out.subarray(i * width, (i + 1) * width);
    if (place !== undefined) row.set(tokens!.rows.subarray(place * width, (place + 1) * width));
    else if (id >= 0 && id < config.vocabSize) heldRow(shaped, id, row);
    else throw new DuctusError("generate/token", `This model has no token ${id}.`, "Choose another model or adapter.");
  }
  return out;
}

/** The gradient of the trained rows from that of the embeddings [n, hidden], added to `into` [count, hidden]. */
export function addTokenGradient(ids: ArrayLike<number>, dEmbeddings: Float32Array, tokens: readonly number[], into: Float32Array): void {
  const width = dEmbeddings.length / ids.length;
  const own = new Map(tokens.map((id, i) => [id, i]));
  for (let i = 0; i < ids.length; i++) {
    const place = own.get(ids[i]!);
    if (place === undefined) continue;
    for (let k = 0; k < width; k++) into[place * width + k] = into[place * width + k]! + dEmbeddings[i * width + k]!;
  }
}
