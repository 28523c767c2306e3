/** For the specs: the engine's page, tiny cases from the committed reference data, and the comparison with Node. */
import { expect, test as base, type Page } from "@playwright/test";
import { openNode } from "../../lib/train/runtime/node";
import { PROJECTIONS } from "../../lib/train/sft/config";
import type { TokenizedExample } from "../../lib/train/sft/batch";
import { adapterFromPeft } from "../../lib/train/adapter/peft";
import { flatAdapter, referenceBytes, referenceJson, referenceModel, relativeL2 } from "../../lib/train/testing/reference";
import { linearWithWarmup } from "../../lib/train/optimizer/schedule";
import type { Harness, Outcome } from "./harness";
import { serveEngine, type EngineServer } from "./server";
import { measure, type Measured, type TinyCase } from "./tiny";

export const MODELS = ["qwen2-tied", "qwen3-untied"];
/** The row "Node = Chromium wasm = Chromium WebGPU". */
export const TOLERANCE = 1e-5;
const STEPS = 5;

/** A worker with the engine in a page of its own. */
export interface Engine {
  page: Page;
  call<K extends keyof Harness>(name: K, ...args: Parameters<Harness[K]>): Promise<Value<ReturnType<Harness[K]>>>;
}
type Value<T> = T extends Promise<Outcome<infer V>> ? V : never;

export const test = base.extend<{ engine: Engine; openEngine: (options?: { isolated?: boolean }) => Promise<Engine> }, { servers: { isolated: EngineServer; open: EngineServer } }>({
  servers: [async ({}, use) => {
    const servers = { isolated: await serveEngine(), open: await serveEngine(false) };
    await use(servers);
    await servers.isolated.close();
    await servers.open.close();
  }, { scope: "worker" }],
  openEngine: async ({ browser, servers }, use) => {
    const pages: Page[] = [];
    await use(async ({ isolated = true } = {}) => {
      const page = await browser.newPage();
      pages.push(page);
      await page.goto(isolated ? servers.isolated.origin : servers.open.origin);
      await page.waitForFunction(() => "engine" in globalThis);
      return { page, call: (name, ...args) => callEngine(page, name, args) };
    });
    for (const page of pages) await page.close();
  },
  engine: async ({ openEngine }, use) => use(await openEngine()),
});

async function callEngine<T>(page: Page, name: string, args: unknown[]): Promise<T> {
  const outcome = await page.evaluate(async ([method, values]) => {
    const { engine } = globalThis as unknown as { engine: Record<string, (...values: unknown[]) => Promise<unknown>> };
    return engine[method]!(...values);
  }, [name, args] as const) as Outcome<T>;
  if ("error" in outcome) throw new Error(`${outcome.error.code}: ${outcome.error.message} ${outcome.error.details ?? ""}`);
  return outcome.value;
}

interface Trajectory {
  settings: Record<"steps" | "warmup_steps" | "learning_rate" | "adam_beta1" | "adam_beta2" | "adam_epsilon" | "weight_decay" | "max_grad_norm" | "lora_r" | "lora_alpha" | "gradient_accumulation_steps", number>;
  micro_batches: { rows: number[][]; prompt_lengths: number[] }[];
}

export function tinyCase(name: string): TinyCase {
  const { config, weights, examples, adapter } = referenceModel(name);
  const { settings: s, micro_batches } = referenceJson("sft-trajectory/data.json") as Trajectory;
  const folder = `sft-trajectory/${name}/initial`;
  const start = adapterFromPeft(new TextDecoder().decode(referenceBytes(`${folder}/adapter_config.json`)), referenceBytes(`${folder}/adapter_model.safetensors`), config);
  const { tensors, ...lora } = adapter("adapter");
  const batches = micro_batches.map(({ rows, prompt_lengths }): TokenizedExample[] =>
    rows.map((ids, i) => ({ ids, promptLength: prompt_lengths[i]!, documentId: String(i), completionBytes: 0 })));
  return {
    name, config, lora, examples,
    weights: Object.fromEntries(weights),
    adapter: Object.fromEntries(flatAdapter({ tensors, ...lora })),
    start: Object.fromEntries(flatAdapter(start)),
    sft: {
      lora: { rank: s.lora_r, alpha: s.lora_alpha, dropout: 0, targetModules: PROJECTIONS },
      learningRate: s.learning_rate, warmupRatio: 0, epochs: 1, batchSize: 2, gradientAccumulationSteps: s.gradient_accumulation_steps,
      maxGradNorm: s.max_grad_norm, weightDecay: s.weight_decay, adamBeta1: s.adam_beta1, adamBeta2: s.adam_beta2, adamEpsilon: s.adam_epsilon,
      maxLength: 64, evaluations: 1, seed: 1,
    },
    steps: Array.from({ length: STEPS }, (_, i) => ({
      microBatches: batches.slice(i * s.gradient_accumulation_steps, (i + 1) * s.gradient_accumulation_steps),
      learningRate: s.learning_rate * linearWithWarmup(i, s.steps, s.warmup_steps),
    })),
  };
}

const inNode = new Map<string, Promise<Measured>>();

export function measuredInNode(tiny: TinyCase): Promise<Measured> {
  const known = inNode.get(tiny.name) ?? measure(openNode(), tiny);
  inNode.set(tiny.name, known);
  return known;
}

/** Largest deviation of each group of numbers, and what it belongs to. */
export function deviations(actual: Measured, expected: Measured): Map<string, { worst: number; of: string }> {
  const groups = new Map<string, { worst: number; of: string }>();
  const note = (name: string, error: number) => {
    const group = name.split(" ").filter((word) => !/\d|\.|:/.test(word)).join(" ") || name.replace(/\.\d+\./, " ");
    const known = groups.get(group);
    if (!known || !(error <= known.worst)) groups.set(group, { worst: error, of: name });
  };
  expect(Object.keys(actual.tensors)).toEqual(Object.keys(expected.tensors));
  expect(Object.keys(actual.scalars)).toEqual(Object.keys(expected.scalars));
  for (const [name, data] of Object.entries(expected.tensors)) note(name, relativeL2(actual.tensors[name]!, data));
  for (const [name, value] of Object.entries(expected.scalars)) note(name, Math.abs(actual.scalars[name]! / value - 1));
  return groups;
}
