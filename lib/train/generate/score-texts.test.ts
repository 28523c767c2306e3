import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openExecution } from "../execution/open";
import type { Execution } from "../execution/types";
import { openNode } from "../runtime/node";
import type { Batch } from "../sft/batch";
import { flatAdapter, referenceModel, referenceTensors } from "../testing/reference";
import { scoreTexts, type TextToScore } from "./score-texts";

const reference = referenceModel("qwen2-tied");
const { config, weights, batch } = reference;
const lora = reference.adapter("adapter");
const adapter = flatAdapter(lora);
const texts = batch.rows.map((ids, i): TextToScore => ({
  promptIds: ids.slice(0, batch.prompt_lengths[i]), completionIds: ids.slice(batch.prompt_lengths[i]), completionBytes: 3 * ids.length,
}));

let execution: Execution;
beforeAll(async () => {
  execution = await openExecution(openNode(), { config, weights }, { lora, dropout: 0, maxPositions: 64, tokens: [] });
});
afterAll(() => execution.dispose());

/** From transformers' logits, [rows, longest, vocab]. */
function expected(which: string, row: number): number[] {
  const { data, shape } = referenceTensors("qwen2-tied/logits.safetensors").get(which)!;
  const [, longest, vocab] = shape as [number, number, number];
  const ids = batch.rows[row]!;
  return Array.from({ length: ids.length - Math.max(1, batch.prompt_lengths[row]!) }, (_, i) => {
    const t = Math.max(1, batch.prompt_lengths[row]!) + i;
    const logits = Array.from(data.subarray((row * longest + t - 1) * vocab, (row * longest + t) * vocab));
    return logits[ids[t]!]! - Math.log(logits.reduce((sum, l) => sum + Math.exp(l), 0));
  });
}

describe("scoreTexts", () => {
  it.each([["base", null], ["adapter", adapter]] as const)("gives transformers' log-probabilities, in any batches: %s", async (which, used) => {
    for (const maxBatchTokens of [1, 20, 4096]) {
      const scores = await scoreTexts(execution, texts, used, { maxBatchTokens });
      scores.forEach((score, i) => {
        const wanted = expected(which, i);
        expect(score.tokens).toBe(wanted.length);
        expect(score.tokenLogProbs).toHaveLength(wanted.length);
        wanted.forEach((p, k) => expect(Math.abs(score.tokenLogProbs[k]! - p)).toBeLessThan(1e-4));
        const sum = wanted.reduce((a, b) => a + b, 0);
        expect(Math.abs(score.logProb - sum)).toBeLessThan(1e-3);
        expect(score.bitsPerByte).toBeCloseTo(-sum / Math.LN2 / texts[i]!.completionBytes, 4);
      });
    }
  });

  it("batches rows of like length, keeps to the size, and tells how far it is", async () => {
    const sizes: number[][] = [];
    const counted = { score: (made: Batch) => {
      sizes.push([...made.feeds.positions.shape]);
      return Promise.resolve(new Float32Array(made.completionTokens).fill(1));
    } };
    const done: number[] = [];
    const lengths = [9, 2, 5, 30, 4, 9, 1];
    const scores = await scoreTexts(counted, lengths.map((n) => ({ promptIds: [1], completionIds: Array<number>(n).fill(2), completionBytes: n })), null, { maxBatchTokens: 20, onProgress: (n) => void done.push(n) });
    expect(sizes).toEqual([[3, 5], [2, 10], [1, 10], [1, 31]]);
    expect(done).toEqual([3, 5, 6, 7]);
    expect(scores.map((s) => s.tokens)).toEqual(lengths);
    expect(scores.map((s) => s.logProb)).toEqual(lengths.map((n) => -n));
  });

  it("does not score what nothing predicts", async () => {
    const [one, none, empty] = await scoreTexts(execution, [
      { promptIds: [], completionIds: [5, 6], completionBytes: 2 }, { promptIds: [], completionIds: [5], completionBytes: 1 }, { promptIds: [5], completionIds: [], completionBytes: 0 },
    ], null);
    expect(one!.tokens).toBe(1);
    const [same] = await scoreTexts(execution, [{ promptIds: [5], completionIds: [6], completionBytes: 1 }], null);
    expect(one!.logProb).toBeCloseTo(same!.logProb, 5);
    expect(none).toEqual({ tokens: 0, logProb: 0, tokenLogProbs: new Float32Array(0), bitsPerByte: 0 });
    expect(empty).toEqual({ tokens: 0, logProb: 0, tokenLogProbs: new Float32Array(0), bitsPerByte: null });
  });

  it("stops when asked", async () => {
    await expect(scoreTexts(execution, texts, null, { stopped: () => true })).rejects.toMatchObject({ code: "generate/stopped" });
  });
});
