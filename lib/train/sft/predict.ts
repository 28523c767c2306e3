/**
 * What a run will take, before it starts: time from the work there is and the
 * speed of this device, memory from the sizes that also choose the execution
 * (execution/choose.ts). Estimates, said with how sure they are; words for the
 * page are in predict-words.ts.
 */
import { choosePlan, executionSizes, SCORING_APART_BYTES, type MemoryLimits } from "../execution/choose";
import type { ExecutionPlan } from "../execution/types";
import type { ModelConfig } from "../model/config";
import type { Storage } from "../model/held";
import type { DeviceReport } from "../../store/types";
import type { SftConfig } from "./config";
import type { Speed } from "./speed";
import { adapterParameters, estimateWork, forwardFlops, measuringPass, stepPass, trainFlops, type RunWork, type Writing } from "./work";

export interface PredictedModel {
  config: ModelConfig;
  storage: Storage;
  /** As held in memory. */
  weightBytes: number;
}

export interface PredictedDevice {
  kind: DeviceReport["kind"];
  limits: MemoryLimits;
  speed: Speed;
}

export interface Span {
  what: "start" | "steps" | "checks" | "end";
  seconds: number;
}

export interface MemoryPart {
  what: "weights" | "copies" | "activations" | "head" | "work" | "adapter" | "page";
  label: string;
  bytes: number;
}

export interface RunPrediction {
  seconds: { low: number; likely: number; high: number };
  /** Of the likely time; nothing in it is 0 but by rounding. */
  spans: Span[];
  peakBytes: number;
  /** They add up to the peak. */
  parts: MemoryPart[];
  fits: "yes" | "tight" | "no";
  /** Sentences that say what to change, most useful first; empty where all is well. */
  advice: string[];
  plan: ExecutionPlan;
  work: RunWork;
  /** What the time goes by. */
  from: Speed["from"];
}

/** Opening the runtime, its self-test and small graphs; then the weights are read and laid out. */
const OPEN_SECONDS = 2, LOAD_BYTES_PER_SECOND = 100e6;
/** A sample at each check: tokens, and the time of one beside reading all weights. */
const SAMPLE_TOKENS = 56, TOKEN_SECONDS = 0.005, READ_BYTES_PER_SECOND = 8e9;
/** Around each step and batch: feeding and fetching. */
const STEP_SECONDS = 0.005;
/** Loading hardly depends on the device's speed. */
const START_SPREAD = 2;

/** Page, runtime and what JavaScript keeps around: in a tab, and in Node. */
const PAGE_BYTES = { tab: 250e6, node: 150e6 };
/** Copies of the adapter's numbers, 4 bytes each: itself, gradients, the best, the generator's, and a checkpoint of all that is written. */
const ADAPTER_COPIES = 7;
/** Each step needs the head in slices when streamed, see execution/head.ts. */
const STREAMED_HEAD_BYTES = 64e6 + 80e6;
/** Streamed, the largest matrix stands as floats while it is used, with what the runtime's allocator rounds up (see choose.ts). */
const WIDENED_COPIES = 5;
/** Sessions beside training that hold the weights: the samples' generator. */
const OTHER_COPIES = 1;
/** More than this share of what a page may reckon with is tight. */
const TIGHT = 0.75;

export function predictRun(config: SftConfig, model: PredictedModel, device: PredictedDevice, writing: Writing): RunPrediction {
  const work = estimateWork(config, writing);
  const memory = predictMemory(config, model, device, writing);
  const spans = timeSpans(config, model, device.speed, work, memory.plan);
  const of = (what: Span["what"]) => spans.find((span) => span.what === what)!.seconds;
  const start = of("start"), rest = of("steps") + of("checks") + of("end");
  const { spread, from } = device.speed;
  const seconds = { low: start / START_SPREAD + rest / spread, likely: start + rest, high: start * START_SPREAD + rest * spread };
  return { ...memory, seconds, spans, work, from, advice: [...memoryAdvice(config, memory), ...timeAdvice(seconds.likely, config, work)] };
}

function timeSpans(config: SftConfig, model: PredictedModel, { flopsPerSecond, checkSeconds }: Speed, work: RunWork, plan: ExecutionPlan): Span[] {
  const compute = (flops: number) => flops / flopsPerSecond;
  const measuring = (examples: number) => compute(forwardFlops(model.config, config.lora, measuringPass(work, examples)));
  const sample = SAMPLE_TOKENS * (TOKEN_SECONDS + model.weightBytes / READ_BYTES_PER_SECOND);
  const step = compute(trainFlops(model.config, config.lora, stepPass(work), plan.recompute)) + STEP_SECONDS * config.gradientAccumulationSteps;
  return [
    { what: "start", seconds: OPEN_SECONDS + model.weightBytes / LOAD_BYTES_PER_SECOND },
    { what: "steps", seconds: work.steps * step },
    { what: "checks", seconds: work.checks * (checkSeconds ?? measuring(work.checkExamples) + sample) },
    { what: "end", seconds: 2 * measuring(work.testExamples) },
  ];
}

