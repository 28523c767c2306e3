/** Both executions, kept and computed-again activations, one and many chunks of the vocabulary: the same numbers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asHeld, randomTokens } from "../testing/held";
import { referenceModel, REFERENCE_MODELS } from "../testing/reference";
import { largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import type { Storage } from "../model/held";
import { liveDeviceTensors } from "../runtime/device-tensor";
import { trainingGraph } from "../model/graphs";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { collate } from "../sft/batch";
import type { ExecutionSettings } from "./feeds";
import { StreamedExecution } from "./streamed";
import type { Execution } from "./types";
import { WholeExecution } from "./whole";

const backend = openNode();
let before = { sessions: 0, tensors: 0 };

beforeEach(() => {
  before = { sessions: openSessions(), tensors: liveDeviceTensors() };
});
afterEach(() => expect({ sessions: openSessions(), tensors: liveDeviceTensors() }).toEqual(before));

interface Variant {
  storage?: Storage;
  dropout?: number;
  tokens?: number[];
  headChunkBytes?: number;
  batchTokens?: number;
}

async function compare(name: string, { storage = "f32", dropout = 0, tokens = [], headChunkBytes, batchTokens }: Variant): Promise<number[]> {
  const { config, weights: plain } = referenceModel(name);
  const weights = asHeld(config, plain, storage);
  const { lora } = settings({ lora: { rank: 3, alpha: 5 } });
  const made: ExecutionSettings = { lora, dropout, maxPositions: 32, batchTokens, tokens };
  // Half of B: the whole of it makes attention so sharp that float32 itself is 1e-6 off.
  const adapter = new Map([...randomLora(config, lora, "streamed")].map(([key, data]) => [key, key.endsWith("lora_B") ? data.map((v) => v / 2) : data]));
  if (tokens.length > 0) adapter.set("tokens", randomTokens(config, tokens.length));
  if (tokens.length > 0 && !config.tieWordEmbeddings) adapter.set("tokens.head", randomTokens(config, tokens.length, "head"));
  const examples = randomExamples("streamed", 4, config.vocabSize);
  if (tokens.length > 0) examples[1] = { ...examples[1]!, ids: [...examples[1]!.ids, tokens[0]!, tokens.at(-1)!] };
  const batch = collate(examples);
  const rowWeights = Float32Array.from({ length: batch.completionTokens }, (_, i) => 0.05 + 0.01 * i);
  const inputs = { adapter, rowWeights, dropoutSeed: "s", noise: null };
  const run = async (execution: Execution) => {
    const trained = await execution.train(batch, inputs);
    const nll = [await execution.score(batch, adapter), await execution.score(batch, null)];
    await execution.dispose();
    return { ...trained, nll };
  };
  const whole = await run(await WholeExecution.create(backend, config, weights, made));
  const distances: number[] = [];
  for (const recompute of [false, true]) {
    const streamed = await run(await StreamedExecution.create(backend, config, weights, made, { recompute, ...(headChunkBytes ? { headChunkBytes } : {}) }));
    expect([...streamed.gradients.keys()].sort()).toEqual([...whole.gradients.keys()].sort());
    distances.push(Math.abs(streamed.loss / whole.loss - 1), gradientDistance(streamed.gradients, whole.gradients));
    // The gradient of a key, nearly a difference of equal sums, is lost in rounding sooner: another size of chunks alone moves it by 1e-6.
    expect(largestDistance(streamed.gradients, whole.gradients)).toBeLessThan(5e-6);
    streamed.nll.forEach((nll, k) => distances.push(largestDistance(new Map([["nll", nll]]), new Map([["nll", whole.nll[k]!]]))));
  }
  expect(largestDistance(new Map([["n", whole.nll[0]!]]), new Map([["n", whole.nll[1]!]]))).toBeGreaterThan(0.01); // the adapter matters
  return distances;
}

/** Relative, of all gradients as one vector. */
const gradientDistance = (a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number => {
  const whole = (gradients: ReadonlyMap<string, Float32Array>) => new Map([["all", Float32Array.from([...b.keys()].flatMap((name) => [...gradients.get(name)!]))]]);
  return largestDistance(whole(a), whole(b));
};

describe("streamed = whole", () => {
  it.each(REFERENCE_MODELS)("%s", async (name) => {
    for (const distance of await compare(name, { headChunkBytes: 4_000 })) expect(distance).toBeLessThan(1e-6);
  });

  it.each([["f16", { storage: "f16" }], ["8-bit", { storage: "q8" }], ["4-bit", { storage: "q4" }], ["dropout", { dropout: 0.3 }]] as [string, Variant][])("%s", async (_, variant) => {
    for (const distance of await compare("qwen2-tied", variant)) expect(distance).toBeLessThan(1e-6);
  });

  it.each(["qwen2-tied", "qwen3-tied"])("updates added to the weights: %s", async (name) => {
    for (const distance of await compare(name, { batchTokens: 1e6 })) expect(distance).toBeLessThan(1e-6);
  });

  it.each(["qwen2-tied", "qwen3-untied"])("trained rows of the vocabulary: %s", async (name) => {
    for (const distance of await compare(name, { tokens: [5, 91, 96], headChunkBytes: 4_000 })) expect(distance).toBeLessThan(1e-6);
  });
});

it.each(["f32", "f16"] as const)("updates added to the weights and to the products: %s", async (storage) => {
  const { config, weights } = referenceModel("qwen2-tied");
  const { lora } = settings({ lora: { rank: 3, alpha: 5 } });
  const adapter = new Map([...randomLora(config, lora, "merged")].map(([key, data]) => [key, key.endsWith("lora_B") ? data.map((v) => v / 2) : data]));
  const batch = collate(randomExamples("merged", 4, config.vocabSize));
  const results = [];
  for (const batchTokens of [undefined, 1e6]) {
    const execution = await WholeExecution.create(backend, config, asHeld(config, weights, storage), { lora, dropout: 0, maxPositions: 32, batchTokens, tokens: [] });
    results.push({ ...await execution.train(batch, { adapter, rowWeights: new Float32Array(batch.completionTokens).fill(0.1), dropoutSeed: null, noise: null }), nodes: trainingGraph(config, { kind: "lora", lora, dropout: false }, weights, { maxPositions: 32, batchTokens }).nodeCount });
    await execution.dispose();
  }
  const [apart, merged] = results as [(typeof results)[0], (typeof results)[0]];
  expect(merged.nodes).not.toBe(apart.nodes);
  expect(Math.abs(merged.loss / apart.loss - 1)).toBeLessThan(1e-6);
  expect(largestDistance(merged.gradients, apart.gradients)).toBeLessThan(1e-5);
});
