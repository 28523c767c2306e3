/** For the specs: the engine's page, tiny cases from the committed reference data, and the comparison with Node. */
import { expect, test as base, type Page } from "@playwright/test";
import { openNode } from "../../lib/train/runtime/node";
import { gradientName } from "../../lib/train/model/graphs";
import { LARGE_MODEL_DEFAULTS, PROJECTIONS } from "../../lib/train/sft/config";
import type { TokenizedExample } from "../../lib/train/sft/batch";
import { adapterFromPeft } from "../../lib/train/adapter/peft";
import { flatAdapter, referenceBytes, referenceJson, referenceModel, referenceTensors, relativeL2 } from "../../lib/train/testing/reference";
import { linearWithWarmup } from "../../lib/train/optimizer/schedule";
import type { Harness, Outcome } from "./harness";
import { serveEngine, type EngineServer } from "./server";
import { measure, type Measured, type TinyCase, type Values } from "./tiny";

export const MODELS = ["qwen2-tied", "qwen3-untied"];
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
  const reference = referenceModel(name);
  const { config, weights, examples } = reference;
  const { settings: s, micro_batches } = referenceJson("sft-trajectory/data.json") as Trajectory;
  const folder = `sft-trajectory/${name}/initial`;
  const start = adapterFromPeft(new TextDecoder().decode(referenceBytes(`${folder}/adapter_config.json`)), referenceBytes(`${folder}/adapter_model.safetensors`), config);
  const { tensors, ...lora } = reference.adapter("adapter");
  const batches = micro_batches.map(({ rows, prompt_lengths }): TokenizedExample[] =>
    rows.map((ids, i) => ({ ids, promptLength: prompt_lengths[i]!, documentId: String(i), completionBytes: 0 })));
  return {
    name, config, lora, examples,
    weights: Object.fromEntries(weights),
    adapter: Object.fromEntries(flatAdapter({ tensors, ...lora })),
    start: Object.fromEntries(flatAdapter(start)),
    sft: {
      ...LARGE_MODEL_DEFAULTS,
      lora: { rank: s.lora_r, alpha: s.lora_alpha, dropout: 0, targetModules: PROJECTIONS, useRslora: false, trainableTokenIndices: [] },
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
  const known = inNode.get(tiny.name) ?? measure(openNode(), tiny, false);
  inNode.set(tiny.name, known);
  return known;
}

/** What PyTorch and PEFT computed, as far as it is committed: LoRA gradients in float64 and the log of a run. */
export function pytorchValues(tiny: TinyCase, steps: boolean): Values {
  const gradients = referenceTensors(`${tiny.name}/adapter_gradients.safetensors`);
  const { losses } = referenceJson(`${tiny.name}/batch.json`) as { losses: { adapter: number } };
  const log = referenceJson(`sft-trajectory/${tiny.name}/log.json`) as { loss: number[]; grad_norm: number[] };
  return {
    tensors: Object.fromEntries(Object.keys(tiny.adapter).map((name) => [`lora ${gradientName(name)}`, gradients.get(`base_model.model.model.${name}.weight`)!.data])),
    scalars: {
      "lora loss": losses.adapter,
      ...Object.fromEntries(log.loss.slice(0, steps ? STEPS : 0).flatMap((loss, i) => [[`step ${i + 1} loss`, loss], [`step ${i + 1} gradient norm`, log.grad_norm[i]!]])),
    },
  };
}

/** Kinds of values, by the beginnings of their names. */
const KINDS = ["lora loss", "lora grad", "full loss", "full grad", "logits", "present", "step", "after the steps", "trained"];

export interface Deviation {
  kind: string;
  /** Relative L2 of a tensor, relative difference of a number. */
  worst: number;
  of: string;
}

/** The largest deviation of each kind; both must hold the same values. */
export function deviations(actual: Values, expected: Values): Deviation[] {
  expect(Object.keys(actual.tensors).sort()).toEqual(Object.keys(expected.tensors).sort());
  expect(Object.keys(actual.scalars).sort()).toEqual(Object.keys(expected.scalars).sort());
  const all = [
    ...Object.entries(expected.tensors).map(([of, data]) => ({ of, worst: relativeL2(actual.tensors[of]!, data) })),
    ...Object.entries(expected.scalars).map(([of, value]) => ({ of, worst: Math.abs(actual.scalars[of]! / value - 1) })),
  ].map(({ of, worst }) => ({ of, worst: Number.isNaN(worst) ? Infinity : worst }));
  return KINDS.flatMap((kind) => {
    const [first] = all.filter(({ of }) => of.startsWith(kind)).sort((a, b) => b.worst - a.worst);
    return first ? [{ kind, ...first }] : [];
  });
}

/** Into the test's report, where the numbers of a passing run can be read. */
export function report(what: string, found: readonly Deviation[]): void {
  for (const { kind, worst, of } of found) test.info().annotations.push({ type: what, description: `${kind}: ${worst.toExponential(1)} (${of})` });
}
