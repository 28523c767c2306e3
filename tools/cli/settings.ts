/**
 * The settings of a training run from a file with TRL's and PEFT's names, and
 * from the adapter that it starts from. What concerns the data alone is read
 * here; the rest is configFromPeftTrl's.
 */
import { DuctusError } from "../../lib/core/errors";
import type { LoraAdapter } from "../../lib/train/adapter/types";
import type { SftConfig } from "../../lib/train/sft/config";
import { readSettingsObject } from "../../lib/train/sft/config-file";
import { configFromPeftTrl, VERSION_NAME } from "../../lib/train/sft/peft-trl";
import { configFrom } from "../../lib/train/sft/start";
import { readText } from "./paths";
import type { DataSettings } from "./training-data";

export interface RunSettings {
  config: SftConfig;
  data: DataSettings;
  /** The adapter with the lowest held-out loss is the run's, not the last. */
  keepBest: boolean;
}

/** Names that say nothing where no examples are held out. */
const OF_EVALUATION = ["evaluations", "eval_steps", "eval_strategy", "early_stopping_patience", "load_best_model_at_end"];
const IDLE: readonly unknown[] = [undefined, null, false, 0, "no"];

/**
 * @param path null: TRL's and PEFT's defaults
 * @param init gives rank, alpha, targets and trained tokens
 * @param heldOut whether there are examples to measure on
 * @throws DuctusError `train/settings`, also where the file contradicts the adapter, and those of reading
 */
export function readSettings(path: string | null, init: LoraAdapter | null, heldOut: boolean): RunSettings {
  const json = path === null ? {} : readSettingsObject(new TextEncoder().encode(readText(path)), path);
  const { completion_only_loss: completionOnlyLoss = null, load_best_model_at_end: keepBest = null, ...rest } = json;
  for (const [name, value] of Object.entries({ completion_only_loss: completionOnlyLoss, load_best_model_at_end: keepBest })) {
    if (value !== null && typeof value !== "boolean") throw new DuctusError("train/settings", `${name} can only be true, false or null.`, "Change it, and start again.");
  }
  // What the site has saved names everything, needed here or not.
  const saved = Object.hasOwn(json, VERSION_NAME);
  const idle = heldOut || saved ? undefined : OF_EVALUATION.find((name) => !IDLE.includes(json[name]));
  if (idle !== undefined) throw new DuctusError("train/settings", `${idle} does nothing without held-out examples.`, "Name some with --eval, or leave it out.");
  if (!heldOut) delete rest["eval_strategy"];
  if (!saved && rest["evaluations"] != null && rest["eval_steps"] != null) throw new DuctusError("train/settings", "evaluations and eval_steps contradict one another.", "Give one of them.");
  const asked = configFromPeftTrl(rest);
  const given = heldOut ? asked : { ...asked, evaluations: 0 };
  const config = init ? configFrom(given, init) : given;
  const shape: [name: string, ours: unknown, adapters: unknown][] = init ? [
    ["r", given.lora.rank, config.lora.rank],
    ["lora_alpha", given.lora.alpha, config.lora.alpha],
    ["use_rslora", given.lora.useRslora, config.lora.useRslora],
    ["target_modules", given.lora.targetModules.join(", "), config.lora.targetModules.join(", ")],
    ["trainable_token_indices", given.lora.trainableTokenIndices.join(), config.lora.trainableTokenIndices.join()],
  ] : [];
  const other = shape.find(([name, ours, adapters]) => rest[name] != null && ours !== adapters);
  if (other) throw new DuctusError("train/settings", `${other[0]} is ${String(other[1])} in the settings and ${String(other[2])} in the adapter that the run starts from.`, "Leave it out: the adapter's own is used.");
  return { config, keepBest: keepBest === true, data: { completionOnlyLoss: completionOnlyLoss as boolean | null, maxLength: rest["max_length"] === null ? null : config.maxLength } };
}
