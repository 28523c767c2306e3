/**
 * The order of examples: epochs of micro-batches, gathered into optimizer steps.
 * Shuffled, micro-batches hold rows of similar length, or rows that several
 * examples are packed into; not shuffled, examples come as they are given. All
 * of it follows from the examples and the settings, so that a resumed run finds
 * its place by counting steps.
 */
import { sha256Hex } from "../../core/hash";
import { Random } from "../../core/random";
import { examplesOf, type BatchRow, type TokenizedExample } from "./batch";
import type { SftConfig } from "./config";
import { packBestFit } from "./pack";

/** One optimizer step: its micro-batches, each a list of rows. */
export type PlannedStep<E extends TokenizedExample = TokenizedExample> = BatchRow<E>[][];

export type PlanSettings = Pick<SftConfig, "batchSize" | "gradientAccumulationSteps" | "seed"> & Partial<Pick<SftConfig, "epochs" | "maxSteps" | "packing" | "maxLength" | "shuffle">>;

/** Examples packed at a time, so that rows of the same examples differ from epoch to epoch; as many as TRL packs at a time. */
const PACKING_WINDOW = 1000;

/**
 * @param epochs the examples of each epoch, which may differ (fresh cuts and key words); gone through again and again where
 *   `maxSteps` asks for more
 */
export function planSteps<E extends TokenizedExample>(epochs: readonly (readonly E[])[], config: PlanSettings): PlannedStep<E>[] {
  const { epochs: count = epochs.length, maxSteps = 0 } = config;
  const steps: PlannedStep<E>[] = [];
  const learnable = epochs.map((examples) => examples.filter((e) => e.ids.length > e.promptLength)); // not cut within the prompt
  if (!learnable.some((examples) => examples.length > 0)) return steps;
  for (let epoch = 0; maxSteps > 0 ? steps.length < maxSteps : epoch < Math.min(epochs.length, Math.ceil(count)); epoch++) {
    const planned = planEpoch(learnable[epoch % epochs.length]!, epoch, config);
    // Of a broken number of epochs the last is cut, as transformers rounds it: up to a whole step.
    const share = maxSteps > 0 ? 1 : Math.min(1, count - epoch);
    for (const step of planned.slice(0, Math.ceil(planned.length * share))) steps.push(step);
  }
  return maxSteps > 0 ? steps.slice(0, maxSteps) : steps;
}

function planEpoch<E extends TokenizedExample>(examples: readonly E[], epoch: number, config: PlanSettings): PlannedStep<E>[] {
  const { batchSize, gradientAccumulationSteps, seed, packing = false, maxLength = Infinity, shuffle = true } = config;
  const random = new Random(`order-${seed}-${epoch}`);
  const ordered = shuffle ? random.shuffle([...examples]) : [...examples];
  let microBatches: BatchRow<E>[][];
  if (packing) {
    const rows = inWindows(ordered, PACKING_WINDOW, (some) => packBestFit(some, Math.max(...some.map((e) => e.ids.length), Number.isFinite(maxLength) ? maxLength : 0)));
    microBatches = inPieces(shuffle ? random.shuffle(rows) : rows, batchSize);
  } else {
    microBatches = shuffle ? random.shuffle(groupByLength(ordered, batchSize)) : inPieces(ordered, batchSize);
  }
  return inPieces(microBatches, gradientAccumulationSteps);
}

/** Batches of similar length, sorted within windows of 16 batches so that the order stays random beyond. */
function groupByLength<E extends TokenizedExample>(examples: readonly E[], batchSize: number): E[][] {
  return inWindows(examples, 16 * batchSize, (some) => inPieces([...some].sort((a, b) => a.ids.length - b.ids.length), batchSize));
}

const inWindows = <A, B>(items: readonly A[], size: number, work: (some: A[]) => B[]): B[] => inPieces(items, size).flatMap(work);

function inPieces<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** SHA-256 (hexadecimal) of every token in its place: two plans with the same one feed the same batches. */
export async function planHash(steps: readonly PlannedStep[]): Promise<string> {
  const numbers: number[] = [steps.length];
  const digests: string[] = [];
  const flush = async () => digests.push(await sha256Hex(new Uint8Array(Int32Array.from(numbers.splice(0)).buffer)));
  for (const step of steps) {
    numbers.push(step.length);
    for (const rows of step) {
      numbers.push(rows.length);
      for (const row of rows) {
        const examples = examplesOf(row);
        numbers.push(examples.length);
        for (const { ids, promptLength } of examples) {
          numbers.push(promptLength, ids.length);
          for (const id of ids) numbers.push(id);
        }
      }
    }
    if (numbers.length > 1 << 16) await flush();
  }
  await flush();
  return sha256Hex(new TextEncoder().encode(digests.join()));
}
