/**
 * The dial: three answers to “how thorough?”, each of which sets every setting,
 * by the size of the model and the amount of writing. Balanced is the recipe of
 * recipes.ts. Measured with it on the two sample writers (npm run recipe, fall of
 * the test part's loss): 18.2 and 7.2 % balanced; quick, in half the time, 16.0
 * and 6.0; thorough 18.8 and 8.7. Of a fifth of their writing 13.3 and 5.9 %;
 * quick 11.7 and 4.5; with half as many passes again 13.1 and 5.3, with twice the
 * rank too 12.2 and 6.1: nothing that stands out. Large models were not measured.
 */
import type { SftConfig } from "./config";
import { defaultConfig, isSmallModel } from "./recipes";
import { differingSettings, type SettingDifference } from "./setting-words";
import { valueOf, type SettingKey, type SettingValue } from "./settings";

export const DIAL = ["quick", "balanced", "thorough"] as const;
export type DialPosition = (typeof DIAL)[number];

/** What the dial goes by. */
export interface DialSituation {
  /** Of the model, as its manifest says. */
  parameters: number;
  /** Of the writing, held-out parts included. */
  words: number;
}

/** Quick reads no more than so many words in all, however much there is: a large model reads ten times as slowly, or worse. */
const QUICK_WORDS = { small: 20_000, large: 6000 };
/** A part of the split that is learned from. */
const TRAIN_SHARE = 0.8;
/** Half the steps bear, and need, a higher rate. */
const QUICK_RATE = 1.5;
const THOROUGH_PASSES = 1.5;
/** With less a larger adapter gains nothing. */
const LITTLE_WORDS = 3000;

export function dialConfig(position: DialPosition, { parameters, words }: DialSituation): SftConfig {
  const balanced = defaultConfig(parameters, words);
  switch (position) {
    case "balanced":
      return balanced;
    case "quick": {
      const most = QUICK_WORDS[isSmallModel(parameters) ? "small" : "large"] / Math.max(1, TRAIN_SHARE * words);
      return { ...balanced, epochs: Math.max(0.01, Math.floor(100 * Math.min(balanced.epochs / 2, most)) / 100), learningRate: tidy(QUICK_RATE * balanced.learningRate), evaluations: 3 };
    }
    case "thorough": {
      const lora = words < LITTLE_WORDS ? balanced.lora : { ...balanced.lora, rank: 2 * balanced.lora.rank, alpha: 2 * balanced.lora.alpha };
      return { ...balanced, lora, epochs: THOROUGH_PASSES * balanced.epochs, evaluations: 2 * balanced.evaluations, earlyStoppingPatience: 4 };
    }
    default:
      return position satisfies never;
  }
}

/** Without the last digits of binary fractions: 0.009, not 0.009000000000000001. */
const tidy = (value: number): number => Number(value.toPrecision(6));

/** The default of a setting at each position. */
export function dialDefaults(key: SettingKey, situation: DialSituation): Record<DialPosition, SettingValue> {
  return Object.fromEntries(DIAL.map((position) => [position, valueOf(dialConfig(position, situation), key)])) as Record<DialPosition, SettingValue>;
}

/** Where the dial stands with these settings, whatever the seed; null where they are a person's own. */
export function dialOf(config: SftConfig, situation: DialSituation): DialPosition | null {
  return DIAL.find((position) => differingSettings({ ...config, seed: 0 }, { ...dialConfig(position, situation), seed: 0 }).length === 0) ?? null;
}

export interface DialWords {
  label: string;
  /** What it is for. */
  summary: string;
  /** From Balanced; empty for it. */
  differences: SettingDifference[];
}

const WORDS: Record<DialPosition, readonly [label: string, summary: string]> = {
  quick: ["Quick", "A first look: half the reading or less, at a higher rate. Most of the change of hand is there already; the finer habits are not."],
  balanced: ["Balanced", "What does well for this much writing."],
  thorough: ["Thorough", "Half as much reading again, and a larger adapter. It comes a little closer to your hand, or hardly; it ends by itself once it gains nothing, and the best state is kept."],
};
const LITTLE = "Half as much reading again, checked twice as often. With so little writing that gains hardly anything: adding writing would help far more. It ends by itself once it gains nothing.";

export function dialWords(position: DialPosition, situation: DialSituation): DialWords {
  const [label, summary] = WORDS[position];
  const differences = differingSettings(dialConfig("balanced", situation), dialConfig(position, situation));
  return { label, summary: position === "thorough" && situation.words < LITTLE_WORDS ? LITTLE : summary, differences };
}
