/** Opens a model folder in Hugging Face's layout, and a PEFT folder beside it, for the commands. */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import { mergedVocabSize } from "../../lib/train/adapter/merge";
import { adapterFromPeft, CONFIG_FILE, WEIGHTS_FILE } from "../../lib/train/adapter/peft";
import type { LoraAdapter } from "../../lib/train/adapter/types";
import type { TokenizerFiles } from "../../lib/train/model/added-tokens";
import type { ModelConfig } from "../../lib/train/model/config";
import { missingFile, readJson, type ModelFiles } from "../../lib/train/model/files";
import type { HeldTensor, HeldWeights } from "../../lib/train/model/held";
import { dequantize } from "../../lib/train/model/quantize";
import { openSettings } from "../../lib/train/model/load";
import { createTokenizer, type TextTokenizer } from "../../lib/train/model/tokenizer";
import { loadCheckpoint, loadHeldWeights, type HeldCheckpoint } from "../../lib/train/model/weights";
import type { Backend } from "../../lib/train/runtime/backend";
import { openNode } from "../../lib/train/runtime/node";
import { openFileSource } from "./file-source";
import type { Options } from "./options";
import { isFile, isFolder, MAX_BINARY_BYTES, readBytes, readText, resolvePath } from "./paths";

/** A model but for its weights. */
export interface ModelFolder {
  path: string;
  files: ModelFiles;
  config: ModelConfig;
  tokenizer: TextTokenizer;
  /** The model's own, as parsed. */
  tokenizerFiles: TokenizerFiles;
  /** Tokens that end a text: those of generation_config.json and config.json; where they name none, the tokenizer's. */
  stopTokenIds: number[];
}

const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"];
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** A folder on disk as a model's files. */
function nodeFiles(path: string): ModelFiles {
  const names = filesIn(path);
  return { names: () => names, open: (name) => (names.includes(name) ? openFileSource(join(path, name)) : Promise.reject(missingFile(name))) };
}

function requireFolder(given: string, path: string): void {
  if (!isFolder(path)) throw new DuctusError("file/not-found", `There is no folder “${given}”.`, "Check the path.");
}

/**
 * @param adapterPath an adapter whose folder holds a tokenizer brings tokens of its own: that tokenizer is then used
 * @throws DuctusError `file/not-found`, `model/not-a-folder` where there is no model, and those of openSettings
 */
export async function openModelFolder(given: string, adapterPath?: string): Promise<ModelFolder> {
  const path = resolvePath(given);
  requireFolder(given, path);
  const missing = ["config.json", ...TOKENIZER_FILES].filter((name) => !isFile(join(path, name)));
  if (missing.length > 0) throw new DuctusError("model/not-a-folder", `“${given}” is not a model's folder: it has no ${missing.join(", no ")}.`, "Name a folder in Hugging Face's layout.");
  const files = nodeFiles(path);
  const { config, tokenizer, tokenizerJson, tokenizerConfig, stopTokenIds: ends } = await openSettings(files);
  const own = tokenizerFolder(path, adapterPath);
  return { path, files, config, tokenizerFiles: { tokenizerJson, tokenizerConfig }, tokenizer: own === path ? tokenizer : await readTokenizer(own), stopTokenIds: ends.length > 0 ? ends : [tokenizer.eosTokenId] };
}

/** The folder whose tokenizer is used: the adapter's, if it has one, else the model's. */
export function tokenizerFolder(modelPath: string, adapterPath: string | undefined): string {
  if (adapterPath === undefined) return modelPath;
  const path = resolvePath(adapterPath);
  return TOKENIZER_FILES.every((name) => isFile(join(path, name))) ? path : modelPath;
}

/** Of an adapter: it may know more tokens than the model has rows. */
async function readTokenizer(path: string): Promise<TextTokenizer> {
  const files = nodeFiles(path);
  const [json, settings] = [await readJson(files, TOKENIZER_FILES[0]!, MAX_JSON_BYTES), await readJson(files, TOKENIZER_FILES[1]!, MAX_JSON_BYTES)];
  const template = join(path, "chat_template.jinja");
  return createTokenizer(json, isFile(template) && typeof settings === "object" ? { ...settings, chat_template: readText(template) } : settings);
}

