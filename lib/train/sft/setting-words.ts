/** Settings in the words of a page: a value with its unit, and what differs between two sets of them. */
import type { SftConfig } from "./config";
import { SETTINGS, settingOf, valueOf, type SettingKey, type SettingValue } from "./settings";

export interface SettingDifference {
  key: SettingKey;
  /** TRL's or PEFT's. */
  name: string;
  label: string;
  /** The two values in words. */
  a: string;
  b: string;
}

/** In the order of the table. The order of a list makes no difference. */
export function differingSettings(a: SftConfig, b: SftConfig): SettingDifference[] {
  return SETTINGS.flatMap(({ key, name, label }) => {
    const [one, other] = [valueOf(a, key), valueOf(b, key)];
    return same(one, other) ? [] : [{ key, name, label, a: valueWords(key, one), b: valueWords(key, other) }];
  });
}

function same(a: SettingValue, b: SettingValue): boolean {
  if (typeof a !== "object" || typeof b !== "object") return Object.is(a, b);
  return a.length === b.length && JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}

/** A value as a page shows it: “0.006”, “2 passes”, “off”, “all seven”. */
export function valueWords(key: SettingKey, value: SettingValue): string {
  const setting = settingOf(key);
  switch (setting.control) {
    case "slider":
    case "number": {
      if (typeof value !== "number") return String(value);
      if (value === 0 && setting.zero !== undefined) return setting.zero;
      if (key === "warmupRatio") return `${rounded(100 * value)} % ${setting.unit}`;
      return setting.unit === "" ? rounded(value) : `${rounded(value)} ${value === 1 ? singular(setting.unit) : setting.unit}`;
    }
    case "switch":
      return value === true ? "on" : "off";
    case "choice":
      return setting.choices.find((choice) => choice.value === value)?.label ?? String(value);
    case "choices":
      return Array.isArray(value) && value.length === setting.choices.length ? "all seven" : String(value).replaceAll(",", ", ");
    case "tokens":
      return Array.isArray(value) && value.length === 0 ? "none" : String(value).replaceAll(",", ", ");
    default:
      return setting satisfies never;
  }
}

const UNITS: Record<string, string> = { passes: "pass", batches: "batch" };
const singular = (unit: string): string => UNITS[unit] ?? unit.replace(/s$/, "");

/** Short, and exact enough to tell values apart: 0.006, 1e-8, 12,000. */
function rounded(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential().replace(/\.?0*e/, "e").replace("-", "−");
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 12 }).replace("-", "−");
}
