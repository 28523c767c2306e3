/**
 * What is computed alike in Node and in the browser, to be compared: loss and
 * gradients, optimizer steps, logits and greedy tokens of a tiny model. Runs in
 * the worker of harness.ts and in the specs; knows no browser and no Node.
 */
import { openExecution } from "../../lib/train/execution/open";
import { packedFeeds } from "../../lib/train/execution/whole";
import { Generator } from "../../lib/train/generate/generator";
import { generationGraph } from "../../lib/train/generate/graphs";
import type { ModelConfig } from "../../lib/train/model/config";
import { gradientName, trainingGraph } from "../../lib/train/model/graphs";
import type { LoraShape } from "../../lib/train/model/lora";
import type { Backend } from "../../lib/train/runtime/backend";
import { Session } from "../../lib/train/runtime/session";
import { collate, type TokenizedExample } from "../../lib/train/sft/batch";
import type { SftConfig } from "../../lib/train/sft/config";
import { SftTrainer } from "../../lib/train/sft/trainer";
import { fullGradients, lossFeeds, promptFeeds, weightFeeds } from "../../lib/train/testing/feeds";

export type Tensors = Record<string, Float32Array>;

/** A tiny model with all that is done to it; plain data, so that it crosses into the page. */
export interface TinyCase {
  name: string;
  config: ModelConfig;
  weights: Tensors;
  lora: LoraShape;
  adapter: Tensors;
  examples: TokenizedExample[];
  /** Five optimizer steps: where they start, their micro-batches and rates. */
  sft: SftConfig;
  start: Tensors;
  steps: { microBatches: TokenizedExample[][]; learningRate: number }[];
}

export interface Values {
  /** Compared by relative L2, each by itself. */
  tensors: Tensors;
  /** Compared relatively. */
  scalars: Record<string, number>;
}

export interface Measured {
  /**
   * Compared with Node's, closely, where float32 allows it: with half the
   * reference's adapter and about a seventh of its rates. The whole adapter
   * makes the attention of qwen2-tied so sharp that float32 itself, PyTorch's
   * too, is 1e-5 off; and Adam's division turns rounding into 1e-5 of a tensor
   * where single gradients are near zero.
   */
  close: Values;
  /** Compared with PyTorch's, at the reference's own adapter and rates. */
  reference: Values;
  tokens: number[][];
}

export const MAX_POSITIONS = 64;
const GREEDY_TOKENS = 12;
const CLOSE_RATE = 0.15;

export const mapOf = (tensors: Tensors) => new Map(Object.entries(tensors));

/**
 * Everything that must be the same wherever it is computed.
 *
 * @param referenceSteps whether to take PyTorch's five steps too, beside those to be compared closely
 */
export async function measure(backend: Backend, tiny: TinyCase, referenceSteps: boolean): Promise<Measured> {
  const close: Values = { tensors: {}, scalars: {} };
  const reference: Values = { tensors: {}, scalars: {} };
  // Open to the end: with its last session the runtime forgets its compiled kernels, which the others need too.
  const session = await Session.create(backend, loraTrainingGraph(tiny));
  await loraGradients(backend, tiny, close, reference);
  if (tiny.config.tieWordEmbeddings) await everyGradient(backend, tiny, close); // the tied table takes every way a gradient can
  await logits(backend, tiny, close);
  await optimizerSteps(backend, tiny, CLOSE_RATE, close);
  if (referenceSteps) await optimizerSteps(backend, tiny, 1, reference);
  const tokens = await greedyTokens(backend, tiny);
  await session.dispose();
  return { close, reference, tokens };
}

/** Inputs of a training graph for the examples as one batch. */
export const trainingFeeds = ({ config, weights, examples }: TinyCase) => lossFeeds(config, mapOf(weights), examples);

export const loraTrainingGraph = ({ config, lora, weights }: TinyCase) =>
  trainingGraph(config, { kind: "lora", lora, dropout: false }, mapOf(weights), { maxPositions: MAX_POSITIONS });

/** @param share of the reference's adapter: its B is multiplied by it */
export function sharedAdapter({ adapter }: TinyCase, share: number): Map<string, Float32Array> {
  return new Map(Object.entries(adapter).map(([name, data]) => [name, name.endsWith("lora_B") ? data.map((v) => v * share) : data]));
}

export const adapterInputs = (tiny: TinyCase, share = 1) => packedFeeds(tiny.config, tiny.lora, sharedAdapter(tiny, share));

