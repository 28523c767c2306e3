/** Twenty optimizer steps against PEFT and torch's AdamW in float64 (tools/reference/trajectory.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { adapterFromPeft } from "../adapter/peft";
import { linearWithWarmup } from "../optimizer/schedule";
import { openNode } from "../runtime/node";
import { flatAdapter, referenceBytes, referenceJson, referenceModel, referencePath, referenceTensors, relativeL2 } from "../testing/reference";
import { settings } from "../testing/tiny";
import type { TokenizedExample } from "./batch";
import type { Projection, SftConfig } from "./config";
import { SftTrainer, type StepResult } from "./trainer";

interface Data {
  settings: {
    steps: number; gradient_accumulation_steps: number; warmup_steps: number; learning_rate: number; adam_beta1: number; adam_beta2: number;
    adam_epsilon: number; weight_decay: number; max_grad_norm: number; lora_r: number; lora_alpha: number; lora_dropout: number; target_modules: Projection[];
  };
  micro_batches: { rows: number[][]; prompt_lengths: number[] }[];
}
interface Log { loss: number[]; learning_rate: number[]; grad_norm: number[]; completion_tokens: number[] }

const { settings: s, micro_batches: data } = referenceJson("sft-trajectory/data.json") as Data;
const config = settings({
  lora: { rank: s.lora_r, alpha: s.lora_alpha, dropout: s.lora_dropout, targetModules: s.target_modules },
  learningRate: s.learning_rate, warmupRatio: s.warmup_steps / s.steps, epochs: 1, batchSize: 2, gradientAccumulationSteps: s.gradient_accumulation_steps,
  maxGradNorm: s.max_grad_norm, weightDecay: s.weight_decay, adamBeta1: s.adam_beta1, adamBeta2: s.adam_beta2, adamEpsilon: s.adam_epsilon,
  maxLength: 32, evaluations: 1, seed: 1,
});
const microBatches = data.map((b): TokenizedExample[] =>
  b.rows.map((ids, i) => ({ ids, promptLength: b.prompt_lengths[i]!, documentId: "", completionBytes: 0 })));

async function train(name: string, changes: Partial<SftConfig> = {}, warmup = s.warmup_steps) {
  const model = referenceModel(name);
  const folder = `sft-trajectory/${name}/initial`;
  const start = flatAdapter(adapterFromPeft(readFileSync(referencePath(`${folder}/adapter_config.json`), "utf8"), referenceBytes(`${folder}/adapter_model.safetensors`), model.config));
  const trainer = await SftTrainer.create(openNode(), model.config, model.weights, { ...config, ...changes }, start);
  const results: (StepResult & { learningRate: number })[] = [];
  for (let step = 0; step < s.steps; step++) {
    const learningRate = config.learningRate * linearWithWarmup(step, s.steps, warmup);
    const n = s.gradient_accumulation_steps;
    results.push({ ...(await trainer.step(microBatches.slice(step * n, (step + 1) * n), learningRate)), learningRate });
  }
  await trainer.dispose();
  return { results, adapter: trainer.adapter };
}

/** How far from the reference, in units of the tolerance: 1 or less passes. */
async function misses(name: string, run: Awaited<ReturnType<typeof train>>) {
  const log = referenceJson(`sft-trajectory/${name}/log.json`) as Log;
  const final = referenceTensors(`sft-trajectory/${name}/final_adapter.safetensors`);
  expect(final.size).toBe(run.adapter.size);
  const worst = (values: number[]) => Math.max(...values);
  return {
    loss: worst(run.results.map((r, i) => Math.abs(r.loss - log.loss[i]!) / 1e-4)),
    gradNorm: worst(run.results.map((r, i) => Math.abs(r.gradNorm / log.grad_norm[i]! - 1) / 1e-4)),
    adapter: worst([...run.adapter].map(([key, tensor]) => relativeL2(tensor, final.get(`base_model.model.model.${key}.weight`)!.data) / 1e-3)),
  };
}

describe.each(["qwen2-tied", "qwen3-untied"])("20 steps of %s", (name) => {
  it("losses, norms, rates and the final adapter are those of PEFT and torch", async () => {
    const log = referenceJson(`sft-trajectory/${name}/log.json`) as Log;
    const run = await train(name);
    expect(run.results.map((r) => Number(r.learningRate.toPrecision(9)))).toEqual(log.learning_rate);
    expect(run.results.map((r) => r.completionTokens)).toEqual(log.completion_tokens);
    const miss = await misses(name, run);
    expect(miss.loss).toBeLessThan(1);
    expect(miss.gradNorm).toBeLessThan(1);
    expect(miss.adapter).toBeLessThan(1);
    const clipped = run.results.filter((r) => r.gradNorm > s.max_grad_norm).length;
    expect(clipped).toBeGreaterThan(2);
    expect(clipped).toBeLessThan(s.steps - 2);
  });
});

// Each setting, changed, must be seen: else the test above would not notice that it is ignored.
describe("the comparison notices", () => {
  it.each<[string, Partial<SftConfig>, number?]>([
    ["no clipping", { maxGradNorm: 0 }],
    ["no weight decay", { weightDecay: 0 }],
    ["another beta1", { adamBeta1: 0.89 }],
    ["another beta2", { adamBeta2: 0.99 }],
    ["a warm-up of one step less", {}, 2],
    ["another alpha", { lora: { ...config.lora, alpha: 2.01 } }],
  ])("%s", async (_, changes, warmup) => {
    expect((await misses("qwen3-untied", await train("qwen3-untied", changes, warmup))).adapter).toBeGreaterThan(1);
  });
});
