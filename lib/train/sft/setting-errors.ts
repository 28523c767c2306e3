/**
 * What is wrong with settings, field by field in plain words. Out of these
 * ranges a run does not merely go badly: it divides by zero, never ends, or
 * fills the memory. What trains well is another question, see recipes.ts.
 */
import type { SftConfig } from "./config";
import { MAX_TOKEN_ID, SETTINGS, settingOf, valueOf, type NumberRange, type Setting, type SettingKey, type SettingValue } from "./settings";

/** What the model in use allows. */
export interface ModelLimits {
  maxPositions?: number;
  vocabSize?: number;
}

export interface SettingError {
  key: SettingKey;
  /** TRL's or PEFT's. */
  name: string;
  /** What it must be, to follow on “must be”. */
  should: string;
  /** A sentence for beside the field. */
  message: string;
}

/** In the order of the table; empty where all is well. */
export function settingErrors(config: SftConfig, limits: ModelLimits = {}): SettingError[] {
  const errors = SETTINGS.flatMap((setting) => {
    const should = fault(setting, valueOf(config, setting.key));
    return should === null ? [] : [errorOf(setting, should)];
  });
  const fine = (key: SettingKey) => !errors.some((error) => error.key === key);
  const { maxPositions = Infinity, vocabSize = Infinity } = limits;
  if (fine("maxLength") && config.maxLength > maxPositions) errors.push(errorOf(settingOf("maxLength"), `${maxPositions} tokens or fewer: this model reads no more at once`));
  if (fine("lora.trainableTokenIndices") && config.lora.trainableTokenIndices.some((id) => id >= vocabSize)) errors.push(errorOf(settingOf("lora.trainableTokenIndices"), `tokens of this model, 0 to ${vocabSize - 1}`));
  return errors;
}

/** What the value must be; null where it is in order. */
export function fault(setting: Setting, value: SettingValue): string | null {
  switch (setting.control) {
    case "slider":
    case "number":
      return typeof value === "number" && within(value, setting.range) ? null : rangeWords(setting.range, setting.zero);
    case "switch":
      return typeof value === "boolean" ? null : "on or off";
    case "choice":
      return setting.choices.some((choice) => choice.value === value) ? null : `one of ${setting.choices.map((choice) => choice.value).join(", ")}`;
    case "choices": {
      const known = setting.choices.map((choice) => choice.value);
      const ok = Array.isArray(value) && value.length > 0 && new Set<unknown>(value).size === value.length && value.every((one) => known.includes(one as string));
      return ok ? null : `some of ${known.join(", ")}, each of them once`;
    }
    case "tokens": {
      const ok = Array.isArray(value) && new Set<unknown>(value).size === value.length && value.every((id) => Number.isInteger(id) && id >= 0 && id <= MAX_TOKEN_ID);
      return ok ? null : "whole numbers, each of them once";
    }
    default:
      return setting satisfies never;
  }
}

function within(value: number, { least, most, whole = false, above = false, below = false }: NumberRange): boolean {
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) return false;
  return (above ? value > least : value >= least) && (below ? value < most : value <= most);
}

function rangeWords({ least, most, whole = false, above = false, below = false }: NumberRange, zero?: string): string {
  const number = whole ? "a whole number" : "a number";
  const low = least === -Number.MAX_VALUE ? null : above ? `above ${least}` : `${least}${zero === undefined ? "" : ` (${zero})`}`;
  const high = most === Number.MAX_VALUE ? null : below ? `below ${most}` : String(most);
  if (low === null) return number;
  if (high === null) return above ? `${number} ${low}` : `${number}, ${low} or more`;
  return above ? `${number} ${low}, and at most ${high}` : `${number} from ${low} to ${high}`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function errorOf({ key, name, label }: Setting, should: string): SettingError {
  return { key, name, should, message: `The ${lowerFirst(label)} must be ${should}.` };
}
