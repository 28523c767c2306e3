/**
 * What is computed alike in Node and in the browser, to be compared: loss and
 * gradients, optimizer steps, logits and greedy tokens of a tiny model. Runs in
 * the worker of harness.ts and in the specs; knows no browser and no Node.
 */
import { Generator } from "../../lib/train/generate/generator";
import type { ModelConfig } from "../../lib/train/model/config";
import { generationGraph, gradientName, trainingGraph } from "../../lib/train/model/graphs";
import { adapterShapes, type LoraShape } from "../../lib/train/model/lora";
import { weightShapes } from "../../lib/train/model/weights";
import type { Backend } from "../../lib/train/runtime/backend";
import { f32, i32, i64, Session } from "../../lib/train/runtime/session";
import { collate, type TokenizedExample } from "../../lib/train/sft/batch";
import type { SftConfig } from "../../lib/train/sft/config";
import { adapterFeeds, SftTrainer } from "../../lib/train/sft/trainer";

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

export interface Measured {
  /** Compared by relative L2, each by itself. */
  tensors: Tensors;
  /** Compared relatively. */
  scalars: Record<string, number>;
  tokens: number[][];
}

export const MAX_POSITIONS = 64;
const GREEDY_TOKENS = 12;

export const mapOf = (tensors: Tensors) => new Map(Object.entries(tensors));

/** Everything that must be the same wherever it is computed. */
export async function measure(backend: Backend, tiny: TinyCase): Promise<Measured> {
  const result: Measured = { tensors: {}, scalars: {}, tokens: [] };
  await loraGradients(backend, tiny, result);
  await fullGradients(backend, tiny, result);
  await logits(backend, tiny, result);
  await optimizerSteps(backend, tiny, result);
  await greedyTokens(backend, tiny, result);
  return result;
}

/** Inputs of a training graph for the examples as one batch. */
export function trainingFeeds(tiny: TinyCase) {
  const { feeds, rowOf, completionTokens } = collate(tiny.examples);
  return { ...feeds, rowOf, weights: f32(new Float32Array(completionTokens).fill(1 / completionTokens), [completionTokens, 1]) };
}

export const loraTrainingGraph = ({ config, lora, weights }: TinyCase) =>
  trainingGraph(config, { kind: "lora", lora, dropout: false }, mapOf(weights), MAX_POSITIONS);

export const adapterInputs = ({ config, lora, adapter }: TinyCase) => adapterFeeds(mapOf(adapter), adapterShapes(config, lora));

async function loraGradients(backend: Backend, tiny: TinyCase, result: Measured): Promise<void> {
  const session = await Session.create(backend, loraTrainingGraph(tiny));
  const out = await session.run({ ...trainingFeeds(tiny), ...adapterInputs(tiny) });
  await session.dispose();
  result.scalars["lora loss"] = out["loss"]!.data[0] as number;
  for (const name of Object.keys(tiny.adapter)) result.tensors[`lora ${gradientName(name)}`] = out[gradientName(name)]!.data as Float32Array;
}

async function fullGradients(backend: Backend, tiny: TinyCase, result: Measured): Promise<void> {
  const shapes = weightShapes(tiny.config);
  const names = [...shapes.keys()];
  const session = await Session.create(backend, trainingGraph(tiny.config, { kind: "full", names }, mapOf(tiny.weights), MAX_POSITIONS));
  const out = await session.run({ ...trainingFeeds(tiny), ...Object.fromEntries(names.map((n) => [n, f32(tiny.weights[n]!, shapes.get(n)!)])) });
  await session.dispose();
  result.scalars["full loss"] = out["loss"]!.data[0] as number;
  for (const name of names) result.tensors[`full ${gradientName(name)}`] = out[gradientName(name)]!.data as Float32Array;
}

/** Of every real position under the adapter, keys and values of every layer too. */
async function logits(backend: Backend, tiny: TinyCase, result: Measured): Promise<void> {
  const { config, lora, examples } = tiny;
  const session = await Session.create(backend, generationGraph(config, lora, mapOf(tiny.weights), MAX_POSITIONS));
  const { ids, positions, mask } = collate(examples).feeds;
  const [rows, seq] = positions.shape as [number, number];
  const masks = new Float32Array(rows * seq * seq);
  for (let b = 0; b < rows; b++) masks.set(mask.data as Float32Array, b * seq * seq);
  const empty = f32(new Float32Array(0), [rows, config.numKeyValueHeads, 0, config.headDim]);
  const real = examples.flatMap((e, b) => e.ids.map((_, t) => b * seq + t));
  const out = await session.run({
    ids, positions: i64(positions.data as BigInt64Array, [rows, seq]), mask: f32(masks, [rows, 1, seq, seq]),
    last: i32(Int32Array.from(real), [real.length]),
    adapterScale: f32(new Float32Array(rows * seq).fill(lora.alpha / lora.rank), [rows * seq, 1]),
    ...adapterInputs(tiny),
    ...Object.fromEntries(Array.from({ length: config.numLayers }, (_, l) => [[`past.${l}.key`, empty], [`past.${l}.value`, empty]]).flat()),
  });
  await session.dispose();
  for (const [name, { data }] of Object.entries(out)) result.tensors[name] = data as Float32Array;
}

async function optimizerSteps(backend: Backend, tiny: TinyCase, result: Measured): Promise<void> {
  const start = new Map(Object.entries(tiny.start).map(([name, data]) => [name, data.slice()]));
  const trainer = await SftTrainer.create(backend, tiny.config, mapOf(tiny.weights), tiny.sft, start);
  for (const [index, { microBatches, learningRate }] of tiny.steps.entries()) {
    const { loss, gradNorm } = await trainer.step(microBatches, learningRate);
    result.scalars[`step ${index + 1} loss`] = loss;
    result.scalars[`step ${index + 1} gradient norm`] = gradNorm;
  }
  const losses = await trainer.evaluate(tiny.examples, 2);
  losses.forEach(({ nll }, i) => (result.scalars[`after the steps, nll of example ${i}`] = nll));
  for (const [name, data] of trainer.adapter) result.tensors[`trained ${name}`] = data;
  await trainer.dispose();
}

/** Prompts of different lengths in one batch, base and adapted side by side. */
async function greedyTokens(backend: Backend, tiny: TinyCase, result: Measured): Promise<void> {
  const generator = await Generator.create(backend, tiny.config, mapOf(tiny.weights), tiny.lora, MAX_POSITIONS);
  const rows = tiny.examples.flatMap((e, i) => [false, true].map((adapted) => ({ promptIds: e.ids, adapted, seed: i })));
  const written = await generator.generate(rows, { temperature: 0, topP: 1, maxNewTokens: GREEDY_TOKENS, stopTokenIds: [] }, mapOf(tiny.adapter));
  await generator.dispose();
  result.tokens = written.map(({ tokens }) => tokens);
}
