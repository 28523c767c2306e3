/**
 * Settings as a file to save and to load: JSON with TRL's and PEFT's names
 * (peft-trl.ts), the same for the page and for the command line. What a file
 * asks for and the page does in a way of its own is named, not passed over in
 * silence; an unknown name is an error, since a misspelt setting would
 * otherwise seem to have been taken.
 */
import { DuctusError } from "../../core/errors";
import { parseStrictJson } from "../adapter/strict-json";
import type { SftConfig } from "./config";
import { PASSED_OVER } from "./peft-trl-names";
import { configFromPeftTrl, configToPeftTrl, VERSION_NAME } from "./peft-trl";

/** A file of settings has some kilobytes. */
const MAX_BYTES = 1024 * 1024;

/** Names that ask for what the page does in a way of its own, whatever their value, and which that is. */
const PAGES_WAY: Readonly<Record<string, string>> = {
  bf16: "it is computed in 32 bits here, which is more exact",
  fp16: "it is computed in 32 bits here, which is more exact",
  bf16_full_eval: "it is computed in 32 bits here, which is more exact",
  fp16_full_eval: "it is computed in 32 bits here, which is more exact",
  eval_strategy: "it is always checked on the text kept aside here",
  load_best_model_at_end: "the best state is always kept here",
  save_strategy: "the run is stored as it goes here",
  save_total_limit: "how many states are kept is settled here",
  completion_only_loss: "it is always the writing that is learned here, never the prompts",
};

export interface ConfigFile {
  config: SftConfig;
  /** Settings that it does not name: they have TRL's and PEFT's own defaults. */
  leftOut: readonly string[];
  /** Names in it that make no difference here, each with the reason. */
  ignored: readonly { name: string; why: string }[];
}

/** Every setting, so that reading it back gives the very same. */
export const writeConfigFile = (config: SftConfig): string => `${JSON.stringify(configToPeftTrl(config), null, 2)}\n`;

/**
 * @param fileName for the words where it cannot be read
 * @throws DuctusError `train/settings` as {@link readSettingsObject} and configFromPeftTrl
 */
export function readConfigFile(bytes: Uint8Array, fileName: string): ConfigFile {
  const json = readSettingsObject(bytes, fileName);
  const config = configFromPeftTrl(json, { tolerated: new Set(Object.keys(PAGES_WAY)) });
  const ignored = Object.entries(json).flatMap(([name, value]) => {
    if (PASSED_OVER.has(name)) return [{ name, why: "it changes nothing that is learned" }];
    const why = PAGES_WAY[name];
    return why === undefined || value === null || DONE[name] === value ? [] : [{ name, why }];
  });
  const leftOut = Object.keys(configToPeftTrl(config)).filter((name) => name !== VERSION_NAME && !Object.hasOwn(json, name));
  return { config, leftOut, ignored };
}

/** Values that ask for just what is done. */
const DONE: Readonly<Record<string, unknown>> = { bf16: false, fp16: false, bf16_full_eval: false, fp16_full_eval: false, eval_strategy: "steps", load_best_model_at_end: true, save_strategy: "steps", completion_only_loss: true };

/** @throws DuctusError `train/settings` where it is not UTF-8, not JSON, no object, or names something twice */
export function readSettingsObject(bytes: Uint8Array, fileName: string): Record<string, unknown> {
  const wrong = (fault: string, next: string, cause?: unknown) => new DuctusError("train/settings", `“${fileName.slice(0, 200)}” ${fault}.`, next, cause === undefined ? {} : { cause });
  if (bytes.byteLength > MAX_BYTES) throw wrong("is far too large for a file of settings", "Choose a file that Ductus, TRL or PEFT has written.");
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let json: unknown;
  try {
    json = parseStrictJson(hasMark ? bytes.subarray(3) : bytes);
  } catch (cause) {
    throw wrong(`cannot be read as JSON: ${(cause as Error).message}`, "Correct it.", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw wrong("does not hold a JSON object", "Write it as {\"learning_rate\": 0.0002, …}.");
  return json as Record<string, unknown>;
}
