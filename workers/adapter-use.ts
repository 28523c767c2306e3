/**
 * An adapter from a file and the model in use, made to fit one another where
 * the adapter brings rows of the vocabulary: only the rows that it changed, names
 * that the model's tokenizer does not know already, a tokenizer that knows those
 * as well. Reading files is lib/train/adapter's.
 */
import { DuctusError } from "../lib/core/errors";
import { createTokenizer, type TextTokenizer } from "../lib/train/model/tokenizer";
import { dropUnchangedRows, extendTokenizer, withHeadRows, type TokenizerFiles } from "../lib/train/model/added-tokens";
import type { ReadyModel } from "../lib/train/model/embedded";
import type { OpenedAdapter } from "../lib/train/adapter/file";
import { flatAdapter } from "../lib/train/adapter/tensors";
import type { AddedToken, LoraAdapter } from "../lib/train/adapter/types";
import type { AdapterTensors } from "../lib/train/execution/types";

export interface FittedAdapter {
  adapter: LoraAdapter;
  /** Those of its tokens that the model's own tokenizer does not know. */
  addedTokens: readonly AddedToken[];
}

/** Leaves out what is the model's own: a matrix that PEFT saved as a whole has few rows that were trained. */
export function fitAdapter({ config, weights, tokenizer }: Pick<ReadyModel, "config" | "weights" | "tokenizer">, { adapter, addedTokens }: Pick<OpenedAdapter, "adapter" | "addedTokens">): FittedAdapter {
  if (adapter.tokens === null) return { adapter, addedTokens: [] };
  const tokens = dropUnchangedRows(config, weights, adapter.tokens);
  const kept = new Set(tokens?.ids);
  return { adapter: { ...adapter, tokens }, addedTokens: addedTokens.filter(({ id, content }) => kept.has(id) && tokenizer.tokenId(content) !== id) };
}

/**
 * The model's tokenizer, with the names of the adapter's tokens in it.
 * @throws DuctusError `adapter/other-tokens` where the model has other tokens in their places
 */
export async function tokenizerFor(model: { tokenizer: TextTokenizer; tokenizerFiles(): Promise<TokenizerFiles> }, addedTokens: readonly AddedToken[]): Promise<TextTokenizer> {
  if (addedTokens.length === 0) return model.tokenizer;
  const { tokenizerJson, tokenizerConfig } = await model.tokenizerFiles();
  try {
    const files = extendTokenizer({ tokenizerJson, tokenizerConfig }, addedTokens);
    return createTokenizer(files.tokenizerJson, files.tokenizerConfig);
  } catch (cause) {
    throw new DuctusError("adapter/other-tokens", "This adapter brings tokens of its own, and this model's tokenizer has others in their places.", "Use it with the model it was made for, or train a new one here.", { cause });
  }
}

/** Its tensors by name, as executions and generators take them. */
export function adapterTensors({ config, weights }: Pick<ReadyModel, "config" | "weights">, adapter: LoraAdapter): AdapterTensors {
  return flatAdapter({ ...adapter, tokens: adapter.tokens && withHeadRows(config, weights, adapter.tokens) });
}

/** Says which adapters can share a generator: those of the same shape, with the same rows of the vocabulary. */
export function shapeKey({ rank, alpha, useRslora, targetModules, tokens }: LoraAdapter): string {
  return JSON.stringify([rank, alpha, useRslora, [...targetModules].sort(), tokens?.ids ?? []]);
}
