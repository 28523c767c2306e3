/** Opens the execution of a plan: the only place that names both kinds. */
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import type { Backend } from "../runtime/backend";
import type { ExecutionSettings } from "./feeds";
import { StreamedExecution } from "./streamed";
import type { Execution, ExecutionPlan } from "./types";
import { WholeExecution } from "./whole";

export const WHOLE: ExecutionPlan = { kind: "whole", recompute: false };

/** @throws DuctusError as Session.create does */
export async function openExecution(
  backend: Backend, model: { config: ModelConfig; weights: AnyWeights }, settings: ExecutionSettings, plan: ExecutionPlan = WHOLE,
): Promise<Execution> {
  return plan.kind === "streamed"
    ? StreamedExecution.create(backend, model.config, model.weights, settings, plan)
    : WholeExecution.create(backend, model.config, model.weights, settings);
}
