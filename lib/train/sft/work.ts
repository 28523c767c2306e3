/**
 * How much there is to do in a run, before it is prepared: examples, tokens,
 * steps and arithmetic, from a look at the writing or from its words alone.
 * prepare.ts and plan.ts make the real ones.
 */
import { DEFAULT_MAX_PROMPT_WORDS, makeExamples } from "../../data/examples";
import { partsOf as textOf, splitDocuments, type PartName, type SplitDocument, type SplitOptions } from "../../data/split";
import { evaluationPoints } from "../loop";
import { projectionShape, type ModelConfig } from "../model/config";
import type { TextTokenizer } from "../model/tokenizer";
import { PROJECTIONS, type LoraConfig, type SftConfig } from "./config";
import { tokenizeExample } from "./prepare";

/** An example's tokens. */
export interface ExampleShape {
  prompt: number;
  completion: number;
}

/** What there is to learn from and to measure on, as far as the work goes. */
export interface Writing {
  /** Of a pass over each part of the split. */
  examples: Readonly<Record<PartName, number>>;
  /** Some of them, to speak for all. */
  shapes: readonly ExampleShape[];
  /** Tokens of the longest example that is likely; absent where it is not known. */
  longestTokens?: number;
}

export interface RunWork {
  /** Examples in a pass that something is learned from. */
  examples: number;
  /** Mean tokens of an example, and those of its completion. */
  exampleTokens: number;
  completionTokens: number;
  steps: number;
  /** Of a step: tokens that are read, tokens that are computed with padding, tokens of a row. */
  stepTokens: number;
  paddedTokens: number;
  rowTokens: number;
  /** Measurements along the run, the one before the first step counted. */
  checks: number;
  /** Examples measured at each, and at the end twice. */
  checkExamples: number;
  testExamples: number;
}

/** Examples that are tokenised to speak for all. */
const LOOKED_AT = 96;
/** Among the others there may be a longer one. */
const LONGER = 1.15;

/** By cutting the text as a run will, and tokenising some of it: hardly slower than reading it once. */
export function lookAtWriting(documents: readonly SplitDocument[], splitSeed: number, tokenizer: TextTokenizer, splitting: SplitOptions = {}): Writing {
  const split = splitDocuments(documents, splitSeed, splitting);
  const cut = (part: PartName) => makeExamples(textOf(split, part), { seed: splitSeed, pass: part === "train" ? 1 : 0 });
  const train = cut("train");
  const every = Math.max(1, Math.floor(train.length / LOOKED_AT));
  const shapes = train.filter((_, i) => i % every === 0).map((example) => {
    const { ids, promptLength } = tokenizeExample(tokenizer, example, Number.MAX_SAFE_INTEGER);
    return { prompt: promptLength, completion: ids.length - promptLength };
  });
  return { examples: { train: train.length, validation: cut("validation").length, test: cut("test").length }, shapes, longestTokens: Math.ceil(LONGER * Math.max(1, ...shapes.map(({ prompt, completion }) => prompt + completion))) };
}

/** Words of the passages that lib/data cuts prose into: short, usual and long ones. */
const PASSAGE_WORDS = [30, 52, 85];
/** Tokens of the template and of the request around what a prompt shows; tokens of key words. */
const TEMPLATE_TOKENS = 14, KEY_WORD_TOKENS = 12;
/** Small vocabularies cut words into more tokens. */
const SMALL_VOCABULARY = 32_000, TOKENS_PER_WORD = { small: 1.5, large: 1.35 };

/** Where nothing is known but the words of each part: usual prose. */
export function roughWriting(words: Readonly<Record<PartName, number>>, vocabSize: number): Writing {
  const perWord = TOKENS_PER_WORD[vocabSize < SMALL_VOCABULARY ? "small" : "large"];
  const usual = mean(PASSAGE_WORDS);
  const count = (part: PartName) => Math.max(1, Math.round(words[part] / usual));
  const prompts = [perWord * Math.min(usual, DEFAULT_MAX_PROMPT_WORDS), KEY_WORD_TOKENS];
  const shapes = PASSAGE_WORDS.flatMap((passage) => prompts.map((shown) => ({ prompt: TEMPLATE_TOKENS + shown, completion: perWord * passage + 1 })));
  return { examples: { train: count("train"), validation: count("validation"), test: count("test") }, shapes };
}

/** Rows of a batch are of similar length where the order is free; packed ones are nearly full. */
const PADDING = { sorted: 1.12, asTheyCome: 1.5, packed: 1.03 };
/** Measured at a check at most, see run.ts. */
const MOST_CHECK_EXAMPLES = 64;

