/**
 * Whether settings can be trained with at all, for those who do not ask field by
 * field (setting-errors.ts). What trains well is another question, see
 * recipes.ts.
 */
import { DuctusError } from "../../core/errors";
import type { SftConfig } from "./config";
import { settingErrors } from "./setting-errors";

/** @throws DuctusError `train/settings` naming the first setting that is out of its range */
export function checkConfig(config: SftConfig): void {
  const [broken] = settingErrors(config);
  if (broken) throw new DuctusError("train/settings", `The model cannot be trained with this setting: ${broken.message.charAt(0).toLowerCase()}${broken.message.slice(1)}`, "Change it, and start again.");
}
