import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openExecution } from "../execution/open";
import type { Execution } from "../execution/types";
import { openNode } from "../runtime/node";
import { referenceModel } from "../testing/reference";
import { randomExamples, settings } from "../testing/tiny";
import { TOKEN_ROWS } from "../adapter/tensors";
import { executionSettings, SftTrainer, startingAdapter } from "./trainer";

const { config: model, weights } = referenceModel("qwen2-tied");
const config = settings();
const lone = { ids: [5], promptLength: 0, documentId: "lone", completionBytes: 1 };
const cut = { ids: [5, 6, 7], promptLength: 3, documentId: "cut", completionBytes: 0 };
let execution: Execution, trainer: SftTrainer;
beforeAll(async () => {
  execution = await openExecution(openNode(), { config: model, weights }, executionSettings(config));
  trainer = SftTrainer.on(execution, model, config, startingAdapter(model, weights, config));
});
afterAll(() => execution.dispose());

describe("examples of which nothing is scored", () => {
  it("have no loss when they are measured, alone or among others", async () => {
    expect(await trainer.evaluate([lone, cut])).toEqual([{ nll: 0, tokens: 0 }, { nll: 0, tokens: 0 }]);
    const [a, b] = randomExamples("scored", 2) as [typeof lone, typeof lone];
    const [first, none, second, other] = await trainer.evaluate([a, lone, b, cut], 2);
    expect([none, other]).toEqual([{ nll: 0, tokens: 0 }, { nll: 0, tokens: 0 }]);
    expect([first, second]).toEqual(await trainer.evaluate([a, b], 2));
    expect(first!.nll).toBeGreaterThan(0);
  });
  it("change nothing in a step", async () => {
    expect(await trainer.step([[lone], [cut]], 0.1)).toMatchObject({ loss: 0, gradNorm: 0, completionTokens: 0 });
  });
});

describe("startingAdapter", () => {
  it("begins with the model's own rows of trained tokens, and near the mean with those that are new, rows of the model's or not", () => {
    const width = model.hiddenSize, table = weights.get("model.embed_tokens.weight")!;
    const tokens = settings({ lora: { trainableTokenIndices: [7, 90, model.vocabSize] } });
    const rows = startingAdapter(model, weights, tokens, [90]).get(TOKEN_ROWS)!;
    const row = (of: Float32Array, i: number) => of.subarray(i * width, (i + 1) * width);
    expect(row(rows, 0)).toEqual(row(table, 7));
    const mean = Array.from({ length: width }, (_, k) => table.reduce((sum, value, i) => (i % width === k ? sum + value : sum), 0) / model.vocabSize);
    for (const i of [1, 2]) row(rows, i).forEach((value, k) => expect(Math.abs(value - mean[k]!)).toBeLessThan(1e-3));
    expect(row(startingAdapter(model, weights, tokens).get(TOKEN_ROWS)!, 1)).toEqual(row(table, 90));
  });
});
