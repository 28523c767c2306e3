/**
 * What several systems write to the same prompts, beside what the writer wrote
 * there: different n-grams (distinct.ts), repetition within texts and among them
 * (repetition.ts), and the longest run of words taken from the training text
 * (copied.ts). All but the last depend on the amount of text, so the texts to a
 * prompt are first cut to the words of the shortest. Differences from the
 * writer's own are paired by prompt.
 */
import * as z from "zod";
import { bootstrapEstimate, estimateSchema, jackknifeEstimate, mapEstimate, type Estimate } from "./estimate";
import { CopiedRuns } from "./copied";
import { distinct } from "./distinct";
import { repeated, REPEATED_ORDERS, selfBleu } from "./repetition";
import { wordList } from "./word-list";

const DISTINCT_ORDERS = [1, 2, 3] as const;

const measureSchema = z.strictObject({
  value: estimateSchema,
  /** Less the writer's own, by prompt; null for the writer. */
  fromOwn: estimateSchema.nullable(),
});
const byOrder = z.array(z.strictObject({ n: z.int().positive(), ...measureSchema.shape }));

const writerSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** Mean words of a text before cutting. */
  meanWords: z.number(),
  distinct: byOrder,
  /** Shares of n-grams that stand earlier in the same text. */
  repeated: byOrder,
  /** Self-BLEU; null with fewer than two texts. */
  amongTexts: measureSchema,
  /** Words in a row that stand in the training text; of uncut texts. Null where no training text was given. */
  copied: z.strictObject({ median: estimateSchema, longest: z.int().nonnegative() }).nullable(),
});

export const varietyReportSchema = z.strictObject({
  prompts: z.int().nonnegative(),
  /** Words of each writer's texts after cutting. */
  words: z.int().nonnegative(),
  /** What the intervals were drawn over. */
  units: z.string(),
  own: writerSchema,
  systems: z.array(writerSchema),
});
export type VarietyReport = z.infer<typeof varietyReportSchema>;
type WriterVariety = z.infer<typeof writerSchema>;

export const writtenSchema = z.strictObject({
  /** What the writer wrote to each prompt. */
  own: z.array(z.string()).min(1),
  /** [prompts] of each system, in the same order. */
  systems: z.array(z.strictObject({ id: z.string(), name: z.string(), texts: z.array(z.string()) })),
  /** What was learned from; may be empty. */
  training: z.array(z.string()),
});
export type Written = z.infer<typeof writtenSchema>;

/** A prompt's two texts, as words. */
interface Pair {
  text: string[];
  own: string[];
}
type Statistic = (texts: readonly (readonly string[])[]) => number;

/** @throws RangeError where a system has not one text a prompt; as CopiedRuns */
export function varietyReport({ own, systems, training }: Written, seed: number | string): VarietyReport {
  if (systems.some(({ texts }) => texts.length !== own.length)) throw new RangeError("Every system has one text a prompt.");
  const writers = [{ id: "own", name: "Your own writing", texts: own }, ...systems];
  const whole = writers.map(({ texts }) => texts.map(wordList));
  const shortest = own.map((_, prompt) => Math.min(...whole.map((texts) => texts[prompt]!.length)));
  const cut = whole.map((texts) => texts.map((words, prompt) => words.slice(0, shortest[prompt])));
  const copied = copiedRuns(whole, training);
  const measured = writers.map(({ id, name }, w): WriterVariety => ({
    id, name,
    meanWords: whole[w]!.flat().length / own.length,
    ...measures(cut[w]!.map((text, prompt): Pair => ({ text, own: cut[0]![prompt]! })), w === 0, seed),
    copied: copied && { median: bootstrapEstimate(copied[w]!, middle, `${seed}/copied`), longest: Math.max(...copied[w]!) },
  }));
  return {
    prompts: own.length, words: shortest.reduce((a, b) => a + b, 0), own: measured[0]!, systems: measured.slice(1),
    units: `Over ${own.length} prompts: each drawn again and again for repetition and copying, each left out once where texts are compared with one another.`,
  };
}

function measures(pairs: readonly Pair[], isOwn: boolean, seed: number | string): Pick<WriterVariety, "distinct" | "repeated" | "amongTexts"> {
  const estimated = (statistic: Statistic, estimate: (statistic: (sample: readonly Pair[]) => number) => Estimate) => {
    const ofText = (sample: readonly Pair[]): number => statistic(sample.map(({ text }) => text));
    const ofOwn = (sample: readonly Pair[]): number => statistic(sample.map((pair) => pair.own));
    return { value: mapEstimate(estimate(ofText), toShare), fromOwn: isOwn ? null : estimate((sample) => ofText(sample) - ofOwn(sample)) };
  };
  const byLeavingOut = (statistic: Statistic) => estimated(statistic, (of) => jackknifeEstimate(pairs, of));
  return {
    distinct: DISTINCT_ORDERS.map((n) => ({ n, ...byLeavingOut((texts) => distinct(texts, n)) })),
    repeated: REPEATED_ORDERS.map((n) => ({ n, ...repeatedShare(pairs, n, isOwn, seed) })),
    amongTexts: byLeavingOut(selfBleu),
  };
}

/** The jackknife's bounds lie evenly around the value, and may pass what a share can be. */
const toShare = (value: number): number => Math.min(1, Math.max(0, value));

/** n-grams are counted once for each text, not once for each sample of the bootstrap. */
function repeatedShare(pairs: readonly Pair[], n: number, isOwn: boolean, seed: number | string) {
  const counted = pairs.map(({ text, own }) => ({ text: repeated(text, n), own: repeated(own, n) }));
  type Counted = (typeof counted)[number];
  const share = (sample: readonly Counted[], side: keyof Counted): number => sample.reduce((sum, one) => sum + one[side].repeated, 0) / sample.reduce((sum, one) => sum + one[side].all, 0);
  const estimate = (of: (sample: readonly Counted[]) => number): Estimate => bootstrapEstimate(counted, of, `${seed}/repeated ${n}`);
  return { value: estimate((sample) => share(sample, "text")), fromOwn: isOwn ? null : estimate((sample) => share(sample, "text") - share(sample, "own")) };
}

/** Longest run of each writer's every text. */
function copiedRuns(whole: readonly (readonly string[][])[], training: readonly string[]): number[][] | null {
  if (training.length === 0) return null;
  const runs = new CopiedRuns(whole.flat());
  for (const text of training) runs.read(wordList(text));
  const prompts = whole[0]!.length;
  return whole.map((_, w) => runs.longest.slice(w * prompts, (w + 1) * prompts));
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
