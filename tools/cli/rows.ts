/**
 * What a line of a data file may hold, and its tokens: plain text, a prompt with
 * its completion, or a conversation, in the forms and with the tokens of TRL
 * 1.16's SFTTrainer. As with a transformers tokenizer, the name of a special
 * token in a plain text is that token. In conversations special tokens come
 * from the chat template alone; there, TRL would read their names too.
 */
import "../../lib/zod";
import * as z from "zod";
import type { TextTokenizer } from "../../lib/train/model/tokenizer";

const message = z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() });
const messages = z.array(message).min(1);

const conversation = z.object({ messages });
const textPair = z.object({ prompt: z.string(), completion: z.string() });
const messagePair = z.object({ prompt: messages, completion: messages });
const text = z.object({ text: z.string() });

export const trainingRow = z.union([textPair, messagePair, conversation, text]);
export type TrainingRow = z.infer<typeof trainingRow>;
export const TRAINING_FORMS = '{"text"}, {"prompt","completion"} (texts, or lists of {"role","content"}) or {"messages"}';

export const scoredRow = z.union([textPair, messagePair, text]);
export type ScoredRow = z.infer<typeof scoredRow>;
export const SCORED_FORMS = '{"text"} or {"prompt","completion"} (texts, or lists of {"role","content"})';

export const promptRow = z.union([z.object({ prompt: z.string().min(1) }), z.object({ prompt: messages }), conversation]);
export type PromptRow = z.infer<typeof promptRow>;
export const PROMPT_FORMS = '{"prompt"} (a text, or a list of {"role","content"}) or {"messages"}';

export interface RowTokens {
  ids: number[];
  /** Tokens of the prompt, where there is one. */
  promptLength: number;
  /** The prompt by itself gives other tokens at its end than before the completion. */
  merged: boolean;
}

/** A text as a transformers tokenizer gives it: with the beginning token of its post-processor, if it has one. */
export function textTokens(tokenizer: TextTokenizer, content: string): number[] {
  return [...tokenizer.textPrefixIds, ...tokenizer.encode(content, { allowSpecial: true })];
}

/** A row without an end of its own: what its lines say and nothing more. */
export function rowTokens(tokenizer: TextTokenizer, row: TrainingRow): RowTokens {
  if ("messages" in row) return { ids: tokenizer.encodeChat(row.messages, false), promptLength: 0, merged: false };
  if ("text" in row) return { ids: textTokens(tokenizer, row.text), promptLength: 0, merged: false };
  const [prompt, ids] = typeof row.prompt === "string"
    ? [textTokens(tokenizer, row.prompt), textTokens(tokenizer, row.prompt + (row.completion as string))]
    : [tokenizer.encodeChat(row.prompt, true), tokenizer.encodeChat([...row.prompt, ...(row.completion as typeof row.prompt)], false)];
  // The completion starts where the two part, which may be within what was the prompt's last token.
  let promptLength = 0;
  while (promptLength < prompt.length && promptLength < ids.length && prompt[promptLength] === ids[promptLength]) promptLength++;
  return { ids, promptLength, merged: promptLength < prompt.length };
}

/** As SFTTrainer prepares a row: texts and completions end with the end token, unless they do so already; a chat template ends its turns itself. */
export function trainingTokens(tokenizer: TextTokenizer, row: TrainingRow): RowTokens {
  const tokens = rowTokens(tokenizer, row);
  const written = "text" in row ? row.text : "completion" in row && typeof row.completion === "string" ? row.completion : null;
  if (written === null) return tokens;
  const ended = written !== "" && tokens.ids.at(-1) === tokenizer.eosTokenId;
  return ended ? tokens : { ...tokens, ids: [...tokens.ids, tokenizer.eosTokenId] };
}

export function promptTokens(tokenizer: TextTokenizer, row: PromptRow): number[] {
  const prompt = "messages" in row ? row.messages : row.prompt;
  return typeof prompt === "string" ? textTokens(tokenizer, prompt) : tokenizer.encodeChat(prompt, true);
}

/** UTF-8 bytes of what is scored: the completion, or the whole text. */
export function scoredBytes(row: ScoredRow): number {
  const written = "text" in row ? [row.text] : typeof row.completion === "string" ? [row.completion] : row.completion.map(({ content }) => content);
  return written.reduce((sum, part) => sum + new TextEncoder().encode(part).byteLength, 0);
}
