/**
 * From tokenised examples to the inputs of the training graph: right padding,
 * a causal mask, and the list of rows whose next token is part of a completion.
 * With right padding the causal mask alone keeps real tokens from seeing
 * padding, since all padding comes later.
 */
import { DuctusError } from "../../core/errors";
import { MASKED } from "../model/qwen";
import { f32, i32, i64, type NdArray } from "../runtime/session";

export interface TokenizedExample {
  /** Prompt, then completion. */
  ids: readonly number[];
  /** Tokens of the prompt: no loss is taken on them. */
  promptLength: number;
  documentId: string;
  /** UTF-8 bytes of the completion's text. */
  completionBytes: number;
}

export interface Batch {
  /** Real tokens, prompts included. */
  tokens: number;
  /** Scored tokens, M. */
  completionTokens: number;
  /** Which example each scored row belongs to, [M]. */
  exampleOf: Int32Array;
  /** ids [B·T], positions [B, T], mask [1, 1, T, T], rows [M], targets [M, 1]. */
  feeds: Record<"ids" | "positions" | "mask" | "rows" | "targets", NdArray>;
  /** Where each row stands in `rows`, M if nowhere: [B·T]. Read by the backward pass only. */
  rowOf: NdArray;
}

/** Number of completion tokens of an example, the first token of all excepted (nothing predicts it); 0 where it was cut within its prompt. */
export const completionTokens = (e: TokenizedExample) => Math.max(0, e.ids.length - Math.max(1, e.promptLength));

/** @param padTokenId fills the rows of shorter examples; nothing reads it. @throws DuctusError `train/empty-batch` when no token of it is scored. */
export function collate(examples: readonly TokenizedExample[], padTokenId = 0): Batch {
  const batch = examples.length;
  const seq = Math.max(...examples.map((e) => e.ids.length));
  const scored = examples.reduce((n, e) => n + completionTokens(e), 0);
  if (!(scored > 0)) throw new DuctusError("train/empty-batch", "A batch without a single token to learn from.");
  const ids = new Int32Array(batch * seq).fill(padTokenId); // [B·T]
  const rowOf = new Int32Array(batch * seq).fill(scored); // [B·T]
  const rows = new Int32Array(scored); // [M]
  const targets = new Int32Array(scored); // [M, 1]
  const exampleOf = new Int32Array(scored); // [M]
  const positions = new BigInt64Array(batch * seq); // [B, T]
  let m = 0;
  examples.forEach((example, b) => {
    ids.set(example.ids, b * seq);
    for (let t = 0; t < seq; t++) positions[b * seq + t] = BigInt(t);
    for (let t = Math.max(1, example.promptLength); t < example.ids.length; t++) {
      const row = b * seq + t - 1; // the row that predicts token t
      rows[m] = row;
      rowOf[row] = m;
      targets[m] = example.ids[t]!;
      exampleOf[m] = b;
      m++;
    }
  });
  return {
    tokens: examples.reduce((n, e) => n + e.ids.length, 0),
    completionTokens: scored,
    exampleOf,
    feeds: {
      ids: i32(ids, [batch * seq]),
      positions: i64(positions, [batch, seq]),
      mask: f32(causalMask(seq), [1, 1, seq, seq]),
      rows: i32(rows, [scored]),
      targets: i32(targets, [scored, 1]),
    },
    rowOf: i32(rowOf, [batch * seq]),
  };
}

function causalMask(seq: number): Float32Array {
  const mask = new Float32Array(seq * seq); // [query, key]
  for (let query = 0; query < seq; query++) mask.fill(MASKED, query * seq + query + 1, (query + 1) * seq);
  return mask;
}