async function loraGradients(backend: Backend, tiny: TinyCase, close: Values, reference: Values): Promise<void> {
  const { config, lora } = tiny;
  const execution = await openExecution(backend, { config, weights: mapOf(tiny.weights) }, { lora, dropout: 0, maxPositions: MAX_POSITIONS, tokens: [] });
  const batch = collate(tiny.examples);
  const rowWeights = new Float32Array(batch.completionTokens).fill(1 / batch.completionTokens);
  for (const [result, share] of [[close, 0.5], [reference, 1]] as const) {
    const { loss, gradients } = await execution.train(batch, { adapter: sharedAdapter(tiny, share), rowWeights, dropoutSeed: null, noise: null });
    result.scalars["lora loss"] = loss;
    for (const [name, data] of gradients) result.tensors[`lora ${gradientName(name)}`] = data;
  }
  await execution.dispose();
}

async function everyGradient(backend: Backend, tiny: TinyCase, result: Values): Promise<void> {
  const { config, examples } = tiny;
  const weights = mapOf(tiny.weights);
  const model = trainingGraph(config, { kind: "full" }, weights, { maxPositions: MAX_POSITIONS });
  const session = await Session.create(backend, model);
  const out = await session.run({ ...trainingFeeds(tiny), ...weightFeeds(config, weights, model) });
  await session.dispose();
  result.scalars["full loss"] = out["loss"]!.data[0] as number;
  for (const [name, data] of fullGradients(config, weights, examples, out)) result.tensors[`full ${gradientName(name)}`] = data;
}

/** Of every real position under the adapter, keys and values of every layer too. */
async function logits(backend: Backend, tiny: TinyCase, result: Values): Promise<void> {
  const { config, lora, examples } = tiny;
  const session = await Session.create(backend, generationGraph(config, lora, mapOf(tiny.weights), { maxPositions: MAX_POSITIONS }));
  const seq = Math.max(...examples.map((e) => e.ids.length));
  const real = examples.flatMap((e, b) => e.ids.map((_, t) => b * seq + t));
  const out = await session.run(promptFeeds(config, mapOf(tiny.weights), examples, { lora, tensors: mapOf(tiny.adapter) }, real));
  await session.dispose();
  for (const [name, { data }] of Object.entries(out)) result.tensors[name] = data as Float32Array;
}

async function optimizerSteps(backend: Backend, tiny: TinyCase, rate: number, result: Values): Promise<void> {
  const start = new Map(Object.entries(tiny.start).map(([name, data]) => [name, data.slice()]));
  const trainer = await SftTrainer.create(backend, tiny.config, mapOf(tiny.weights), tiny.sft, start);
  for (const [index, { microBatches, learningRate }] of tiny.steps.entries()) {
    const { loss, gradNorm } = await trainer.step(microBatches, rate * learningRate);
    result.scalars[`step ${index + 1} loss`] = loss;
    result.scalars[`step ${index + 1} gradient norm`] = gradNorm;
  }
  const losses = await trainer.evaluate(tiny.examples, 2);
  await trainer.dispose();
  if (rate === 1) return; // PyTorch's later values are of 20 steps
  losses.forEach(({ nll }, i) => (result.scalars[`after the steps, nll of example ${i}`] = nll));
  for (const [name, data] of trainer.adapter) result.tensors[`trained ${name}`] = data;
}

/** Prompts of different lengths in one batch, base and adapted side by side; then with prompts that rows share, and rows that end early. */
async function greedyTokens(backend: Backend, tiny: TinyCase): Promise<number[][]> {
  const generator = await Generator.create(backend, tiny.config, mapOf(tiny.weights), tiny.lora, MAX_POSITIONS);
  const rows = tiny.examples.flatMap((e, i) => [false, true].map((adapted) => ({ promptIds: e.ids, adapted, seed: i })));
  const options = { temperature: 0, topP: 1, maxNewTokens: GREEDY_TOKENS, stopTokenIds: [] };
  const written = await generator.generate(rows, options, mapOf(tiny.adapter));
  const stopTokenIds = [written[0]!.tokens[2]!, written[2]!.tokens[4]!];
  const ended = await generator.generate([...rows, rows[1]!, rows[0]!], { ...options, stopTokenIds }, mapOf(tiny.adapter));
  await generator.dispose();
  return [...written, ...ended].map(({ tokens }) => tokens);
}
