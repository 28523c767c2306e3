/** What is stored, and whether it will stay, in words. */
import type { StorageUsage } from "../../workers/keeper-protocol";

const NAMES: Record<keyof StorageUsage, string> = {
  writing: "Your writing",
  runs: "Training runs and conversations",
  adapters: "Adapters",
  checkpoints: "Checkpoints, to go on from",
  models: "Models",
  site: "The site itself, for use without a network",
};

export interface StoragePart {
  kind: keyof StorageUsage;
  name: string;
  bytes: number;
}

/** In one order, whatever their sizes, so that a kind is always found in its place. */
export const storageParts = (usage: StorageUsage): StoragePart[] => (Object.keys(NAMES) as (keyof StorageUsage)[]).map((kind) => ({ kind, name: NAMES[kind], bytes: usage[kind] }));

/** @param kept what the browser says of its promise; null where it says nothing @param asked it has been asked just now */
export function persistenceWords(kept: boolean | null, asked: boolean): string {
  if (kept === null) return "This browser does not say whether it may clear what lies here by itself. Save everything now and then.";
  if (kept) return asked ? "It was asked, and has promised to clear nothing of this site by itself." : "This browser has promised to clear nothing of this site by itself.";
  if (asked) return "It was asked, and did not promise. When the disk fills up, it may clear what lies here, writing included. Some browsers promise once a site is visited often, installed or bookmarked; until then, save everything now and then.";
  return "When the disk fills up, this browser may clear what lies here, writing included, unless it promises not to.";
}
