/**
 * What a difference on held-out writing means, in words for people who know no
 * statistics. A difference counts as one when its interval leaves zero out.
 */
import * as z from "zod";
import type { Estimate } from "./estimate";

export const verdictSchema = z.strictObject({
  kind: z.enum(["less surprised", "more surprised", "no clear difference", "no difference", "too little"]),
  /** Goes after the name of the second system. */
  words: z.string(),
});
export type Verdict = z.infer<typeof verdictSchema>;

export interface Surprise {
  before: number;
  after: number;
  unit: "perplexity" | "bits per byte";
  /** Change of the loss as a share of it. */
  share: number;
}

/** Below this change of the loss, a difference is small, however clear; the page's sentence on a run says so from here on, too. */
const SMALL_SHARE = 0.05;

/** @param difference after less before, with its interval */
export function verdictOf({ value, low, high }: Estimate, { before, after, unit, share }: Surprise): Verdict {
  if (value === null || low === null || high === null) return { kind: "too little", words: "too little held-out writing to tell" };
  const change = figures(before, after, unit === "perplexity").join(" → ");
  const numbers = unit === "perplexity" ? `perplexity ${change}` : `${change} bits per byte`;
  if (low === 0 && high === 0) return { kind: "no difference", words: "no difference at all" };
  if (low <= 0 && high >= 0) return { kind: "no clear difference", words: `no clear difference: ${numbers}` };
  const kind = value < 0 ? "less surprised" : "more surprised";
  return { kind, words: `${Math.abs(share) < SMALL_SHARE ? "a little " : ""}${kind} by your writing: ${numbers}` };
}

/** Two figures with as many decimals as show what differs. */
function figures(before: number, after: number, maybeWhole: boolean): [string, string] {
  const gap = Math.abs(before - after);
  const digits = maybeWhole && gap >= 2 && Math.min(before, after) >= 10 ? 0 : maybeWhole && gap >= 0.1 ? 1 : gap >= 0.01 || before === after ? 2 : 3;
  const write = (value: number): string => value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return [write(before), write(after)];
}
