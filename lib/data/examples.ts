/**
 * Training and held-out examples from one part of a split: a prompt in one of
 * the forms and, as completion, a passage of the writer's. In one pass every
 * word is a completion once (but for passages that no prompt can be made for);
 * another pass cuts anew and draws other key words. Held-out parts use pass 0
 * only, so that they are the same in every run.
 */
import { sha256Hex } from "../core/hash";
import { Random } from "../core/random";
import { chooseKeyWords, type Message, type PromptForm, type PromptSpec, toMessages } from "./forms";
import { cutPassages, type Passage, type PassageLength } from "./passages";
import type { SplitDocument, SplitPart, Split } from "./split";
import { lastWords } from "./words";

export interface Example {
  /** Unique within a pass, the same whenever the same pass is made again. */
  id: string;
  documentId: string;
  form: PromptForm;
  /** The prompt, ending with the user's message. */
  messages: Message[];
  /** What the model is to write. */
  completion: string;
  /** Words of the completion. */
  words: number;
}

export interface ExampleOptions {
  seed: number;
  /** 0 for held-out parts; the number of the epoch for training. */
  pass?: number;
  /** Share of the completions asked for by "continue", as far as there is a passage before. Default 0.5. */
  continueShare?: number;
  /** Words of a completion are drawn for each from these. */
  lengths?: { low: readonly number[]; high: readonly number[] };
  /** A "continue" prompt shows at most this many of the last words of the passage before. Default 70. */
  maxPromptWords?: number;
}

/** The forms' passage lengths, in words: the embedded model learned the forms with completions of 15 to 120. */
export const PASSAGE_LENGTHS = { low: [15, 25, 40], high: [60, 90, 120] } as const;
export const DEFAULT_CONTINUE_SHARE = 0.5;
export const DEFAULT_MAX_PROMPT_WORDS = 70;

/** Examples of the given stretches (one part of a split), in the order of the text. */
export function makeExamples(parts: readonly SplitPart[], options: ExampleOptions): Example[] {
  const { seed, pass = 0, continueShare = DEFAULT_CONTINUE_SHARE, lengths = PASSAGE_LENGTHS, maxPromptWords = DEFAULT_MAX_PROMPT_WORDS } = options;
  const random = new Random(`examples/${seed}/${pass}`);
  const max = Math.max(...lengths.high);
  const nextLength = (): PassageLength => ({ low: random.pick(lengths.low), high: random.pick(lengths.high), max });
  const examples: Example[] = [];
  let due = random.uniform(); // the share is kept by carrying what is due, not by chance
  parts.forEach((part, p) => {
    let previous: Passage | null = null;
    for (const passage of cutPassages(part.text, nextLength)) {
      due = Math.min(due + continueShare, 2);
      const keyWords = chooseKeyWords(passage.text, random);
      let prompt: PromptSpec | null = null;
      if (previous !== null && continueShare > 0 && (due >= 1 || keyWords === null)) {
        prompt = { form: "continue", passage: lastWords(previous.text, maxPromptWords) };
        due -= 1;
      } else if (keyWords !== null) {
        prompt = { form: "keywords", words: keyWords };
      }
      if (prompt !== null) {
        examples.push({ id: `${pass}:${p}:${part.start + passage.start}`, documentId: part.documentId, form: prompt.form, messages: toMessages(prompt), completion: passage.text, words: passage.words });
      }
      previous = passage;
    }
  });
  return examples;
}

/** SHA-256 (hexadecimal) of texts in order, split and settings: two runs with the same one saw the same data. */
export async function dataHash(documents: readonly SplitDocument[], split: Split, config: unknown): Promise<string> {
  const place = new Map(documents.map((d, i) => [d.id, i])); // ids are random, places are not
  const texts = await Promise.all(documents.map((d) => sha256(d.text)));
  const parts = split.parts.map(({ part, documentId, start, end }) => [place.get(documentId) ?? null, part, start, end]);
  return sha256(JSON.stringify({ version: 1, texts, parts, config: sorted(config) }));
}

const sha256 = (text: string): Promise<string> => sha256Hex(new TextEncoder().encode(text));

/** The same value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([k, v]) => [k, sorted(v)]));
}
