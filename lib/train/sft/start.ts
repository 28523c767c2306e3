/**
 * Going on from an adapter: a run that begins with its factors instead of fresh
 * ones. Rank, scale, layers and trained tokens are then the adapter's; the rest
 * of the settings, the optimizer and the schedule begin anew.
 */
import { DuctusError } from "../../core/errors";
import { flatAdapter } from "../adapter/tensors";
import type { LoraAdapter } from "../adapter/types";
import { withHeadRows } from "../model/added-tokens";
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import { adapterShapes } from "../model/lora";
import type { LoraConfig, SftConfig } from "./config";
import { differingSettings } from "./setting-words";
import { copyTensors } from "./trainer";

/** What an adapter settles of the settings. */
export const shapeOf = ({ rank, alpha, useRslora, targetModules, tokens }: LoraAdapter): Omit<LoraConfig, "dropout"> =>
  ({ rank, alpha, useRslora, targetModules, trainableTokenIndices: tokens?.ids ?? [] });

/** The settings with the adapter's shape. */
export const configFrom = (config: SftConfig, adapter: LoraAdapter): SftConfig => ({ ...config, lora: { ...config.lora, ...shapeOf(adapter) } });

/** @throws DuctusError `train/settings` naming all in which the settings contradict the adapter */
export function requireShape(config: SftConfig, adapter: LoraAdapter): void {
  const others = differingSettings(config, configFrom(config, adapter));
  if (others.length === 0) return;
  throw new DuctusError("train/settings", `The adapter that this run starts from has ${others.map(({ label, a, b }) => `${label.toLowerCase()} ${b}, and the settings say ${a}`).join("; ")}.`,
    "Take the adapter's own, or start from nothing.");
}

/**
 * The tensors to start with, a copy: the adapter stays as it is.
 * @throws DuctusError as {@link requireShape}; `adapter/shapes` where it was made for a model of another shape
 */
export function startFrom(adapter: LoraAdapter, model: ModelConfig, weights: AnyWeights, config: SftConfig): Map<string, Float32Array> {
  requireShape(config, adapter);
  for (const [name, shape] of adapterShapes(model, config.lora)) {
    const tensor = adapter.tensors.get(name);
    if (tensor?.data.length !== shape[0] * shape[1]) throw new DuctusError("adapter/shapes", "This adapter was made for a model of another shape, so this run cannot start from it.", "Choose the model that it was made for, or start from nothing.", { details: name });
  }
  return copyTensors(flatAdapter({ ...adapter, tokens: adapter.tokens && withHeadRows(model, weights, adapter.tokens) }));
}

/** Whether an adapter changes nothing at all: every B is zero, and no token is trained. */
export function changesNothing(tensors: ReadonlyMap<string, Float32Array>): boolean {
  return [...tensors].every(([name, data]) => name.endsWith(".lora_A") || (name.endsWith(".lora_B") && data.every((value) => value === 0)));
}
