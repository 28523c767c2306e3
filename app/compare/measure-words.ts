/**
 * The figures of a report as the page lists them: for each measure its name and
 * meaning, a line for each writer with its interval, and a sentence on what it
 * says. The figures are lib/eval's.
 */
import type { HeldOutReport } from "../../lib/eval/held-out";
import type { CompareReport } from "../../lib/eval/report";
import type { VarietyReport } from "../../lib/eval/variety";
import { count, decimal } from "../_components/format";

interface Estimate { value: number | null; low: number | null; high: number | null }

/** Whose a line is: the writer's, the model's as it came, the taught one's that is looked at, another's. */
export type Who = "own" | "base" | "tuned" | "other";

export interface Line extends Estimate {
  id: string;
  who: Who;
  name: string;
}

export interface Measure {
  id: string;
  name: string;
  meaning: string;
  lines: Line[];
  write: (value: number) => string;
  /** Goes after what was written, once for both ends of an interval. */
  unit: (value: number) => string;
  /** What it says; empty where the lines say all. */
  sentence: string;
}

export interface Whose {
  baseId: string;
  adapterId: string;
  /** Of a system that is neither. */
  nameOf: (id: string) => string;
}

const whoOf = (id: string, { baseId, adapterId }: Whose): Who => (id === baseId ? "base" : id === adapterId ? "tuned" : "other");
const lineOf = (id: string, estimate: Estimate, whose: Whose): Line => {
  const who = whoOf(id, whose);
  return { id, who, name: who === "base" ? "Before" : who === "tuned" ? "After" : whose.nameOf(id), ...estimate };
};

const perplexity = (value: number): string => (value >= 100 ? count(value) : decimal(value, 1));
const thousandths = (value: number): string => decimal(value, 3);
const hundredths = (value: number): string => decimal(100 * value, 1);
const percent = (value: number): string => `${hundredths(value)} %`;
const some = (value: number): string => decimal(value, Number.isInteger(value) ? 0 : 1);
const wordsUnit = (value: number): string => (value === 1 ? " word" : " words");
const words = (value: number): string => some(value) + wordsUnit(value);
const noUnit = (): string => "";
const percentUnit = (): string => " %";

/** @returns none where nothing was scored */
export function heldOutMeasures({ heldOut }: CompareReport, whose: Whose): Measure[] {
  if (heldOut === null) return [];
  const lines = (of: (system: HeldOutReport["systems"][number]) => Estimate): Line[] => heldOut.systems.map((system) => lineOf(system.id, of(system), whose));
  const pair = heldOut.comparisons.find(({ from, to }) => from === whose.baseId && to === whose.adapterId);
  const both = (of: (system: HeldOutReport["systems"][number]) => Estimate): [number | null, number | null] => [whose.baseId, whose.adapterId].map((id) => heldOut.systems.filter((system) => system.id === id).map((system) => of(system).value)[0] ?? null) as [number | null, number | null];
  const [baseBits, tunedBits] = both(({ bitsPerByte }) => bitsPerByte);
  return [
    { id: "perplexity", name: "Perplexity", meaning: "between how many next tokens it hesitates; lower is better", lines: lines((system) => system.perplexity), write: perplexity, unit: noUnit, sentence: pair?.perplexityRatio == null ? "" : differenceSentence(mapRatio(pair.perplexityRatio), percent) },
    { id: "loss", name: "Loss", meaning: "its surprise at each token, in nats; lower is better", lines: lines((system) => system.loss), write: thousandths, unit: noUnit, sentence: pair?.loss == null ? "" : differenceSentence(pair.loss, thousandths) },
    { id: "bits", name: "Bits per byte", meaning: "how briefly it could write your text down; lower is better", lines: lines((system) => system.bitsPerByte), write: thousandths, unit: noUnit, sentence: baseBits === null || tunedBits === null ? "" : roomSentence(baseBits, tunedBits) },
  ];
}

/** What it all comes to; empty where nothing was scored. */
export function headline({ heldOut }: CompareReport, { baseId, adapterId }: Whose): string {
  const verdict = heldOut?.comparisons.find(({ from, to }) => from === baseId && to === adapterId)?.verdict;
  if (verdict === undefined) return "";
  const { kind, words: said } = verdict;
  switch (kind) {
    case "less surprised":
    case "more surprised":
      return `Taught, it is ${said}.`;
    case "no clear difference":
    case "no difference":
    case "too little":
      return `There is ${said}.`;
    default:
      return kind satisfies never;
  }
}

/** As a part of what it was more than before. */
const mapRatio = ({ value, low, high }: Estimate): Estimate => ({ value: value && value - 1, low: low && low - 1, high: high && high - 1 });

