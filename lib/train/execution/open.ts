/** Opens the execution of a plan, or of the one that suits: the only place that names both kinds. */
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import type { Backend } from "../runtime/backend";
import { choosePlan, executionSizes, memoryLimits, type Workload } from "./choose";
import type { ExecutionSettings } from "./feeds";
import { StreamedExecution } from "./streamed";
import type { Execution, ExecutionPlan } from "./types";
import { WholeExecution } from "./whole";

export const WHOLE: ExecutionPlan = { kind: "whole", recompute: false };

/** The plan that suits a model and its work on a device. */
export function planFor(backend: Backend, model: { config: ModelConfig; weights: AnyWeights }, work: Workload): ExecutionPlan {
  return choosePlan(executionSizes(model.config, model.weights, work), memoryLimits(backend), work.otherCopies);
}

/**
 * @param plan absent: the one that suits rows of the longest length, eight at a time
 * @throws DuctusError as Session.create does
 */
export async function openExecution(
  backend: Backend, model: { config: ModelConfig; weights: AnyWeights }, settings: ExecutionSettings,
  plan: ExecutionPlan = planFor(backend, model, { batch: 8, seq: settings.maxPositions, otherCopies: 0 }),
): Promise<Execution> {
  return plan.kind === "streamed"
    ? StreamedExecution.create(backend, model.config, model.weights, settings, plan)
    : WholeExecution.create(backend, model.config, model.weights, settings);
}
