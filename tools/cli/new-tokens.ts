/** Special tokens that a run adds: their names from a file, the tokenizer that knows them, and its files beside the adapter. */
import { DuctusError } from "../../lib/core/errors";
import { parseStrictJson } from "../../lib/train/adapter/strict-json";
import { planAddedTokens } from "../../lib/train/model/added-tokens";
import { createTokenizer, type TextTokenizer } from "../../lib/train/model/tokenizer";
import type { ModelFolder } from "./model-folder";
import { copyTokenizer } from "./out-folder";
import { readText, resolvePath, writeFile } from "./paths";

export interface NewTokens {
  /** Of all that the file names, for trainable_token_indices. */
  ids: readonly number[];
  /** Of those that the model's tokenizer does not know. */
  added: readonly number[];
  /** The model's, with them. */
  tokenizer: TextTokenizer;
  /** Writes the tokenizer's files into a folder. */
  write(out: string): void;
}

/** @throws DuctusError `train/settings` where the file is no list of names, and those of planAddedTokens */
export function readNewTokens(given: string, { path, config, tokenizerFiles }: ModelFolder): NewTokens {
  const { ids, added, files } = planAddedTokens(config, tokenizerFiles, readNames(given));
  return {
    ids, added: added.map(({ id }) => id), tokenizer: createTokenizer(files.tokenizerJson, files.tokenizerConfig),
    write(out) {
      copyTokenizer(path, out);
      writeFile(out, "tokenizer.json", JSON.stringify(files.tokenizerJson));
      writeFile(out, "tokenizer_config.json", JSON.stringify(files.tokenizerConfig));
    },
  };
}

function readNames(given: string): string[] {
  const wrong = (fault: string, cause?: unknown) => new DuctusError("train/settings", `“${given}” ${fault}.`, "Write it as [\"<|first|>\", \"<|second|>\"].", cause === undefined ? {} : { cause });
  let json: unknown;
  try {
    json = parseStrictJson(new TextEncoder().encode(readText(resolvePath(given))));
  } catch (cause) {
    if (cause instanceof DuctusError) throw cause;
    throw wrong(`cannot be read as JSON: ${(cause as Error).message}`, cause);
  }
  if (!Array.isArray(json) || !json.every((name) => typeof name === "string")) throw wrong("does not hold a JSON array of texts");
  return json;
}
