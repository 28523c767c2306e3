/** Models in words: how large, how held. */
import type { Storage } from "../../lib/train/model/held";
import { count, decimal } from "./format";

const BITS: Record<Storage, string> = { f32: "32-bit", f16: "16-bit", q8: "8-bit", q4: "4-bit" };

export const bitsWords = (storage: Storage): string => BITS[storage];

/** "11.5 million parameters", "1.5 billion parameters". */
export function parametersWords(parameters: number): string {
  if (parameters >= 1e9) return `${decimal(parameters / 1e9, 1)} billion parameters`;
  if (parameters >= 1e6) return `${decimal(parameters / 1e6, parameters < 1e8 ? 1 : 0)} million parameters`;
  return `${count(parameters)} parameters`;
}

/** The model that comes with the site: its name, and its folder's. */
export const EMBEDDED_NAME = "Ductus Base";
export const EMBEDDED_ID = "ductus-base";

/** A model of the hub is called by the second part of its name; whose it is stands in the first. */
export const nameOfRepo = (repo: string): string => repo.split("/").at(-1) ?? repo;

/** @param licence as its repository names it; null where it names none */
export const licenceWords = (licence: string | null): string => (licence === null ? "no licence is named" : `licence ${licence}`);
