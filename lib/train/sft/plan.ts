/**
 * The order of examples: epochs of shuffled, length-grouped micro-batches,
 * gathered into optimizer steps. All of it follows from the seed.
 */
import { Random } from "../../core/random";
import type { TokenizedExample } from "./batch";
import type { SftConfig } from "./config";

/** One optimizer step: its micro-batches. */
export type PlannedStep = TokenizedExample[][];

/**
 * @param epochs the examples of each epoch, which may differ (fresh cuts and key words)
 */
export function planSteps(epochs: readonly (readonly TokenizedExample[])[], config: Pick<SftConfig, "batchSize" | "gradientAccumulationSteps" | "seed">): PlannedStep[] {
  const steps: PlannedStep[] = [];
  epochs.forEach((examples, epoch) => {
    const random = new Random(`order-${config.seed}-${epoch}`);
    const microBatches = random.shuffle(groupByLength(random.shuffle([...examples]), config.batchSize));
    for (let i = 0; i < microBatches.length; i += config.gradientAccumulationSteps) {
      steps.push(microBatches.slice(i, i + config.gradientAccumulationSteps));
    }
  });
  return steps;
}

/** Batches of similar length, sorted within windows of 16 batches so that the order stays random beyond. */
function groupByLength(examples: readonly TokenizedExample[], batchSize: number): TokenizedExample[][] {
  const window = 16 * batchSize;
  const batches: TokenizedExample[][] = [];
  for (let start = 0; start < examples.length; start += window) {
    const sorted = examples.slice(start, start + window).sort((a, b) => a.ids.length - b.ids.length);
    for (let i = 0; i < sorted.length; i += batchSize) batches.push(sorted.slice(i, i + batchSize));
  }
  return batches;
}
