/**
 * Asks the runtime to refuse every graph of which a node would be computed by
 * the processor instead of the graphics device.
 */
import { DuctusError } from "../../lib/core/errors";
import { Graph } from "../../lib/train/graph/graph";
import { toOnnx, type OnnxModel } from "../../lib/train/graph/onnx";
import { generationGraph } from "../../lib/train/generate/graphs";
import { scoringGraph, trainingGraph } from "../../lib/train/model/graphs";
import type { Backend } from "../../lib/train/runtime/backend";
import { selfTestModel } from "../../lib/train/runtime/selftest";
import { Session } from "../../lib/train/runtime/session";
import { mapOf, MAX_POSITIONS, type TinyCase } from "./tiny";

/** By graph: null where the whole of it is on the device, else why it was refused. */
export type Placements = Record<string, string | null>;

/** Operators with a kernel for wasm and none for WebGPU (f32). */
const ONLY_ON_PROCESSOR = ["LogSoftmax", "Round", "Sign"];

export async function placements(backend: Backend, tiny: TinyCase): Promise<Placements> {
  const { config, lora } = tiny;
  const weights = mapOf(tiny.weights);
  const graphs: Record<string, () => OnnxModel> = {
    "self-test": () => selfTestModel({ target: "any", f16: backend.features.f16 }),
    "training, LoRA": () => trainingGraph(config, { kind: "lora", lora, dropout: false }, weights, { maxPositions: MAX_POSITIONS }),
    "training, LoRA with dropout": () => trainingGraph(config, { kind: "lora", lora, dropout: true }, weights, { maxPositions: MAX_POSITIONS }),
    "training, every weight": () => trainingGraph(config, { kind: "full" }, weights, { maxPositions: MAX_POSITIONS }),
    "scoring, base": () => scoringGraph(config, null, weights, { maxPositions: MAX_POSITIONS }),
    "scoring, adapter": () => scoringGraph(config, lora, weights, { maxPositions: MAX_POSITIONS }),
    "generation, base": () => generationGraph(config, null, weights, { maxPositions: MAX_POSITIONS }),
    "generation, adapter": () => generationGraph(config, lora, weights, { maxPositions: MAX_POSITIONS }),
    ...Object.fromEntries(ONLY_ON_PROCESSOR.map((type) => [`control: ${type}`, () => foreign(type)])),
  };
  const result: Placements = {};
  for (const [name, make] of Object.entries(graphs)) result[name] = await refusal(backend, make());
  return result;
}

async function refusal(backend: Backend, model: OnnxModel): Promise<string | null> {
  try {
    const session = await Session.create(backend, model, { options: { extra: { session: { disable_cpu_ep_fallback: "1" } } } });
    await session.dispose();
    return null;
  } catch (error) {
    return error instanceof DuctusError ? `${error.code}: ${error.details ?? ""}` : String(error);
  }
}

/** A sum on the device around one node that is not. */
function foreign(type: string): OnnxModel {
  const graph = new Graph();
  const x = graph.input("x", "f32", [4, 8]);
  const y = graph.node(type, [x], { dtype: "f32", shape: x.shape });
  return toOnnx(graph, { y: graph.node("Add", [y, y], { dtype: "f32", shape: x.shape }) });
}
