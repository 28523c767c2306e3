/**
 * Opens a model's folder as transformers lays it out: config.json, the
 * optional generation_config.json, tokenizer.json with tokenizer_config.json
 * (and chat_template.jinja, where the template stands in a file of its own),
 * and the weights. Small files first, so that a folder that cannot be used is
 * refused before gigabytes are read. It places nothing on a device.
 */
import { DuctusError } from "../../core/errors";
import { parseGenerationConfig, parseModelConfig, type GenerationConfig, type ModelConfig } from "./config";
import { readJson, readSmall, type ModelFiles } from "./files";
import type { HeldWeights } from "./held";
import { stopTokenIds } from "./manifest";
import { createTokenizer, type TextTokenizer } from "./tokenizer";
import { loadCheckpoint, type HoldOptions } from "./weights";

/** The largest known tokenizer.json (a vocabulary of 256,000) has 34 MB. */
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

export interface ModelSettings {
  config: ModelConfig;
  /** Empty where the folder has no generation_config.json. */
  generationConfig: GenerationConfig;
  tokenizer: TextTokenizer;
  /** What the tokenizer was made from; the template is inside. */
  tokenizerJson: unknown;
  tokenizerConfig: unknown;
  /** Tokens that end a text. */
  stopTokenIds: number[];
}

export interface OpenedModel extends ModelSettings {
  weights: HeldWeights;
  /** Identifies the weights; see HeldCheckpoint. */
  sha256: string;
}

/**
 * All of a model but its weights.
 * @throws DuctusError `model/missing-file`, `model/damaged`, `model/unreadable`, `model/config`, `model/unsupported`,
 *   `model/tokenizer`, `model/old-tokenizer` (vocab.json and merges.txt only)
 */
export async function openSettings(files: ModelFiles): Promise<ModelSettings> {
  const names = new Set(files.names());
  const config = parseModelConfig(await readJson(files, "config.json", MAX_CONFIG_BYTES));
  const generationConfig = parseGenerationConfig(names.has("generation_config.json") ? await readJson(files, "generation_config.json", MAX_CONFIG_BYTES) : {});
  if (!names.has("tokenizer.json") && names.has("vocab.json") && names.has("merges.txt")) {
    throw new DuctusError("model/old-tokenizer", "This model has its tokenizer as vocab.json and merges.txt; the file tokenizer.json is missing.", "Take tokenizer.json from where the model came, or save the tokenizer again with transformers, and put it into the folder.");
  }
  const tokenizerConfig = withTemplate(
    await readJson(files, "tokenizer_config.json", MAX_CONFIG_BYTES),
    names.has("chat_template.jinja") ? decode(await readSmall(files, "chat_template.jinja", MAX_CONFIG_BYTES)) : null,
  );
  const tokenizerJson = await readJson(files, "tokenizer.json", MAX_TOKENIZER_BYTES);
  const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);
  if (tokenizer.vocabSize > config.vocabSize) {
    throw new DuctusError("model/tokenizer", `The model's tokenizer has tokens up to ${tokenizer.vocabSize - 1}, and its config.json says that it knows ${config.vocabSize}.`, "Fetch the model again, with all its files from the same place.");
  }
  return { config, generationConfig, tokenizer, tokenizerJson, tokenizerConfig, stopTokenIds: stopTokenIds({ config, generationConfig }) };
}

/**
 * A model with its weights, held as asked.
 * @throws DuctusError as {@link openSettings} and loadHeldWeights; the signal's reason where it aborts
 */
export async function openModelFiles(files: ModelFiles, options: HoldOptions): Promise<OpenedModel> {
  options.signal?.throwIfAborted();
  const settings = await openSettings(files);
  return { ...settings, ...(await loadCheckpoint(settings.config, files, options)) };
}

/** transformers prefers the file to what tokenizer_config.json holds. */
function withTemplate(tokenizerConfig: unknown, template: string | null): unknown {
  if (template === null || typeof tokenizerConfig !== "object" || tokenizerConfig === null || Array.isArray(tokenizerConfig)) return tokenizerConfig;
  return { ...tokenizerConfig, chat_template: template };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DuctusError("model/damaged", "The model's file chat_template.jinja is not text.", "Take it from where it came once more, and try again.", { cause });
  }
}