function differenceSentence({ value, low, high }: Estimate, write: (value: number) => string): string {
  if (value === null) return "";
  if (low === 0 && high === 0) return "The same as before.";
  const side = (one: number): string => `${write(Math.abs(one))} ${one <= 0 ? "less" : "more"}`;
  if (low === null || high === null) return `${side(value)} than before; with so little text, that may be chance.`;
  if (low < 0 !== high < 0) return `${write(Math.abs(value)) === write(0) ? "About the same as before" : `${side(value)} than before`}, anywhere from ${side(low)} to ${side(high)}.`;
  const [near, far] = Math.abs(low) < Math.abs(high) ? [low, high] : [high, low];
  return `${side(value)} than before, between ${write(Math.abs(near))} and ${side(far)}.`;
}

function roomSentence(before: number, after: number): string {
  const share = 1 - after / before;
  if (Math.abs(share) < 0.0005) return "It needs as much room for your text as before.";
  return `It needs ${percent(Math.abs(share))} ${share > 0 ? "less" : "more"} room for your text than before.`;
}

type Writer = VarietyReport["own"];

/** @returns none where nothing was written */
export function varietyMeasures({ variety }: CompareReport, whose: Whose): Measure[] {
  if (variety === null) return [];
  const lines = (of: (writer: Writer) => Estimate): Line[] => [{ id: "own", who: "own", name: "You", ...of(variety.own) }, ...variety.systems.map((system) => lineOf(system.id, of(system), whose))];
  /** What it says of both models, set against the writer. */
  const beside = (of: (writer: Writer) => Estimate | null, [above, below]: readonly [string, string]): string => {
    const said = variety.systems.flatMap((system) => {
      const who = whoOf(system.id, whose), difference = of(system);
      return who === "other" || difference === null ? [] : [{ who, words: besideYou(difference, above, below) }];
    });
    const before = said.find(({ who }) => who === "base")?.words, after = said.find(({ who }) => who === "tuned")?.words;
    if (before === undefined || after === undefined) return "";
    return before === after ? `Before and after: ${after}.` : `Before: ${before}. After: ${after}.`;
  };
  const distinct = variety.own.distinct.map(({ n }, i): Measure => ({
    id: `distinct-${n}`, name: `Distinct-${n}`, meaning: n === 1 ? "different words, of all words" : `different runs of ${n} words, of all`,
    lines: lines((writer) => writer.distinct[i]!.value), write: hundredths, unit: percentUnit, sentence: beside((writer) => writer.distinct[i]!.fromOwn, ["more varied than you", "less varied than you"]),
  }));
  const third = variety.own.repeated.findIndex(({ n }) => n === 3);
  const measures: Measure[] = [
    ...distinct,
    { id: "repeated", name: "Repeats itself", meaning: "three words in a row that stood in the same text before", lines: lines((writer) => writer.repeated[third]!.value), write: hundredths, unit: percentUnit, sentence: beside((writer) => writer.repeated[third]!.fromOwn, ["more often than you", "less often than you"]) },
    { id: "alike", name: "Texts like one another", meaning: "Self-BLEU: how much each shares with the others", lines: lines((writer) => writer.amongTexts.value), write: hundredths, unit: percentUnit, sentence: beside((writer) => writer.amongTexts.fromOwn, ["more alike than yours", "less alike than yours"]) },
  ];
  if (variety.own.copied === null) return measures;
  return [...measures, { id: "copied", name: "Copied", meaning: "the longest run of words that also stands in what it learned from, in the middle one of the texts", lines: lines((writer) => writer.copied?.median ?? NOTHING), write: some, unit: wordsUnit, sentence: copiedSentence(variety, whose) }];
}

const NOTHING: Estimate = { value: null, low: null, high: null };

function besideYou({ value, low, high }: Estimate, above: string, below: string): string {
  if (value === null || low === null || high === null) return "too few texts to tell";
  return low > 0 ? above : high < 0 ? below : "no clear difference from you";
}

/** A run of so many words is no accident of the language. */
const RECITED_WORDS = 12;

function copiedSentence({ own, systems }: VarietyReport, whose: Whose): string {
  const tuned = systems.find(({ id }) => id === whose.adapterId)?.copied;
  if (tuned == null || own.copied === null) return "";
  const recites = tuned.longest >= RECITED_WORDS && tuned.longest > own.copied.longest;
  return `At most ${words(tuned.longest)} in a row after the teaching, and ${words(own.copied.longest)} in what you wrote yourself there.${recites ? " It recites some of what it has read." : ""}`;
}

/** How much all this rests on. */
export function restsOn({ heldOut, variety }: CompareReport, adapterId: string): string[] {
  const units = heldOut?.systems.find(({ id }) => id === adapterId)?.units;
  return [
    ...(units === undefined ? [] : [units.kind === "none" ? `${units.words} Little can be said from so little; more writing says more.` : units.words]),
    ...(variety === null ? [] : [`${count(variety.words)} words of each: texts to ${variety.prompts === 1 ? "one passage" : `${variety.prompts} passages`} kept aside, cut to the same length.`]),
  ];
}
