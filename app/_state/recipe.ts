/**
 * What the next run will be made with: where the dial stands, what the person
 * has set otherwise, and the adapter to go on from. The dial and the person's
 * own settings are remembered in localStorage, beside the theme: they hold no
 * writing, and there is nothing to lose. What the settings mean is
 * lib/train/sft/settings.ts's; files and links are recipe-file.ts's.
 */
import type { SftConfig } from "../../lib/train/sft/config";
import { DIAL, dialConfig, dialOf, type DialPosition, type DialSituation } from "../../lib/train/sft/dial";
import { fault } from "../../lib/train/sft/setting-errors";
import { differingSettings } from "../../lib/train/sft/setting-words";
import { SETTINGS, valueOf, withValue, type SettingKey, type SettingValue } from "../../lib/train/sft/settings";
import { createStore } from "./store";

const KEY = "ductus-recipe";
/** What the address of a link to settings has behind its page; read by recipe-file.ts. */
export const LINK_HASH = "#settings=";

export type Changes = Readonly<Partial<Record<SettingKey, SettingValue>>>;

export interface Recipe {
  position: DialPosition;
  /** The person's own, whatever the dial says of them. */
  changes: Changes;
  /** An adapter to go on from; null: from nothing. Not remembered. */
  startAdapterId: string | null;
}

const USUAL: Recipe = { position: "balanced", changes: {}, startAdapterId: null };
export const recipe = createStore<Recipe>(USUAL);

let opened = false;

/** Reads what is remembered, and follows the other tabs. */
export function openRecipe(): void {
  if (opened) return;
  opened = true;
  const read = (): void => {
    try {
      const remembered = readRecipe(localStorage.getItem(KEY));
      recipe.set((r) => ({ ...r, ...remembered }));
    } catch {
      // Storage is switched off; the dial stands where it usually does.
    }
  };
  read();
  addEventListener("storage", ({ key }) => { if (key === KEY || key === null) read(); });
}

/** What cannot be read, or used, is as if it had never been set. */
export function readRecipe(text: string | null): Pick<Recipe, "position" | "changes"> {
  let value: unknown = null;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    // As if it had never been set.
  }
  const { position, changes } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const kept = typeof changes === "object" && changes !== null ? (changes as Record<string, unknown>) : {};
  return {
    position: DIAL.find((one) => one === position) ?? USUAL.position,
    changes: Object.fromEntries(SETTINGS.flatMap((setting) => {
      const own = kept[setting.key] as SettingValue | null | undefined;
      return own === undefined || own === null || fault(setting, own) !== null ? [] : [[setting.key, own]];
    })),
  };
}

function change(part: Partial<Recipe>): void {
  recipe.set((r) => ({ ...r, ...part }));
  const { position, changes } = recipe.get();
  try {
    localStorage.setItem(KEY, JSON.stringify({ position, changes }));
  } catch {
    // Storage is switched off; they last as long as the page.
  }
}

/** The settings as they stand. */
export function configOf({ position, changes }: Pick<Recipe, "position" | "changes">, situation: DialSituation): SftConfig {
  return (Object.keys(changes) as SettingKey[]).reduce((config, key) => withValue(config, key, changes[key]!), dialConfig(position, situation));
}

/** Turns the dial; what the person has set otherwise stays. */
export const turnDial = (position: DialPosition): void => change({ position });

export const goOnFrom = (startAdapterId: string | null): void => change({ startAdapterId });

/** Sets one; what the dial says already is nobody's own. */
export function setOne(key: SettingKey, value: SettingValue, situation: DialSituation): void {
  const { position, changes } = recipe.get();
  const { [key]: _, ...others } = changes;
  const asTheDial = differingSettings(withValue(dialConfig(position, situation), key, value), dialConfig(position, situation)).length === 0;
  change({ changes: asTheDial ? others : { ...others, [key]: value } });
}

export function resetOne(key: SettingKey): void {
  const { [key]: _, ...changes } = recipe.get().changes;
  change({ changes });
}

export const resetAll = (): void => change({ changes: {} });

/**
 * Takes settings as a whole: the dial where they are its own, else beside it what differs.
 * @param from where the dial is to stand; absent: where it fits, else where it stands
 * @returns what there was, to go back to
 */
export function takeConfig(config: SftConfig, situation: DialSituation, from?: DialPosition): Recipe {
  const before = recipe.get();
  const position = from ?? dialOf(config, situation) ?? before.position;
  const byDial = dialConfig(position, situation);
  change({ position, changes: Object.fromEntries(differingSettings(byDial, config).map(({ key }) => [key, valueOf(config, key)])) });
  return before;
}

export const goBackTo = (before: Recipe): void => change(before);

/** Those that are the person's own, in the order of the table, with what they would be by the dial. */
export function ownSettings(current: Recipe, situation: DialSituation): { key: SettingKey; label: string; own: string; byDial: string }[] {
  return differingSettings(configOf(current, situation), dialConfig(current.position, situation)).map(({ key, label, a, b }) => ({ key, label, own: a, byDial: b }));
}
