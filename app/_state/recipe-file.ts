/**
 * Settings out and in: as a file with TRL's and PEFT's names, and as a link that
 * holds them after its #, which no browser sends anywhere. A link names the dial
 * and what differs from it. Loaded only where it is used.
 */
import { DuctusError, serializeError, type SerializedError } from "../../lib/core/errors";
import type { SftConfig } from "../../lib/train/sft/config";
import { readConfigFile, writeConfigFile, type ConfigFile } from "../../lib/train/sft/config-file";
import { DIAL, dialConfig, type DialSituation } from "../../lib/train/sft/dial";
import { configOf, goBackTo, LINK_HASH, type Recipe, takeConfig } from "./recipe";
import { createStore } from "./store";

/** How the last file, or link, fared. */
export interface Taken {
  /** Of the file; null for a link. */
  name: string | null;
  settings: number;
  leftOut: ConfigFile["leftOut"];
  ignored: ConfigFile["ignored"];
  before: Recipe;
}
export const recipeFile = createStore<{ taken: Taken | null; error: SerializedError | null }>({ taken: null, error: null });

/** A file of settings has some kilobytes. */
const MAX_BYTES = 1024 * 1024;

export async function takeConfigFile(file: File, situation: DialSituation): Promise<void> {
  try {
    if (file.size > MAX_BYTES) throw new DuctusError("train/settings", `“${file.name.slice(0, 200)}” is far too large for a file of settings.`, "Choose a file that Ductus, TRL or PEFT has written.");
    const { config, leftOut, ignored } = readConfigFile(new Uint8Array(await file.arrayBuffer()), file.name);
    const named = Object.keys(JSON.parse(writeConfigFile(config)) as object).length - 1 - leftOut.length; // without the version
    recipeFile.set({ taken: { name: file.name, settings: named, leftOut, ignored, before: takeConfig(config, situation) }, error: null });
  } catch (error) {
    recipeFile.set({ taken: null, error: serializeError(error) });
  }
}

/** Puts the settings back as they were before the file or link. */
export function undoTaken(): void {
  const { taken } = recipeFile.get();
  if (taken !== null) goBackTo(taken.before);
  recipeFile.set({ taken: null, error: null });
}

export const configBytes = (config: SftConfig): Uint8Array => new TextEncoder().encode(writeConfigFile(config));

/** @param page address of the train page, without a # */
export function linkTo(page: string, current: Recipe, situation: DialSituation): string {
  const [all, byDial] = [configOf(current, situation), dialConfig(current.position, situation)].map((config) => JSON.parse(writeConfigFile(config)) as Record<string, unknown>);
  const differing = Object.fromEntries(Object.entries(all!).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(byDial![name])));
  return `${page}${LINK_HASH}${encodeURIComponent(JSON.stringify({ dial: current.position, ...differing }))}`;
}

/** Takes the settings of a link. */
export function takeLink(hash: string, situation: DialSituation): void {
  try {
    const { dial, ...named } = readLink(hash);
    const position = DIAL.find((one) => one === dial);
    if (position === undefined) throw damaged();
    const whole = { ...(JSON.parse(writeConfigFile(dialConfig(position, situation))) as object), ...named };
    const { config, ignored } = readConfigFile(new TextEncoder().encode(JSON.stringify(whole)), "the link");
    const before = takeConfig(config, situation, position);
    recipeFile.set({ taken: { name: null, settings: Object.keys(named).length, leftOut: [], ignored, before }, error: null });
  } catch (error) {
    recipeFile.set({ taken: null, error: serializeError(error) });
  }
}

function readLink(hash: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decodeURIComponent(hash.slice(LINK_HASH.length)));
  } catch (cause) {
    throw damaged(cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged();
  return value as Record<string, unknown>;
}

const damaged = (cause?: unknown): DuctusError =>
  new DuctusError("train/settings", "The link to these settings is damaged: a part of it is missing.", "Ask for it again, or set them by hand.", cause === undefined ? {} : { cause });
