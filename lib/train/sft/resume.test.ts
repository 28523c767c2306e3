/** A run that is killed and goes on from its last checkpoint repeats the uninterrupted run to the last bit. */
import { describe, expect, it } from "vitest";
import type { ExecutionPlan } from "../execution/types";
import { openNode } from "../runtime/node";
import { referenceModel } from "../testing/reference";
import { attempt, killedAt, nothingStored, type Subject } from "../testing/cut";
import { copyOf, largestDistance, randomExamples, randomLora, settings } from "../testing/tiny";
import { decodeCheckpoint, encodeCheckpoint, type SftCheckpoint } from "./checkpoint";
import type { SftConfig } from "./config";
import { planSteps } from "./plan";
import { SftTrainer } from "./trainer";

const backend = openNode();
const STEPS = 100;
const validation = randomExamples("validation", 5);

const plain = settings({ learningRate: 0.01, maxSteps: STEPS, evaluations: 8, saveSteps: 7 });
const variants: Record<string, { model: string; config: SftConfig; execution?: ExecutionPlan }> = {
  "nothing special": { model: "qwen2-tied", config: plain },
  "the streamed execution, recomputing": { model: "qwen3-untied", config: { ...plain, lora: { ...plain.lora, dropout: 0.1 } }, execution: { kind: "streamed", recompute: true } },
  // Rank 128, so that factors are large enough to be held in 8 bits.
  "dropout, packing, noise, 8-bit moments, accumulation, cosine, rsLoRA, trained tokens": {
    model: "qwen3-untied",
    config: {
      ...plain, lora: { rank: 128, alpha: 8, dropout: 0.2, targetModules: ["q_proj"], useRslora: true, trainableTokenIndices: [5, 17] },
      learningRate: 2e-3, lrSchedulerType: "cosine", warmupRatio: 0.1, packing: true, maxLength: 24, neftuneNoiseAlpha: 5, optim: "adamw_8bit", gradientAccumulationSteps: 2, weightDecay: 0.01,
      earlyStoppingPatience: 50,
    },
  },
};

const everything = Object.keys(variants).at(-1)!;

function subject(name: string): Subject {
  const { model, config, execution } = variants[name]!;
  const { config: modelConfig, weights } = referenceModel(model);
  const plan = planSteps([randomExamples("resume", 40)], config);
  expect(plan).toHaveLength(STEPS);
  return { backend, model: modelConfig, weights, config, execution, plan, validation };
}

const sameMachine = (_: SftCheckpoint, differences: readonly string[]) => expect(differences).toEqual([]);
const killed = (name: string, kills: Parameters<typeof killedAt>[1]) => killedAt(subject(name), kills, sameMachine);

const done = new Map<string, ReturnType<typeof killed>>();
const uninterrupted = (name: string) => {
  if (!done.has(name)) done.set(name, killed(name, []));
  return done.get(name)!;
};
const everyTenth = Array.from({ length: STEPS / 10 }, (_, i) => ["step", 10 * (i + 1)] as const);

describe.each(Object.keys(variants))("with %s", (name) => {
  it("killed at every tenth step of a hundred: every loss, norm and rate, every evaluation, and both adapters", async () => {
    const whole = await uninterrupted(name);
    const losses = whole.store.log.filter((l) => l.startsWith("heldOut"));
    expect(losses).toHaveLength(9);
    expect(whole.store.checkpoints).toBeGreaterThan(15);
    const cut = await killed(name, everyTenth);
    expect(cut.store.log).toEqual(whole.store.log);
    expect(cut.result).toEqual(whole.result);
    // It did learn, so that there is something to repeat.
    const first = JSON.parse(losses[0]!.slice("heldOut 0 ".length)) as { score: { loss: number } };
    expect(Math.min(...losses.map((l) => (JSON.parse(l.slice(l.indexOf("{"))) as typeof first).score.loss))).toBeLessThan(first.score.loss - 0.05);
  });
});

describe("with everything on", () => {
  it("killed in an evaluation, after one, and while a checkpoint is stored", async () => {
    const whole = await uninterrupted(everything);
    const cut = await killed(everything, [["heldOut", 0], ["checkpoint", 0], ["evaluated", 13], ["checkpoint", 21], ["checkpoint", 21], ["heldOut", 100], ["checkpoint", 100]]);
    expect(cut.store.log).toEqual(whole.store.log);
    expect(cut.result).toEqual(whole.result);
  });
});

describe("the comparison notices", () => {
  it.each(["nothing", "optimizer", "steps", "adapter"] as const)("a checkpoint in which %s was changed", async (part) => {
    const whole = await uninterrupted(everything);
    const store = nothingStored();
    await attempt(subject(everything), store, ["step", 30]);
    const checkpoint = await decodeCheckpoint(store.bytes!);
    const { trainer } = checkpoint;
    if (part === "optimizer") trainer.optimizer = { steps: trainer.optimizer.steps, tensors: new Map() };
    if (part === "steps") trainer.optimizer.steps--;
    if (part === "adapter") trainer.adapter.values().next().value![0]! += 1e-6;
    store.bytes = await encodeCheckpoint(checkpoint);
    await attempt(subject(everything), store, ["step", 45]);
    expect(store.log.length).toBeGreaterThan(40);
    const same = JSON.stringify(store.log) === JSON.stringify(whole.store.log.slice(0, store.log.length));
    expect(same).toBe(part === "nothing");
  });
});

describe("several adapters on one execution", () => {
  it("are trained side by side as each would be alone, and switched without opening anything", async () => {
    const { config: modelConfig, weights } = referenceModel("qwen2-tied");
    const config = settings({ learningRate: 0.01, lora: { dropout: 0.1 } });
    const start = (seed: string) => randomLora(modelConfig, config.lora, seed);
    const plan = planSteps([randomExamples("several", 20)], config);
    const alone: SftTrainer[] = [];
    for (const seed of ["a", "b"]) {
      const trainer = await SftTrainer.create(backend, modelConfig, weights, config, start(seed));
      for (const step of plan) await trainer.step(step, 0.01);
      await trainer.dispose();
      alone.push(trainer);
    }
    const owner = await SftTrainer.create(backend, modelConfig, weights, config, start("a"));
    const guest = SftTrainer.on(owner.execution, modelConfig, config, start("b"));
    for (const step of plan) {
      await owner.step(step, 0.01);
      await guest.step(step, 0.01);
    }
    expect(owner.adapter).toEqual(alone[0]!.adapter);
    expect(guest.adapter).toEqual(alone[1]!.adapter);
    expect(largestDistance(owner.adapter, guest.adapter)).toBeGreaterThan(0.1);
    // Each is scored under its own adapter, under the other's, and under none.
    const [own, lent, other, base] = [await owner.evaluate(validation), await owner.evaluate(validation, 2, guest.adapter), await guest.evaluate(validation), await guest.evaluate(validation, 2, null)];
    expect(lent).toEqual(other);
    expect(own).not.toEqual(other);
    const empty = copyOf(owner.adapter);
    for (const [name, data] of empty) if (name.endsWith("lora_B")) data.fill(0);
    expect(base).toEqual(await owner.evaluate(validation, 2, empty));
    await guest.dispose();
    await owner.step(plan[0]!, 0.01); // still open
    await owner.dispose();
  });
});
