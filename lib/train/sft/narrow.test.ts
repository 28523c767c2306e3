/** A device with less memory than was reckoned with: the run goes on by an execution that takes less. */
import { describe, expect, it } from "vitest";
import type { ExecutionPlan } from "../execution/types";
import { RunControl } from "../loop";
import type { Backend, Ort } from "../runtime/backend";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { referenceModel } from "../testing/reference";
import { randomExamples, settings } from "../testing/tiny";
import { decodeCheckpoint, machineOf } from "./checkpoint";
import { fineTune } from "./fine-tune";
import { planSteps } from "./plan";
import { SftTrainer } from "./trainer";

const sound = openNode();
const { config: model, weights } = referenceModel("qwen2-tied");
const config = settings({ learningRate: 0.01, maxSteps: 4, saveSteps: 2 });
const WHOLE: ExecutionPlan = { kind: "whole", recompute: false }, STREAMED: ExecutionPlan = { kind: "streamed", recompute: false };

/** A device on which graphs of more bytes than these cannot be made, or not be run. */
function tight(fails: "create" | "run", bytes: number): Backend {
  const refuse = () => Promise.reject(new Error("std::bad_alloc"));
  const create: Ort["InferenceSession"]["create"] = async (graph, options) => {
    const large = graph.byteLength > bytes;
    if (large && fails === "create") return refuse();
    const session = await sound.ort.InferenceSession.create(graph, options);
    if (large) session.run = refuse;
    return session;
  };
  return { ...sound, ort: { ...sound.ort, InferenceSession: { create } } };
}

async function run(backend: Backend, plan: ExecutionPlan) {
  const losses: number[] = [], narrowed: ExecutionPlan[] = [];
  let checkpoint = new Uint8Array();
  const trainer = await SftTrainer.create(backend, model, weights, config, undefined, plan);
  try {
    await fineTune(trainer, planSteps([randomExamples("narrow", 12)], config), randomExamples("held out", 3), config, machineOf(backend, weights, trainer.execution.plan), new RunControl(), {
      step: (_, { loss }) => void losses.push(loss), narrowed: (next) => void narrowed.push(next), checkpoint: (bytes) => void (checkpoint = bytes.slice()),
    });
    return { losses, narrowed, execution: trainer.execution.plan, stored: (await decodeCheckpoint(checkpoint)).machine.execution };
  } finally {
    await trainer.dispose();
  }
}

/** More than any graph of a layer, less than the whole model. */
const BETWEEN = 60_000;

describe("without room for the whole model", () => {
  it.each(["create", "run"] as const)("it is streamed, to the same numbers (%s fails)", async (fails) => {
    const streamed = await run(sound, STREAMED);
    const found = await run(tight(fails, BETWEEN), WHOLE);
    expect(found).toEqual({ ...streamed, narrowed: fails === "run" ? [STREAMED] : [] });
    expect(found.stored).toEqual(STREAMED);
    expect(openSessions()).toBe(0);
  });

  it.each(["create", "run"] as const)("nor for anything else, the fault is told as it came (%s fails)", async (fails) => {
    await expect(run(tight(fails, 0), WHOLE)).rejects.toMatchObject({ code: `device/${fails}` });
    expect(openSessions()).toBe(0);
  });
});