/** All weights, f32 but for those that the folder holds quantised. @throws DuctusError as loadHeldWeights */
export function loadFolderWeights({ config, files }: ModelFolder, progress: (text: string) => void): Promise<HeldWeights> {
  return loadHeldWeights(config, files, { matrices: "f32", embedding: "f32", onProgress: percentages("reading the model", progress) });
}

/** As {@link loadFolderWeights}, with their hash, which takes about as long again. */
export function loadFolderCheckpoint({ config, files }: ModelFolder, progress: (text: string) => void): Promise<HeldCheckpoint> {
  return loadCheckpoint(config, files, { matrices: "f32", embedding: "f32", onProgress: percentages("reading the model", progress) });
}

/** Tells of every tenth of a long work. */
export function percentages(what: string, progress: (text: string) => void): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const tenth = Math.floor((10 * done) / total);
    if (tenth === told) return;
    told = tenth;
    progress(`${what}: ${10 * tenth} %`);
  };
}

/** @throws DuctusError `file/not-found`, `adapter/not-a-folder`, and those of adapterFromPeft */
export function openAdapterFolder(given: string, config: ModelConfig): LoraAdapter {
  const path = resolvePath(given);
  requireFolder(given, path);
  const missing = [CONFIG_FILE, WEIGHTS_FILE].filter((name) => !isFile(join(path, name)));
  if (missing.length > 0) throw new DuctusError("adapter/not-a-folder", `“${given}” is not an adapter's folder: it has no ${missing.join(", no ")}.`, "Name a folder that PEFT or `sft` wrote.");
  return adapterFromPeft(readText(join(path, CONFIG_FILE)), readBytes(join(path, WEIGHTS_FILE), MAX_BINARY_BYTES, "Use an adapter of a lower rank."), config);
}

/** @param threads where the options name none; default: one for each core */
export function openBackend(options: Options, threads = availableParallelism()): Backend {
  return openNode(options.number("threads", threads, { least: 1, most: 256, whole: true }));
}

/**
 * The model with the adapter's rows of the vocabulary in their places, and the adapter without them: the graphs then
 * need to know nothing of them.
 */
export function withTrainedTokens(config: ModelConfig, weights: HeldWeights, adapter: LoraAdapter): { config: ModelConfig; weights: HeldWeights; adapter: LoraAdapter } {
  const { tokens } = adapter;
  if (!tokens) return { config, weights, adapter };
  const vocabSize = mergedVocabSize(adapter, config.vocabSize);
  const place = (name: string, rows: Float32Array | null): HeldTensor => {
    const data = new Float32Array(vocabSize * config.hiddenSize); // [vocab, hidden]
    data.set(dequantize(weights.get(name)!));
    if (rows) tokens.ids.forEach((id, i) => data.set(rows.subarray(i * config.hiddenSize, (i + 1) * config.hiddenSize), id * config.hiddenSize));
    return { storage: "f32", shape: [vocabSize, config.hiddenSize], data };
  };
  const placed = new Map(weights).set("model.embed_tokens.weight", place("model.embed_tokens.weight", tokens.rows));
  if (!config.tieWordEmbeddings) placed.set("lm_head.weight", place("lm_head.weight", tokens.headRows));
  return { config: { ...config, vocabSize }, weights: placed, adapter: { ...adapter, tokens: null } };
}

/** Names of the files in a folder. */
export const filesIn = (path: string) => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);

/** What the options --model, --adapter and --threads name. */
export interface Named extends ModelFolder {
  backend: Backend;
  /** For the config given; see {@link withTrainedTokens}. */
  adapter: LoraAdapter | null;
  /** Reads the weights, which takes a while: called once all else is known to be in order. */
  load(): Promise<{ config: ModelConfig; weights: HeldWeights; adapter: LoraAdapter | null }>;
}

/** @throws DuctusError as openModelFolder and openAdapterFolder */
export async function openNamed(options: Options, progress: (text: string) => void): Promise<Named> {
  const adapterPath = options.optionalText("adapter");
  const folder = await openModelFolder(options.text("model"), adapterPath);
  const adapter = adapterPath === undefined ? null : openAdapterFolder(adapterPath, folder.config);
  return {
    ...folder, adapter, backend: openBackend(options),
    async load() {
      const weights = await loadFolderWeights(folder, progress);
      return adapter ? withTrainedTokens(folder.config, weights, adapter) : { config: folder.config, weights, adapter };
    },
  };
}
