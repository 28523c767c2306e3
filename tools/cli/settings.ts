/**
 * The settings of a training run from a file with TRL's and PEFT's names, and
 * from the adapter that it starts from. What concerns the data alone is read
 * here; the rest is configFromPeftTrl's.
 */
import { DuctusError } from "../../lib/core/errors";
import { parseStrictJson } from "../../lib/train/adapter/strict-json";
import type { LoraAdapter } from "../../lib/train/adapter/types";
import type { SftConfig } from "../../lib/train/sft/config";
import { configFromPeftTrl } from "../../lib/train/sft/peft-trl";
import { readBytes } from "./paths";
import type { DataSettings } from "./training-data";

export interface RunSettings {
  config: SftConfig;
  data: DataSettings;
}

/**
 * @param path null: TRL's and PEFT's defaults
 * @param init gives rank, alpha, targets and trained tokens
 * @throws DuctusError `train/settings`, also where the file contradicts the adapter, and those of reading
 */
export function readSettings(path: string | null, init: LoraAdapter | null): RunSettings {
  const json = path === null ? {} : parseSettings(path);
  const { completion_only_loss: completionOnlyLoss = null, ...rest } = json;
  if (completionOnlyLoss !== null && typeof completionOnlyLoss !== "boolean") throw new DuctusError("train/settings", "completion_only_loss can only be true, false or null.", "Change it, and start again.");
  const given = configFromPeftTrl(rest);
  const config = init ? { ...given, lora: { ...given.lora, ...shapeOf(init) } } : given;
  const asked: [name: string, ours: unknown, adapters: unknown][] = init ? [
    ["r", given.lora.rank, config.lora.rank],
    ["lora_alpha", given.lora.alpha, config.lora.alpha],
    ["use_rslora", given.lora.useRslora, config.lora.useRslora],
    ["target_modules", given.lora.targetModules.join(", "), config.lora.targetModules.join(", ")],
    ["trainable_token_indices", given.lora.trainableTokenIndices.join(), config.lora.trainableTokenIndices.join()],
  ] : [];
  const other = asked.find(([name, ours, adapters]) => rest[name] != null && ours !== adapters);
  if (other) throw new DuctusError("train/settings", `${other[0]} is ${String(other[1])} in the settings and ${String(other[2])} in the adapter that the run starts from.`, "Leave it out: the adapter's own is used.");
  return { config, data: { completionOnlyLoss, maxLength: rest["max_length"] === null ? null : config.maxLength } };
}

const shapeOf = ({ rank, alpha, useRslora, targetModules, tokens }: LoraAdapter): Omit<SftConfig["lora"], "dropout"> =>
  ({ rank, alpha, useRslora, targetModules, trainableTokenIndices: tokens?.ids ?? [] });

function parseSettings(path: string): Record<string, unknown> {
  const bytes = readBytes(path);
  let json: unknown;
  try {
    json = parseStrictJson(bytes);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : "it is not text in UTF-8";
    throw new DuctusError("train/settings", `“${path}” cannot be read as JSON: ${why}.`, "Correct it.", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new DuctusError("train/settings", `“${path}” does not hold a JSON object.`, "Write it as {\"learning_rate\": 0.0002, …}.");
  return json as Record<string, unknown>;
}
