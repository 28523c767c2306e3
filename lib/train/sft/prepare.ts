/**
 * From a hand's documents to what the trainer eats: split by document, cut into
 * examples of the prompt forms, tokenised. A completion ends with the token that
 * ends a turn, so that the model learns where this person stops.
 */
import { DuctusError } from "../../core/errors";
import { dataHash, makeExamples, type Example } from "../../data/examples";
import { partsOf, splitDocuments, type Split, type SplitDocument, type SplitOptions } from "../../data/split";
import type { TextTokenizer } from "../model/tokenizer";
import { completionTokens, type TokenizedExample } from "./batch";
import type { SftConfig } from "./config";

export interface PreparedExample extends TokenizedExample {
  source: Example;
}

export interface PreparedData {
  split: Split;
  /** One list an epoch: each pass cuts the text and draws key words anew. */
  epochs: PreparedExample[][];
  validation: PreparedExample[];
  test: PreparedExample[];
  /** Of documents, split and settings. */
  dataHash: string;
}

const encoder = new TextEncoder();
/** No token of a Qwen tokenizer stands for more characters (its longest are runs of spaces). */
const MAX_TOKEN_CHARS = 128;

/**
 * Prompt in the chat template, completion, end of turn; cut at `maxLength`
 * tokens. A passage may hold a "word" of megabytes: only what can be kept of it
 * is encoded.
 */
export function tokenizeExample(tokenizer: TextTokenizer, example: Example, maxLength: number): PreparedExample {
  const prompt = tokenizer.encodeChat(example.messages, true);
  const completion = [...tokenizer.encode(example.completion.slice(0, maxLength * MAX_TOKEN_CHARS)), tokenizer.eosTokenId];
  const room = Math.max(0, maxLength - prompt.length);
  const kept = completion.length <= room ? example.completion : tokenizer.decode(completion.slice(0, room));
  return {
    ids: [...prompt, ...completion].slice(0, maxLength),
    promptLength: prompt.length,
    documentId: example.documentId,
    completionBytes: encoder.encode(kept).length,
    source: example,
  };
}

/** Examples tokenised between two breaths. */
const BREATH = 64;

/**
 * @param breathe awaited again and again while it works, so that a stop can be heard; what it throws ends the work
 * @param splitting shares and groups of the split; absent: 80/10/10, and no groups
 * @throws DuctusError `data/too-little` when a part of the split holds nothing to learn from or to check against
 */
export async function prepareData(documents: readonly SplitDocument[], splitSeed: number, config: SftConfig, tokenizer: TextTokenizer, breathe: () => Promise<void> = () => Promise.resolve(), splitting: SplitOptions = {}): Promise<PreparedData> {
  const split = splitDocuments(documents, splitSeed, splitting);
  const tokenized = async (part: "train" | "validation" | "test", pass: number): Promise<PreparedExample[]> => {
    const prepared: PreparedExample[] = [];
    for (const [i, example] of makeExamples(partsOf(split, part), { seed: splitSeed, pass }).entries()) {
      if (i % BREATH === 0) await breathe();
      const tokens = tokenizeExample(tokenizer, example, config.maxLength);
      if (completionTokens(tokens) > 0) prepared.push(tokens);
    }
    return prepared;
  };
  const epochs: PreparedExample[][] = [];
  for (let pass = 1; pass <= Math.ceil(config.epochs); pass++) epochs.push(await tokenized("train", pass));
  const data = {
    split,
    epochs,
    validation: await tokenized("validation", 0),
    test: await tokenized("test", 0),
    dataHash: await dataHash(documents, split, config),
  };
  if (data.epochs.some((e) => e.length === 0) || data.validation.length === 0 || data.test.length === 0) {
    throw new DuctusError("data/too-little", "There is too little writing here to learn from and to check against.", "Add more of your writing: a few thousand words work well.");
  }
  return data;
}
