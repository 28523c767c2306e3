import { beforeAll, describe, expect, it } from "vitest";
import { toLoraAdapter } from "../adapter/tensors";
import type { LoraAdapter } from "../adapter/types";
import { openExecution } from "../execution/open";
import type { Execution } from "../execution/types";
import { RunControl } from "../loop";
import { openNode } from "../runtime/node";
import { fault } from "../testing/fault";
import { handDocuments, tinyModel } from "../testing/hand";
import { referenceModel } from "../testing/reference";
import { largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import { machineOf } from "./checkpoint";
import { fineTune } from "./fine-tune";
import { planSteps } from "./plan";
import { runSft } from "./run";
import { poolScore } from "./score";
import { changesNothing, configFrom, requireShape, startFrom } from "./start";
import { executionSettings, scoreExamples, SftTrainer, startingAdapter } from "./trainer";

const backend = openNode();
const { config: model, weights } = referenceModel("qwen2-tied");
const base = settings({ learningRate: 0.01, maxSteps: 4, evaluations: 2 });
const adapter: LoraAdapter = toLoraAdapter(model, base.lora, randomLora(model, base.lora, "start"));
const heldOut = randomExamples("held out", 6);
let execution: Execution;

beforeAll(async () => {
  execution = await openExecution(backend, { config: model, weights }, executionSettings(base));
  return () => execution.dispose();
});

async function losses(start: ReadonlyMap<string, Float32Array>) {
  const found: number[] = [];
  const trainer = SftTrainer.on(execution, model, base, start);
  await fineTune(trainer, planSteps([randomExamples("learned from", 8)], base), heldOut, base, machineOf(backend, weights, execution.plan), new RunControl(), { heldOut: (_, { loss }) => void found.push(loss) });
  return found;
}

describe("a run from an adapter", () => {
  it("starts at that adapter's loss exactly, and not at the base model's", async () => {
    const tensors = new Map([...adapter.tensors].map(([name, { data }]) => [name, data]));
    const own = poolScore(heldOut, await scoreExamples(execution, heldOut, 8, tensors)).loss;
    const [first, , last] = await losses(startFrom(adapter, model, weights, base));
    expect(first).toBe(own);
    expect(last).not.toBe(own);
    const [fresh] = await losses(startingAdapter(model, weights, base));
    expect(Math.abs(fresh! - own)).toBeGreaterThan(0.1);
    expect(fresh).toBe(poolScore(heldOut, await scoreExamples(execution, heldOut, 8, null)).loss);
  });

  it("leaves the adapter itself as it is", async () => {
    const before = new Map([...adapter.tensors].map(([name, { data }]) => [name, data.slice()]));
    const start = startFrom(adapter, model, weights, base);
    await losses(start);
    expect(largestDistance(start, before)).toBeGreaterThan(0);
    for (const [name, { data }] of adapter.tensors) expect(data).toEqual(before.get(name));
  });
});

describe("rank and layers", () => {
  it("are the adapter's, and settings that say otherwise are refused in words", () => {
    const config = configFrom(settings({ learningRate: 0.5, lora: { rank: 9, alpha: 1, dropout: 0.2, targetModules: ["q_proj"], useRslora: true, trainableTokenIndices: [3] } }), adapter);
    expect(config).toMatchObject({ learningRate: 0.5, lora: { rank: 4, alpha: 8, dropout: 0.2, useRslora: false, trainableTokenIndices: [] } });
    requireShape(config, adapter);
    expect(fault(() => requireShape({ ...base, lora: { ...base.lora, rank: 9, useRslora: true } }, adapter))).toMatchObject({
      code: "train/settings", message: "The adapter that this run starts from has rank 4, and the settings say 9; rank-stabilised scale off, and the settings say on.",
    });
    expect(fault(() => startFrom(adapter, model, weights, { lora: { ...base.lora, rank: 9 } } as typeof base)).code).toBe("train/settings");
  });

  it("of another model are refused", () => {
    const other = { ...model, hiddenSize: 2 * model.hiddenSize };
    expect(fault(() => startFrom(adapter, other, weights, base)).code).toBe("adapter/shapes");
    expect(fault(() => startFrom(adapter, { ...model, numLayers: model.numLayers + 1 }, weights, base)).code).toBe("adapter/shapes");
  });
});

it("changesNothing tells a fresh adapter from every other", () => {
  const fresh = startingAdapter(model, weights, base);
  expect(changesNothing(fresh)).toBe(true);
  expect(changesNothing(startFrom(adapter, model, weights, base))).toBe(false);
  const touched = new Map(fresh);
  const name = [...fresh.keys()].find((key) => key.endsWith("lora_B"))!;
  touched.set(name, Float32Array.from(fresh.get(name)!, (value, i) => (i === 5 ? 1e-9 : value)));
  expect(changesNothing(touched)).toBe(false);
  expect(changesNothing(new Map([...fresh, ["tokens", new Float32Array(16)]]))).toBe(false);
});

describe("a whole run on documents", () => {
  const tiny = tinyModel();
  const config = settings({ learningRate: 0.03, batchSize: 8, maxSteps: 3, maxLength: 96, evaluations: 1 });
  const run = (start?: LoraAdapter, changes: Partial<typeof config> = {}) => {
    const heldOutLosses: number[] = [];
    return runSft(backend, tiny, handDocuments(), 1, { ...config, ...changes }, new RunControl(), { heldOut: (_, { loss }) => void heldOutLosses.push(loss) }, start ? { start } : {}).then((result) => ({ ...result, heldOutLosses }));
  };

  it("goes on where another left off, and reports it even where nothing was gained", async () => {
    const first = await run();
    const start = toLoraAdapter(tiny.config, config.lora, first.adapter);
    const second = await run(start);
    expect(second.heldOutLosses[0]).toBe(first.heldOutLosses.at(-1));
    expect(second.report.base).toEqual(first.report.base);
    const still = await run(start, { learningRate: 0 });
    expect(still.bestStep).toBe(0);
    expect(still.report.tuned).toEqual(first.report.tuned);
    expect(largestDistance(still.adapter, first.adapter)).toBe(0);
    await expect(run(start, { lora: { ...config.lora, rank: 2 } })).rejects.toMatchObject({ code: "train/settings" });
  });
});
