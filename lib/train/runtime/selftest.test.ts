import { describe, expect, it } from "vitest";
import { openNode } from "./node";
import { StreamedExecution } from "../execution/streamed";
import type { Execution, TrainInputs } from "../execution/types";
import { WholeExecution } from "../execution/whole";
import { collate } from "../sft/batch";
import { asHeld, randomTokens } from "../testing/held";
import { nodesOf } from "../testing/onnx-reader";
import { referenceModel } from "../testing/reference";
import { randomExamples, randomLora, settings } from "../testing/tiny";
import { gradientSelfTest, selfTestModel } from "./selftest";
import type { Backend, Ort } from "./backend";
import { openSessions } from "./session";

/** A device that alters some outputs, as broken drivers do. */
function broken(alter: (name: string, data: Float32Array) => void): Backend {
  const sound = openNode();
  const InferenceSession: Ort["InferenceSession"] = {
    create: async (model, options) => {
      const session = await sound.ort.InferenceSession.create(model, options);
      const run = session.run.bind(session);
      session.run = (async (feeds: Parameters<typeof run>[0]) => {
        const out = await run(feeds);
        for (const [name, tensor] of Object.entries(out)) alter(name, tensor.data as Float32Array);
        return out;
      });
      return session;
    },
  };
  return { ...sound, ort: { ...sound.ort, InferenceSession } };
}

describe("the gradient self-test", () => {
  it("passes a sound device and leaves nothing open", async () => {
    expect(await gradientSelfTest(openNode())).toBeNull();
    expect(openSessions()).toBe(0);
  });

  it.each(["x", "wqkv", "a", "b", "gain", "a2", "gate", "up", "table"])("notices a wrong gradient of %s", async (name) => {
    const fault = await gradientSelfTest(broken((output, data) => {
      if (output === `grad:${name}`) data.forEach((v, i) => (data[i] = v * 1.1));
    }));
    expect(fault).toMatch(new RegExp(`gradient of ${name} is off`));
  });

  it("notices NaN, zeros and a device that throws", async () => {
    expect(await gradientSelfTest(broken((_, data) => data.fill(NaN)))).not.toBeNull();
    expect(await gradientSelfTest(broken((output, data) => void (output.startsWith("grad:") && data.fill(0))))).toContain("norm");
    expect(await gradientSelfTest(broken(() => { throw new Error("device lost"); }))).toContain("device lost");
    expect(openSessions()).toBe(0);
  });

  it("has every operator that training has, in each execution and however weights are held", async () => {
    const sound = openNode();
    const used = new Set<string>();
    const InferenceSession: Ort["InferenceSession"] = {
      create: (model, options) => {
        for (const [type] of nodesOf(model)) used.add(type);
        return sound.ort.InferenceSession.create(model, options);
      },
    };
    const backend: Backend = { ...sound, ort: { ...sound.ort, InferenceSession } };
    for (const [name, storage, more] of [["qwen2-tied", "f32", { batchTokens: 1e6 }], ["qwen3-tied", "f16", { dropout: 0.1 }], ["qwen2-tied", "q8", {}], ["qwen3-tied", "q4", { tokens: [5, 7] }]] as const) {
      const { config, weights } = referenceModel(name);
      const { lora } = settings();
      const adapter = new Map([...randomLora(config, lora, "operators"), ["tokens", randomTokens(config, 2)]]);
      const batch = collate(randomExamples("operators", 3, config.vocabSize));
      const inputs: TrainInputs = { adapter, rowWeights: new Float32Array(batch.completionTokens).fill(0.1), dropoutSeed: "s", noise: null };
      const made = { lora, dropout: 0, maxPositions: 32, tokens: [], ...more };
      const held = asHeld(config, weights, storage);
      const executions: Execution[] = [await WholeExecution.create(backend, config, held, made), await StreamedExecution.create(backend, config, held, made, { recompute: false, headChunkBytes: 4_000 })];
      for (const execution of executions) {
        await execution.train(batch, inputs);
        await execution.dispose();
      }
    }
    const tested = new Set(nodesOf(selfTestModel({ target: "cpu", f16: true }).bytes).map(([type]) => type));
    expect(used.size).toBeGreaterThan(20);
    expect([...used].filter((type) => !tested.has(type))).toEqual([]);
  });
});