type Memory = Pick<RunPrediction, "peakBytes" | "parts" | "fits" | "plan">;

function predictMemory(config: SftConfig, { config: model, storage, weightBytes }: PredictedModel, { kind, limits }: PredictedDevice, { longestTokens = Infinity }: Writing): Memory {
  const sizesFor = (seq: number) => executionSizes(model, { storage, weightBytes }, { batch: config.batchSize, seq });
  // The run reckons with the longest row that there could be, and then takes what its rows need.
  const plan = choosePlan(sizesFor(config.maxLength), limits, OTHER_COPIES);
  const sizes = sizesFor(config.packing ? config.maxLength : Math.min(config.maxLength, longestTokens));
  const whole = plan.kind === "whole";
  // As choosePlan counts: the whole execution holds them in every session, a streamed one where it copies them to a device.
  const copies = whole ? 1 + OTHER_COPIES + (weightBytes <= SCORING_APART_BYTES ? 1 : 0) : limits.uploads === true ? 1 + OTHER_COPIES : 0;
  const adapter = 4 * adapterParameters(model, config.lora) + 4 * config.lora.trainableTokenIndices.length * model.hiddenSize * (model.tieWordEmbeddings ? 1 : 2);
  const moments = config.optim === "adamw_8bit" ? 0.5 : 2;
  const parts: MemoryPart[] = [
    { what: "weights", label: "The model", bytes: weightBytes },
    { what: "copies", label: "Copies of it that compute", bytes: copies * weightBytes },
    { what: "activations", label: "What a step keeps on its way", bytes: whole || !plan.recompute ? sizes.activationBytes : (2 * sizes.activationBytes) / model.numLayers },
    { what: "head", label: "Choosing among all words", bytes: whole ? sizes.logitsBytes : Math.min(sizes.logitsBytes, STREAMED_HEAD_BYTES) },
    { what: "work", label: "Weights while they are used", bytes: whole ? sizes.workBytes : storage === "f32" ? 0 : WIDENED_COPIES * 4 * model.hiddenSize * model.intermediateSize },
    // Moments once to work with, once in a checkpoint that is being written.
    { what: "adapter", label: "The adapter and its memory of earlier steps", bytes: adapter * (ADAPTER_COPIES + 2 * moments) },
    { what: "page", label: "The page and what computes", bytes: kind === "node" ? PAGE_BYTES.node : PAGE_BYTES.tab },
  ];
  const bytes = (...of: MemoryPart["what"][]) => parts.reduce((sum, part) => sum + (of.includes(part.what) ? part.bytes : 0), 0);
  const peakBytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const heapBytes = bytes("copies", "activations", "head", "work");
  const load = Math.max(peakBytes / limits.totalBytes, heapBytes / limits.heapBytes);
  return { peakBytes, parts, plan, fits: load <= TIGHT ? "yes" : load <= 1 ? "tight" : "no" };
}

/** A longer wait is worth a word. */
const LONG_SECONDS = 20 * 60;

function memoryAdvice(config: SftConfig, { parts, fits, plan }: Memory): string[] {
  if (fits === "yes") return [];
  const bytes = (what: MemoryPart["what"]) => parts.find((part) => part.what === what)!.bytes;
  const byText = bytes("activations") + bytes("head");
  const ways: [bytes: number, text: string][] = [
    [config.batchSize > 1 ? byText : 0, `Lower the batch size (now ${config.batchSize}); as many more accumulated batches keep the steps as they are.`],
    [config.maxLength > 256 ? byText * 0.99 : 0, `Cut examples sooner (now at ${config.maxLength} tokens).`],
    [bytes("weights") + bytes("copies") + bytes("work"), "Choose a smaller model, or hold this one in fewer bits."],
    [bytes("adapter"), config.optim === "adamw" ? "Choose the optimizer in 8 bits, or a lower rank." : "Choose a lower rank."],
  ];
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  const useful = ways.filter(([size]) => size > 0.1 * total).sort(([a], [b]) => b - a).map(([, text]) => text);
  const streamed = plan.kind === "streamed" ? [] : ["Close other tabs and programs first."];
  return [...useful, ...streamed];
}

function timeAdvice(seconds: number, config: SftConfig, work: RunWork): string[] {
  if (seconds <= LONG_SECONDS) return [];
  const fewer = config.maxSteps > 0 ? "fewer steps" : "fewer passes";
  return [`For a first look turn the dial to Quick, or choose ${fewer}${work.steps < 8 ? ", or a smaller model" : ""}: you can stop at any time and keep what it has learned.`];
}
