/**
 * A data file as examples to train on, as TRL 1.16's SFTTrainer prepares them:
 * tokens and end token, loss on completions or on all, cut at the end, rows that
 * are cut within their prompt dropped. A row of a single token is carried along,
 * though nothing is learned from it: nothing comes before it.
 */
import { basename } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import type { TextTokenizer } from "../../lib/train/model/tokenizer";
import { completionTokens, type TokenizedExample } from "../../lib/train/sft/batch";
import { readJsonLines } from "./json-lines";
import { TRAINING_FORMS, trainingRow, trainingTokens } from "./rows";

export interface DataSettings {
  /** null: where the data has completions. */
  completionOnlyLoss: boolean | null;
  /** null: nothing is cut. */
  maxLength: number | null;
}

export interface TrainingData {
  examples: TokenizedExample[];
  completionOnly: boolean;
}

/** @throws DuctusError `data/json-line`, `data/empty`, `data/nothing-to-learn`, and those of the tokenizer */
export function readExamples(path: string, tokenizer: TextTokenizer, settings: DataSettings, progress: (text: string) => void): TrainingData {
  const rows = readJsonLines(path, trainingRow, TRAINING_FORMS);
  // As in TRL the first row decides for all.
  const completionOnly = settings.completionOnlyLoss ?? "prompt" in rows[0]!.value;
  const examples: TokenizedExample[] = [];
  let cut = 0, dropped = 0, merged = 0;
  for (const { line, value } of rows) {
    const tokens = trainingTokens(tokenizer, value);
    if (tokens.merged) merged++;
    const ids = settings.maxLength === null ? tokens.ids : tokens.ids.slice(0, settings.maxLength);
    if (ids.length < tokens.ids.length) cut++;
    const promptLength = completionOnly ? tokens.promptLength : 0;
    const example = { ids, promptLength, documentId: `line-${line}`, completionBytes: 0 };
    if (ids.length > promptLength) examples.push(example);
    else dropped++;
  }
  if (!examples.some((example) => completionTokens(example) > 0)) throw new DuctusError("data/nothing-to-learn", `There is not a single token to learn from in ${basename(path)}.`, "Give completions, and a max_length that leaves room for them.");
  const told = (text: string) => progress(`${basename(path)}: ${text}`);
  if (merged > 0) told(`${merged} of ${rows.length} rows: the prompt's last tokens are others before the completion; the completion begins where they part`);
  if (cut > 0) told(`${cut} of ${rows.length} rows were cut at ${settings.maxLength} tokens`);
  if (dropped > 0) told(`${dropped} of ${rows.length} rows were left out: nothing of their completion is left`);
  return { examples, completionOnly };
}
