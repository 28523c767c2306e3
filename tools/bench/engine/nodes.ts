/** How many nodes one more layer adds to the training graph, forward and backward together, before the runtime fuses any. */
import { trainingGraph } from "../../../lib/train/model/graphs";
import type { Target } from "../../../lib/train/graph/graph";
import type { Measure } from "../measure";
import { modelOf, randomWeights, sftConfig, SIZES } from "./sizes";

export const NODES_NAME = "engine.nodes_per_block";
const LAYERS = 3;

export function nodesPerBlock(target: Target): number {
  const count = (numLayers: number): number => {
    const model = { ...modelOf(SIZES.nano), numLayers };
    const { lora, maxLength, batchSize } = sftConfig(SIZES.nano);
    return trainingGraph(model, { kind: "lora", lora, dropout: false }, randomWeights(model, "f32"), { maxPositions: maxLength, batchTokens: batchSize * maxLength, target }).nodeCount;
  };
  return count(LAYERS + 1) - count(LAYERS);
}

export const measureNodes = (): Measure =>
  ({ name: NODES_NAME, value: nodesPerBlock("cpu"), unit: "nodes", note: `forward and backward, all seven projections adapted, for the processor; for WebGPU ${nodesPerBlock("any")}` });
