/** Opens the execution of a plan, or of the one that suits: the only place that names both kinds. */
import { DuctusError } from "../../core/errors";
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import type { Backend } from "../runtime/backend";
import { choosePlan, executionSizes, heldSize, memoryLimits, type Workload } from "./choose";
import type { ExecutionSettings } from "./feeds";
import { readable } from "./readable";
import { StreamedExecution } from "./streamed";
import type { Execution, ExecutionPlan } from "./types";
import { WholeExecution } from "./whole";

/** The plan that suits a model and its work on a device. */
export function planFor(backend: Backend, model: { config: ModelConfig; weights: AnyWeights }, work: Workload): ExecutionPlan {
  return choosePlan(executionSizes(model.config, heldSize(readable(backend, model.weights)), work), memoryLimits(backend), work.otherCopies);
}

/** Rows of a batch where nothing is known of it. */
const USUAL_BATCH = 8;

/** Batches as large as the settings say, of rows of the longest length. */
function usualWork({ maxPositions, batchTokens = 0 }: ExecutionSettings): Workload {
  return { batch: batchTokens > 0 ? Math.ceil(batchTokens / maxPositions) : USUAL_BATCH, seq: maxPositions, otherCopies: 0 };
}

/**
 * @param plan absent: the one that suits the work that the settings tell of, with nothing else holding the weights
 * @throws DuctusError as Session.create does
 */
export async function openExecution(
  backend: Backend, model: { config: ModelConfig; weights: AnyWeights }, settings: ExecutionSettings,
  plan: ExecutionPlan = planFor(backend, model, usualWork(settings)),
): Promise<Execution> {
  const weights = readable(backend, model.weights);
  return plan.kind === "streamed"
    ? StreamedExecution.create(backend, model.config, weights, settings, plan)
    : WholeExecution.create(backend, model.config, weights, settings);
}

/** The plan that takes less memory than another, and more time; null where none does. */
export function narrower(plan: ExecutionPlan): ExecutionPlan | null {
  if (plan.kind === "whole") return { kind: "streamed", recompute: false };
  return plan.recompute ? null : { kind: "streamed", recompute: true };
}

/** Whether something failed that may succeed in less memory: few devices say that this is what they lack. */
export const mayWantMemory = (error: unknown): boolean =>
  error instanceof DuctusError && (error.code === "device/memory" || error.code === "device/create" || error.code === "device/run");

/**
 * {@link openExecution}, and where the device has no room after all, of the next plan that takes less.
 * @throws DuctusError as it was thrown for the first plan
 */
export async function openWithin(backend: Backend, model: { config: ModelConfig; weights: AnyWeights }, settings: ExecutionSettings, plan?: ExecutionPlan): Promise<Execution> {
  const first = plan ?? planFor(backend, model, usualWork(settings));
  try {
    return await openExecution(backend, model, settings, first);
  } catch (error) {
    if (!mayWantMemory(error)) throw error;
    for (let next = narrower(first); next; next = narrower(next)) {
      const opened = await openExecution(backend, model, settings, next).catch(() => null);
      if (opened) return opened;
    }
    throw error;
  }
}
