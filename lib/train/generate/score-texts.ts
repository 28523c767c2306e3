/**
 * Log-probabilities of given texts: every token of a completion under its
 * prompt, in batches of rows of like length. The numbers are the model's own, at
 * temperature 1 (natural logarithms), without any processor.
 */
import { DuctusError } from "../../core/errors";
import type { AdapterTensors, Execution } from "../execution/types";
import { collate, type TokenizedExample } from "../sft/batch";

export interface TextToScore {
  /** May be empty; then nothing predicts the first token of the completion, and it is not scored. */
  promptIds: readonly number[];
  completionIds: readonly number[];
  /** UTF-8 bytes of the completion's text, for bits per byte. */
  completionBytes: number;
}

export interface TextScore {
  /** Scored tokens. */
  tokens: number;
  /** Sum over them, nats. */
  logProb: number;
  /** [tokens], nats */
  tokenLogProbs: Float32Array;
  /** Over the completion's bytes; null where it has none. */
  bitsPerByte: number | null;
}

export interface ScoreOptions {
  /** Rows times the longest of them; one row may be longer. Default 2,048. */
  maxBatchTokens?: number;
  /** Asked between batches; true ends with DuctusError `generate/stopped`. */
  stopped?: () => boolean;
  /** Called after each batch with the texts done. */
  onProgress?: (done: number) => void | Promise<void>;
}

/**
 * @param adapter null for the base model
 * @returns scores in the order of the texts
 * @throws DuctusError `generate/stopped`, and as the execution does
 */
export async function scoreTexts(execution: Pick<Execution, "score">, texts: readonly TextToScore[], adapter: AdapterTensors | null, options: ScoreOptions = {}): Promise<TextScore[]> {
  const { maxBatchTokens = 2048, stopped, onProgress } = options;
  const scored = ({ promptIds, completionIds }: TextToScore) => Math.max(0, completionIds.length - (promptIds.length === 0 ? 1 : 0));
  const scores = texts.map((text): TextScore => ({ tokens: scored(text), logProb: 0, tokenLogProbs: new Float32Array(scored(text)), bitsPerByte: text.completionBytes > 0 ? 0 : null }));
  const lengthOf = (i: number) => texts[i]!.promptIds.length + texts[i]!.completionIds.length;
  const order = [...texts.keys()].filter((i) => scored(texts[i]!) > 0).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let done = texts.length - order.length;
  for (const batch of batchesOf(order, lengthOf, maxBatchTokens)) {
    if (stopped?.()) throw new DuctusError("generate/stopped", "Scoring was stopped.");
    const examples = batch.map((i): TokenizedExample => {
      const { promptIds, completionIds, completionBytes } = texts[i]!;
      return { ids: [...promptIds, ...completionIds], promptLength: promptIds.length, documentId: String(i), completionBytes };
    });
    const made = collate(examples);
    const nll = await execution.score(made, adapter); // [M]
    const filled = batch.map(() => 0);
    for (let m = 0; m < nll.length; m++) {
      const row = made.exampleOf[m]!;
      const score = scores[batch[row]!]!;
      score.tokenLogProbs[filled[row]!++] = -nll[m]!;
      score.logProb -= nll[m]!;
    }
    for (const i of batch) {
      const score = scores[i]!;
      if (score.bitsPerByte !== null) score.bitsPerByte = -score.logProb / Math.LN2 / texts[i]!.completionBytes;
    }
    await onProgress?.(done += batch.length);
  }
  return scores;
}

/** Rows in ascending length, so many at a time that their padded size stays within `maxTokens`. */
function* batchesOf(order: readonly number[], lengthOf: (i: number) => number, maxTokens: number): Generator<number[]> {
  let batch: number[] = [];
  for (const i of order) {
    if (batch.length > 0 && (batch.length + 1) * lengthOf(i) > maxTokens) {
      yield batch;
      batch = [];
    }
    batch.push(i);
  }
  if (batch.length > 0) yield batch;
}
