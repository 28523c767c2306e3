/** What is the whole execution's own: what it feeds, and when it holds the weights once more to score. Its numbers are in streamed.test.ts. */
import { expect, it } from "vitest";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { collate } from "../sft/batch";
import type { Projection } from "../sft/config";
import { referenceModel } from "../testing/reference";
import { largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import { SCORING_APART_BYTES } from "./choose";
import { StreamedExecution } from "./streamed";
import { WholeExecution } from "./whole";

const backend = openNode();

it.each<[Projection[]]>([[["o_proj"]], [["gate_proj", "up_proj"]], [["down_proj"]]])("trains one layer of which only what stands behind attention is adapted: %s", async (targetModules) => {
  const { config: deep, weights } = referenceModel("qwen2-tied");
  const config = { ...deep, numLayers: 1 };
  const { lora } = settings({ lora: { targetModules } });
  const made = { lora, dropout: 0, maxPositions: 32, tokens: [] };
  const batch = collate(randomExamples("behind attention", 3));
  const inputs = { adapter: randomLora(config, lora, 1), rowWeights: new Float32Array(batch.completionTokens).fill(0.1), dropoutSeed: null, noise: null };
  const results = [];
  for (const execution of [await WholeExecution.create(backend, config, weights, made), await StreamedExecution.create(backend, config, weights, made, { recompute: false })]) {
    results.push({ ...await execution.train(batch, inputs), nll: await execution.score(batch, inputs.adapter) });
    await execution.dispose();
  }
  const [whole, streamed] = results as [(typeof results)[0], (typeof results)[0]];
  expect(Math.abs(whole.loss / streamed.loss - 1)).toBeLessThan(1e-6);
  expect(largestDistance(whole.gradients, streamed.gradients)).toBeLessThan(1e-5);
  expect(largestDistance(new Map([["nll", whole.nll]]), new Map([["nll", streamed.nll]]))).toBeLessThan(1e-6);
});

it("scores apart while all weights are few enough, those that no graph reads among them, as the plan reckons", async () => {
  const { config, weights } = referenceModel("qwen2-untied");
  const made = { lora: settings().lora, dropout: 0, maxPositions: 16, tokens: [] };
  const before = openSessions();
  // The embedding is read by nobody here, and its zeros take no room until somebody does.
  for (const [bytes, sessions] of [[0, 2], [SCORING_APART_BYTES, 1]] as const) {
    const embedding = new Float32Array(weights.get("model.embed_tokens.weight")!.length + bytes / 4);
    const execution = await WholeExecution.create(backend, config, new Map([...weights, ["model.embed_tokens.weight", embedding]]), made);
    expect(openSessions() - before).toBe(sessions);
    await execution.dispose();
  }
});