export function estimateWork(config: SftConfig, { examples: counts, shapes }: Writing): RunWork {
  const learned = shapes.filter(({ prompt }) => prompt < config.maxLength); // else nothing is left of the completion
  const seen = learned.length > 0 ? learned : [{ prompt: 1, completion: 1 }];
  const exampleTokens = mean(seen.map(({ prompt, completion }) => Math.min(config.maxLength, prompt + completion)));
  const completionTokens = mean(seen.map(({ prompt, completion }) => Math.min(config.maxLength - prompt, completion)));
  const share = shapes.length === 0 ? 1 : seen.length / shapes.length;
  const kept = (part: PartName) => Math.max(1, Math.round(share * counts[part]));
  const examples = kept("train");
  const rows = config.packing ? Math.ceil((PADDING.packed * examples * exampleTokens) / config.maxLength) : examples;
  const perPass = Math.ceil(Math.ceil(rows / config.batchSize) / config.gradientAccumulationSteps);
  const passes = Math.floor(config.epochs);
  const steps = config.maxSteps > 0 ? config.maxSteps : passes * perPass + Math.ceil((config.epochs - passes) * perPass);
  const stepTokens = (examples * exampleTokens) / perPass;
  return {
    examples, exampleTokens, completionTokens, steps, stepTokens,
    paddedTokens: stepTokens * PADDING[config.packing ? "packed" : config.shuffle ? "sorted" : "asTheyCome"],
    rowTokens: (examples * exampleTokens) / rows,
    checks: 1 + evaluationPoints(steps, config.evaluations, config.evalSteps).length,
    checkExamples: Math.min(MOST_CHECK_EXAMPLES, kept("validation")),
    testExamples: kept("test"),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface Pass {
  tokens: number;
  /** Of a row, for attention over all its pairs. */
  rowTokens: number;
  /** Rows of the head. */
  scored: number;
}

/** Operations of a pass through the model with its adapter, two for each multiply-add. */
export function forwardFlops(model: ModelConfig, lora: Pick<LoraConfig, "rank" | "targetModules">, pass: Pass): number {
  const { blocks, adapter, attention, head } = partsOf(model, lora, pass);
  return blocks + adapter + attention + head;
}

/** Of a pass and its gradients. @param recompute activations are computed again on the way back */
export function trainFlops(model: ModelConfig, lora: Pick<LoraConfig, "rank" | "targetModules">, pass: Pass, recompute = false): number {
  const { blocks, adapter, attention, head } = partsOf(model, lora, pass);
  // Nothing is learned of the frozen matrices: their input's gradient alone. Factors have gradients of their own.
  return 2 * blocks + 3 * adapter + 3 * attention + 2 * head + (recompute ? blocks + adapter + attention : 0);
}

function partsOf(model: ModelConfig, { rank, targetModules }: Pick<LoraConfig, "rank" | "targetModules">, { tokens, rowTokens, scored }: Pass) {
  let blocks = 0, adapter = 0;
  for (const projection of PROJECTIONS) {
    const { in: width, out } = projectionShape(model, projection);
    blocks += 2 * width * out;
    if (targetModules.includes(projection)) adapter += 2 * rank * (width + out);
  }
  const layers = model.numLayers * tokens;
  return { blocks: layers * blocks, adapter: layers * adapter, attention: layers * 4 * model.numHeads * model.headDim * rowTokens, head: 2 * scored * model.hiddenSize * model.vocabSize };
}

/** Numbers of an adapter's factors. */
export function adapterParameters(model: ModelConfig, { rank, targetModules }: Pick<LoraConfig, "rank" | "targetModules">): number {
  return model.numLayers * targetModules.reduce((sum, projection) => {
    const { in: width, out } = projectionShape(model, projection);
    return sum + rank * (width + out);
  }, 0);
}

/** The pass of a step. */
export const stepPass = ({ paddedTokens, rowTokens, stepTokens, exampleTokens, completionTokens }: RunWork): Pass =>
  ({ tokens: paddedTokens, rowTokens, scored: (stepTokens / exampleTokens) * completionTokens });

/** A pass over so many examples to measure them. */
export const measuringPass = ({ exampleTokens, completionTokens }: RunWork, examples: number): Pass =>
  ({ tokens: examples * exampleTokens * PADDING.sorted, rowTokens: exampleTokens, scored: examples * completionTokens });
