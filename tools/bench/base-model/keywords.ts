/**
 * Whether the model uses the words that it is asked to write with. Held-out
 * passages of prose, four words of each by the form's own rule; a word counts as
 * used where it stands whole in what was written, in any case. What it would
 * write of them unasked: the same words looked for in what it wrote for the
 * other passages, where they were not given.
 */
import { contentWords, toMessages } from "../../../lib/data/forms";
import { PASSAGE_LENGTHS } from "../../../lib/data/examples";
import { cutPassages } from "../../../lib/data/passages";
import { bootstrap, mean } from "../../../lib/eval/bootstrap";
import { Random } from "../../../lib/core/random";
import type { Measure } from "../measure";
import type { Kind } from "./corpus";
import { rounded } from "./rounded";
import type { Subject } from "./subject";
import type { HeldDocument } from "./windows";
import { wordsOf } from "./words";

const PASSAGES = 200;
const WORDS = 4;
const MAX_NEW_TOKENS = 120;
const TEMPERATURE = 0.7;
const SEED = "base.keywords";
/** Passages have paragraphs and sentences here; in conversations the form is not used. */
const PROSE: readonly Kind[] = ["book", "web"];

/** As the form chooses them, but always so many: half the time in order of appearance, half the time shuffled. */
export function drawKeyWords(passage: string, count: number, random: Random): string[] | null {
  const words = contentWords(passage);
  if (words.length < count) return null;
  const places = random.shuffle(words.map((_, i) => i)).slice(0, count).sort((a, b) => a - b);
  const chosen = places.map((i) => words[i]!);
  return random.uniform() < 0.5 ? random.shuffle(chosen) : chosen;
}

/** @returns the words of each passage, the same in every run */
export function heldOutKeyWords(documents: readonly Pick<HeldDocument, "kind" | "text">[], count = PASSAGES): string[][] {
  const random = new Random(SEED);
  const { low, high } = PASSAGE_LENGTHS;
  const nextLength = () => ({ low: random.pick(low), high: random.pick(high), max: Math.max(...high) });
  const passages = documents.filter(({ kind }) => PROSE.includes(kind)).flatMap(({ text }) => cutPassages(text, nextLength));
  const drawn = random.shuffle(passages).map(({ text }) => drawKeyWords(text, WORDS, random));
  return drawn.filter((words) => words !== null).slice(0, count);
}

export interface Used {
  /** Share of the words given that were used. */
  given: number;
  /** Share of the same words in the texts that were written without them. */
  notGiven: number;
}

/** @param given key words of each passage @param texts what was written with them */
export function usedWords(given: readonly (readonly string[])[], texts: readonly string[]): Used[] {
  const written = texts.map((text) => new Set(wordsOf(text)));
  return given.map((words, i) => {
    let used = 0, chances = 0;
    words.forEach((word) => written.forEach((others, j) => {
      if (j === i || given[j]!.includes(word)) return;
      chances++;
      if (others.has(word)) used++;
    }));
    return { given: mean(words.map((word) => (written[i]!.has(word) ? 1 : 0))), notGiven: chances === 0 ? 0 : used / chances };
  });
}

export async function measureKeyWords(subject: Subject, documents: readonly HeldDocument[]): Promise<Measure & Record<string, unknown>> {
  const given = heldOutKeyWords(documents);
  const prompts = given.map((words) => subject.tokenizer.encodeChat(toMessages({ form: "keywords", words }), true));
  const written = await subject.write(prompts, SEED, { temperature: TEMPERATURE, maxNewTokens: MAX_NEW_TOKENS, stopTokenIds: subject.folder.stopTokenIds });
  const used = usedWords(given, written.map((tokens) => subject.tokenizer.decode(tokens)));
  const value = (sample: readonly Used[]) => mean(sample.map((one) => one.given));
  const baseline = (sample: readonly Used[]) => mean(sample.map(({ notGiven }) => notGiven));
  const ratio = (sample: readonly Used[]) => value(sample) / baseline(sample);
  const [interval, ratios] = [bootstrap(used, value, SEED), bootstrap(used, ratio, SEED)];
  return {
    name: "base.keywords", value: rounded(value(used)), unit: "share", baseline: rounded(baseline(used)), ratio: rounded(ratio(used)), low: rounded(interval.low), high: rounded(interval.high), n: used.length,
    ratioLow: rounded(ratios.low), ratioHigh: rounded(ratios.high), tokensWritten: mean(written.map(({ length }) => length)),
    note: `${WORDS} words a passage, at most ${MAX_NEW_TOKENS} tokens, temperature ${TEMPERATURE}; baseline: the same words in the texts written for the other passages`,
  };
}
