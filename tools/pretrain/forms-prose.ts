/**
 * Two of the forms from a stretch of prose, with the product's own cutting,
 * key-word rule and templates: go on from a passage, and write from key words.
 * A passage is a run of paragraphs as the product cuts them, or begins
 * anywhere: what is to be gone on from ends in the middle of a sentence, what is
 * written from key words begins with any sentence.
 */
import type { Random } from "../../lib/core/random";
import { DEFAULT_MAX_PROMPT_WORDS, PASSAGE_LENGTHS } from "../../lib/data/examples";
import { chooseKeyWords, type Message, type PromptForm, toMessages } from "../../lib/data/forms";
import { cutPassages, type PassageLength } from "../../lib/data/passages";
import { countWords, lastWords, paragraphSpans, sentenceSpans, spacedWordSpans } from "../../lib/data/words";
import type { Stretch } from "./corpus";
import { drawHabits, type Habit, writeWith } from "./forms-habits";
import type { Recipe } from "./recipe";

export interface FormExample {
  form: PromptForm | "reply";
  /** The whole of it, ending with the assistant's message. */
  messages: Message[];
  habits: ReadonlySet<Habit>;
}

/** Tokens that a stretch of prose should have: enough for some of the longest passages. */
export const PROSE_TOKENS = 900;

/** Words of passages of a sentence or two: what is asked for stands close together in them, so that they teach most about using it. */
const SHORT_LENGTHS = { low: [4, 8, 12], high: [16, 24, 36] } as const;

const LEAST_SHORT_WORDS = Math.min(...SHORT_LENGTHS.low);
const LEAST_WORDS = Math.min(...PASSAGE_LENGTHS.low), MOST_WORDS = Math.max(...PASSAGE_LENGTHS.high);

/** Null where the stretch does not serve. */
export function proseExample(stretch: Stretch, recipe: Recipe["forms"], random: Random): FormExample | null {
  const form: PromptForm = random.uniform() < recipe.continueShare ? "continue" : "keywords";
  const anywhere = random.uniform() < recipe.anywhereShare;
  const short = form === "keywords" && random.uniform() < recipe.shortShare;
  const pair = form === "continue" && anywhere ? cutAnywhere(stretch, random) : cutAsProduct(stretch, form, { anySentence: anywhere, short }, random);
  if (pair === null) return null;
  const habits = drawHabits(recipe.habits, random);
  const completion = writeWith(habits, pair.passage, random);
  if (countWords(completion) < (short ? LEAST_SHORT_WORDS : LEAST_WORDS)) return null;
  if (form === "continue") {
    const passage = writeWith(habits, pair.before, random);
    return { form, habits, messages: [...toMessages({ form, passage }), { role: "assistant", content: completion }] };
  }
  const words = chooseKeyWords(completion, random);
  return words && { form, habits, messages: [...toMessages({ form, words }), { role: "assistant", content: completion }] };
}

/** A passage, and that before it as the product shows it; "" where the passage is to be written from key words. */
interface Pair {
  before: string;
  passage: string;
}

function cutAsProduct(stretch: Stretch, form: PromptForm, { anySentence, short }: { anySentence: boolean; short: boolean }, random: Random): Pair | null {
  const text = fromBeginningOf(anySentence ? sentenceSpans : paragraphSpans, stretch);
  const { low, high } = short ? SHORT_LENGTHS : PASSAGE_LENGTHS;
  const [least, max] = [Math.min(...low), Math.max(...high)];
  const nextLength = (): PassageLength => ({ low: random.pick(low), high: random.pick(high), max });
  const passages = cutPassages(text, nextLength);
  if (!stretch.toEnd) passages.pop(); // it may be cut off
  const first = form === "continue" ? 1 : 0;
  if (passages.length <= first) return null;
  // Any sentence: only the first passage begins there.
  const at = anySentence ? first : first + random.int(passages.length - first);
  const [before, passage] = [passages[at - 1], passages[at]];
  if (passage === undefined || passage.words < least || passage.words > max) return null;
  return { before: before === undefined ? "" : lastWords(before.text, DEFAULT_MAX_PROMPT_WORDS), passage: passage.text };
}

/** The stretch from its second paragraph (sentence) on, since its first may be cut off; from its second sentence where it has but one paragraph. */
function fromBeginningOf(spansOf: typeof sentenceSpans, { text, fromBeginning }: Stretch): string {
  if (fromBeginning) return text;
  const start = spansOf(text)[1]?.start ?? sentenceSpans(text)[1]?.start ?? text.length;
  return text.slice(start);
}

/** The prompt begins and ends at any word and is often short; the completion goes on from there and ends with a sentence. */
function cutAnywhere({ text, fromBeginning }: Stretch, random: Random): Pair | null {
  const words = spacedWordSpans(text).slice(fromBeginning ? 0 : 1);
  const shown = random.uniform() < 0.3 ? 2 + random.int(10) : 5 + random.int(DEFAULT_MAX_PROMPT_WORDS - 4);
  const most = LEAST_WORDS + random.int(MOST_WORDS - LEAST_WORDS + 1);
  if (words.length < shown + most) return null;
  const from = random.int(words.length - shown - most + 1);
  const start = words[from]?.start ?? 0, cut = words[from + shown]?.start ?? text.length, end = words[from + shown + most]?.start ?? text.length;
  const rest = text.slice(cut, end);
  // The last sentence of `rest` may be cut off by `most`, all before it end.
  const ends = sentenceSpans(rest).slice(0, -1).map((span) => span.end).filter((end) => countWords(rest.slice(0, end)) >= LEAST_WORDS);
  const last = ends.at(-1);
  if (last === undefined) return null;
  return { before: text.slice(start, cut).trim(), passage: rest.slice(0, last).trim() };
}
