/**
 * From tokenised examples to the inputs of the training graph: right padding, a
 * causal mask, and the list of rows whose next token is part of a completion. A
 * row holds one example or several one after another; the mask keeps the
 * examples of a row apart, and positions begin anew with each, so that none
 * sees another. With right padding the causal mask alone keeps real tokens from
 * seeing padding, since all padding comes later.
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

/** One example, or several in a row. */
export type BatchRow<E extends TokenizedExample = TokenizedExample> = E | readonly E[];

/** The examples of a row. */
export const examplesOf = <E extends TokenizedExample>(row: BatchRow<E>): readonly E[] => ("ids" in row ? [row] : row);

export interface Batch {
  /** Real tokens, prompts included. */
  tokens: number;
  /** Scored tokens, M. */
  completionTokens: number;
  /** Which example each scored row belongs to, counted through all rows, [M]. */
  exampleOf: Int32Array;
  /** ids [B·T], positions [B, T], mask [B, 1, T, T] or, where all rows share it, [1, 1, T, T], rows [M], targets [M, 1]. */
  feeds: Record<"ids" | "positions" | "mask" | "rows" | "targets", NdArray>;
  /** Where each row stands in `rows`, M if nowhere: [B·T]. Read by the backward pass only. */
  rowOf: NdArray;
}

/** Number of completion tokens of an example, the first token of all excepted (nothing predicts it); 0 where it was cut within its prompt. */
export const completionTokens = (e: TokenizedExample) => Math.max(0, e.ids.length - Math.max(1, e.promptLength));

const lengthOf = (examples: readonly TokenizedExample[]) => examples.reduce((n, e) => n + e.ids.length, 0);

/** @param padTokenId fills up shorter rows; nothing reads it. @throws DuctusError `train/empty-batch` when no token of it is scored. */
export function collate(batchRows: readonly BatchRow[], padTokenId = 0): Batch {
  const packed = batchRows.map(examplesOf);
  const batch = packed.length;
  const seq = Math.max(...packed.map(lengthOf));
  const scored = packed.flat().reduce((n, e) => n + completionTokens(e), 0);
  if (!(scored > 0)) throw new DuctusError("train/empty-batch", "A batch without a single token to learn from.");
  const ids = new Int32Array(batch * seq).fill(padTokenId); // [B·T]
  const rowOf = new Int32Array(batch * seq).fill(scored); // [B·T]
  const rows = new Int32Array(scored); // [M]
  const targets = new Int32Array(scored); // [M, 1]
  const exampleOf = new Int32Array(scored); // [M]
  const positions = new BigInt64Array(batch * seq); // [B, T]
  let m = 0, index = 0;
  packed.forEach((examples, b) => {
    let begin = b * seq;
    examples.forEach((example, i) => {
      ids.set(example.ids, begin);
      // Padding goes on counting where the last example ends.
      const end = i + 1 < examples.length ? begin + example.ids.length : (b + 1) * seq;
      for (let at = begin; at < end; at++) positions[at] = BigInt(at - begin);
      for (let t = Math.max(1, example.promptLength); t < example.ids.length; t++) {
        const row = begin + t - 1; // the row that predicts token t
        rows[m] = row;
        rowOf[row] = m;
        targets[m] = example.ids[t]!;
        exampleOf[m] = index;
        m++;
      }
      begin += example.ids.length;
      index++;
    });
  });
  return {
    tokens: lengthOf(packed.flat()),
    completionTokens: scored,
    exampleOf,
    feeds: {
      ids: i32(ids, [batch * seq]),
      positions: i64(positions, [batch, seq]),
      mask: maskOf(packed, seq),
      rows: i32(rows, [scored]),
      targets: i32(targets, [scored, 1]),
    },
    rowOf: i32(rowOf, [batch * seq]),
  };
}

/** Causal, and within one example: [B, 1, T, T], or [1, 1, T, T] where every row holds one example. */
function maskOf(packed: readonly (readonly TokenizedExample[])[], seq: number): NdArray {
  const plain = packed.every((examples) => examples.length === 1);
  const rows = plain ? packed.slice(0, 1) : packed;
  const mask = new Float32Array(rows.length * seq * seq); // [row, query, key]
  rows.forEach((examples, b) => {
    let begin = 0, next = 0;
    for (let query = 0, i = 0; query < seq; query++) {
      // Padding counts with the last example: it must look somewhere, and nothing looks at it.
      while (query === next && i < examples.length) {
        begin = query;
        next += examples[i++]!.ids.length;
      }
      const at = (b * seq + query) * seq;
      mask.fill(MASKED, at, at + begin).fill(MASKED, at + query + 1, at + seq);
    }
  });
  return f32(mask, [rows.length, 1, seq, seq]);
}
