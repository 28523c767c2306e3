/**
 * The prompt forms the embedded model was taught, as chat messages: go on from a
 * passage, write a passage from key words, reply in a conversation. The wording
 * is fixed: a model answers best to the very strings it was trained on. The
 * tokenizer's chat template turns messages into tokens elsewhere.
 */
import type { Random } from "../core/random";
import { wordSpans } from "./words";

export interface Message {
  role: "user" | "assistant";
  content: string;
}

/** What a person or a training example asks for. */
export type PromptSpec = { form: "continue"; passage: string } | { form: "keywords"; words: string[] };
export type PromptForm = PromptSpec["form"];

/** Words that say nothing about what a passage is about: English function words of four letters or more. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "about above across after again against almost along already also although always among another anything around away back because been before " +
    "behind being below between beyond both came cannot come could did didn't does doesn't doing don't done down during each either else enough even ever every everything " +
    "from gave give goes going gone hadn't hasn't have haven't having here hers herself himself however i'll i've i'm indeed instead into isn't it's itself " +
    "just keep kept knew know known less like made make many maybe might mine more most much must myself neither never nothing often once only onto other others ought ours " +
    "ourselves over perhaps quite rather really said same says seem seemed shall she's should since some something soon still such take than that that's their theirs them " +
    "themselves then there there's therefore these they they're this those though through thus till together told took toward towards unless until unto upon used very want was " +
    "wasn't were weren't what what's whatever when where whether which while whom whose will with within without won't would wouldn't yourself yours your you'll you're you've"
  ).split(" "),
);

export const MAX_KEY_WORDS = 8;

/** The messages that ask for a text, ending with the user's. */
export function toMessages(prompt: PromptSpec): Message[] {
  switch (prompt.form) {
    case "continue":
      return [{ role: "user", content: `Continue:\n\n${prompt.passage}` }];
    case "keywords":
      return [{ role: "user", content: `Write with these words: ${prompt.words.join(", ")}` }];
    default:
      return prompt satisfies never;
  }
}

/** The different words of a passage that may serve as key words, lower case, in order of appearance. */
export function contentWords(passage: string): string[] {
  const words = new Set<string>();
  for (const { start, end } of wordSpans(passage)) {
    const word = passage.slice(start, end).toLowerCase().replace(/’/g, "'");
    if (/^\p{L}[\p{L}\p{M}']*$/u.test(word) && isLongEnough(word) && !STOP_WORDS.has(word)) words.add(word);
  }
  return [...words];
}

/** Four letters; two characters in scripts that write a word in one or two. */
function isLongEnough(word: string): boolean {
  return [...word].length >= (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(word) ? 2 : 4);
}

/** One to eight key words of a passage, half the time in order, half the time shuffled; null where it has none. */
export function chooseKeyWords(passage: string, random: Random): string[] | null {
  const words = contentWords(passage);
  if (words.length === 0) return null;
  const count = 1 + random.int(Math.min(MAX_KEY_WORDS, words.length));
  const places = random.shuffle(words.map((_, i) => i)).slice(0, count).sort((a, b) => a - b);
  const chosen = places.map((i) => words[i] as string);
  return random.uniform() < 0.5 ? random.shuffle(chosen) : chosen;
}
