/**
 * Special tokens added to a model: which ids they get, what the tokenizer's
 * files say then, and the rows that they start from. Ids and files are as
 * Hugging Face's `add_tokens(…, special_tokens=True)` makes them; new rows start
 * as in transformers' `resize_token_embeddings` (Hewitt 2021), less the
 * covariance between columns. Rows beyond the vocabulary are never put into the
 * model's own matrices: the graphs take the trained rows beside these, with
 * their logits behind the vocabulary's ({@link columnOfToken}). Looking rows up
 * and gathering their gradients is the executions' part (execution/embed.ts),
 * files of adapters are adapter/trained-tokens.ts.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import type { AddedToken, TrainedTokens } from "../adapter/types";
import type { ModelConfig } from "./config";
import { held, type AnyWeights } from "./groups";
import { heldRow } from "./quantize";

/** The two files as parsed JSON. */
export interface TokenizerFiles {
  tokenizerJson: unknown;
  tokenizerConfig: unknown;
}

export interface AddedTokensPlan {
  /** In the order asked for. */
  tokens: readonly AddedToken[];
  /** Their ids, for settings and adapters. */
  ids: readonly number[];
  /** Those that the tokenizer did not know. */
  added: readonly AddedToken[];
  /** One more than the highest id that the model can now write; the model's own vocabulary where all fit into it. */
  vocabSize: number;
  /** The files with the new tokens in them. */
  files: TokenizerFiles;
}

const MAX_TOKENS = 1000;
const MAX_CHARS = 200;
const LONE_SURROGATE = /[\ud800-\udfff]/u;
/** transformers draws new rows with this share of the variance of the old ones. */
const NOISE_VARIANCE = 1e-9;

const tokenSchema = z.looseObject({ id: z.int().nonnegative(), content: z.string() });
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(tokenSchema).max(100_000),
  model: z.looseObject({ vocab: z.record(z.string(), z.int().nonnegative().max(10_000_000)) }),
});
const tokenizerConfigSchema = z.looseObject({ added_tokens_decoder: z.record(z.string(), z.unknown()).nullish() });

/**
 * Gives each token the id that the tokenizer has for it, or else the next free
 * one: within the model's vocabulary while it has rows to spare (as Qwen's), then
 * behind it.
 *
 * @throws DuctusError `model/added-tokens` (no such tokens can be added), `model/tokenizer` (the files are not readable)
 */
export function planAddedTokens(config: ModelConfig, files: TokenizerFiles, tokens: readonly string[]): AddedTokensPlan {
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) throw unfit(`between 1 and ${MAX_TOKENS} tokens can be added at once, and these are ${tokens.length}`);
  for (const token of tokens) {
    if (token.trim() === "" || token !== token.trim()) throw unfit("a token may not be empty, nor begin or end with a space");
    if (token.length > MAX_CHARS || LONE_SURROGATE.test(token)) throw unfit(`“${token.slice(0, 40)}…” is too long or not text`);
  }
  if (new Set(tokens).size !== tokens.length) throw unfit("one of them is given twice");
  const { added_tokens: known, model } = read(tokenizerSchema, files.tokenizerJson);
  const idOf = new Map<string, number>(Object.entries(model.vocab));
  for (const { content, id } of known) idOf.set(content, id);
  let next = 0;
  for (const id of idOf.values()) next = Math.max(next, id + 1);
  const planned = tokens.map((content) => ({ content, id: idOf.get(content) ?? next++ }));
  const beyond = planned.filter(({ id }) => id >= config.vocabSize);
  // Rows behind the vocabulary follow it without a gap: all of them must be among these.
  if (beyond.some(({ id }) => id >= config.vocabSize + beyond.length)) throw unfit(`the tokenizer has other tokens for which the model, with ${config.vocabSize} rows, has none`);
  return {
    tokens: planned,
    ids: planned.map(({ id }) => id),
    added: planned.filter(({ content }) => !idOf.has(content)),
    vocabSize: config.vocabSize + beyond.length,
    files: extendTokenizer(files, planned),
  };
}

/**
 * The files with these tokens as special ones that a text's words are never
 * merged into. What the tokenizer already has as such stays as it is.
 *
 * @throws DuctusError `model/added-tokens` where an id or a name is taken by another, `model/tokenizer`
 */
export function extendTokenizer(files: TokenizerFiles, tokens: readonly AddedToken[]): TokenizerFiles {
  const json = read(tokenizerSchema, files.tokenizerJson);
  const config = read(tokenizerConfigSchema, files.tokenizerConfig);
  const nameOf = new Map<number, string>();
  for (const [content, id] of Object.entries(json.model.vocab)) nameOf.set(id, content);
  for (const { content, id } of json.added_tokens) nameOf.set(id, content);
  const idOf = new Map([...nameOf].map(([id, content]) => [content, id]));
  const listed = new Set(json.added_tokens.map(({ id }) => id));
  const fresh: AddedToken[] = [];
  for (const { content, id } of tokens) {
    if ((nameOf.get(id) ?? content) !== content || (idOf.get(content) ?? id) !== id) throw unfit(`the tokenizer has another token in the place of “${content.slice(0, 40)}”`);
    nameOf.set(id, content);
    idOf.set(content, id);
    if (!listed.has(id)) fresh.push({ content, id });
    listed.add(id);
  }
  const entry = ({ content }: AddedToken) => ({ content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
  const addedTokens = [...json.added_tokens, ...fresh.map((token) => ({ id: token.id, ...entry(token) }))].sort((a, b) => a.id - b.id);
  return {
    tokenizerJson: { ...json, added_tokens: addedTokens },
    // Only files that list them: transformers reads the others' from tokenizer.json.
    tokenizerConfig: config.added_tokens_decoder
      ? { ...config, added_tokens_decoder: { ...config.added_tokens_decoder, ...Object.fromEntries(fresh.map((token) => [String(token.id), entry(token)])) } }
      : config,
  };
}

/** Rows to start training from. */
export interface InitialRows {
  /** [count, hidden] */
  rows: Float32Array;
  /** Of an untied head, [count, hidden]; null for a tied one. */
  headRows: Float32Array | null;
}

/**
 * Tokens that the tokenizer knew keep their rows; new ones start as the mean of
 * all rows, with noise of 1e-9 of each column's variance so that no two are alike.
 *
 * @param fresh the ids that are new, see {@link AddedTokensPlan}
 */
export function initialTokenRows(config: ModelConfig, weights: AnyWeights, ids: readonly number[], fresh: ReadonlySet<number>, seed: number | string): InitialRows {
  const rowsOf = (name: string) => {
    const table = tableOf(config, weights, name);
    const random = new Random(`tokens-${name}-${seed}`);
    const rows = new Float32Array(ids.length * config.hiddenSize); // [count, hidden]
    ids.forEach((id, i) => {
      const row = rows.subarray(i * config.hiddenSize, (i + 1) * config.hiddenSize);
      if (!fresh.has(id) && id < config.vocabSize) return heldRow(table, id, row);
      const { mean, deviation } = moments(config, weights, name);
      for (let k = 0; k < row.length; k++) row[k] = mean[k]! + Math.sqrt(NOISE_VARIANCE) * deviation[k]! * random.normal();
    });
    return rows;
  };
  return { rows: rowsOf("model.embed_tokens.weight"), headRows: config.tieWordEmbeddings ? null : rowsOf("lm_head.weight") };
}

/** The base model's own rows; beyond its vocabulary their mean, as a resized model has but for the noise. */
export function baseTokenRows(config: ModelConfig, weights: AnyWeights, ids: readonly number[]): InitialRows {
  const rowsOf = (name: string) => {
    const table = tableOf(config, weights, name);
    const rows = new Float32Array(ids.length * config.hiddenSize); // [count, hidden]
    ids.forEach((id, i) => {
      const row = rows.subarray(i * config.hiddenSize, (i + 1) * config.hiddenSize);
      if (id < config.vocabSize) heldRow(table, id, row);
      else row.set(moments(config, weights, name).mean);
    });
    return rows;
  };
  return { rows: rowsOf("model.embed_tokens.weight"), headRows: config.tieWordEmbeddings ? null : rowsOf("lm_head.weight") };
}

/** With rows for an untied head that an adapter left alone: its own. Training takes both. */
export function withHeadRows(config: ModelConfig, weights: AnyWeights, tokens: TrainedTokens): TrainedTokens {
  return tokens.headRows || config.tieWordEmbeddings ? tokens : { ...tokens, headRows: baseTokenRows(config, weights, tokens.ids).headRows };
}

function tableOf(config: ModelConfig, weights: AnyWeights, name: string) {
  const table = held(weights, name);
  return table.storage === "f32" ? { ...table, shape: [config.vocabSize, config.hiddenSize] } : table;
}

interface Moments {
  /** Of each column, [hidden]. */
  mean: Float64Array;
  deviation: Float64Array;
}

/** A table is gone through once, however often it is asked for. */
const momentsOf = new WeakMap<AnyWeights, Map<string, Moments>>();

function moments(config: ModelConfig, weights: AnyWeights, name: string): Moments {
  const kept = momentsOf.get(weights)?.get(name);
  if (kept) return kept;
  const table = tableOf(config, weights, name);
  const row = new Float32Array(config.hiddenSize);
  const mean = new Float64Array(row.length), squares = new Float64Array(row.length); // [hidden]
  for (let id = 0; id < config.vocabSize; id++) {
    heldRow(table, id, row);
    for (let k = 0; k < row.length; k++) {
      // Welford's update: no difference of two large sums.
      const before = row[k]! - mean[k]!;
      mean[k] = mean[k]! + before / (id + 1);
      squares[k] = squares[k]! + before * (row[k]! - mean[k]!);
    }
  }
  const found = { mean, deviation: squares.map((sum) => Math.sqrt(sum / config.vocabSize)) };
  momentsOf.set(weights, (momentsOf.get(weights) ?? new Map<string, Moments>()).set(name, found));
  return found;
}

/** Where a token's logit stands among [vocab + count]: trained ones are behind the vocabulary, in the order of `ids`. */
export function columnOfToken(config: ModelConfig, ids: readonly number[]): (id: number) => number {
  const column = new Map(ids.map((id, i) => [id, config.vocabSize + i]));
  return (id) => column.get(id) ?? id;
}

/** Targets [M] as columns of the logits. */
export function remapTargets(config: ModelConfig, ids: readonly number[], targets: Int32Array): Int32Array {
  return targets.map(columnOfToken(config, ids));
}

/** Without the rows that are the base model's own: what is read from a whole matrix trains few. */
export function dropUnchangedRows(config: ModelConfig, weights: AnyWeights, tokens: TrainedTokens): TrainedTokens | null {
  const width = config.hiddenSize;
  const base = baseTokenRows(config, weights, tokens.ids);
  const differs = (a: Float32Array, b: Float32Array | null, i: number) => b !== null && a.subarray(i * width, (i + 1) * width).some((value, k) => value !== b[i * width + k]);
  const kept = tokens.ids.flatMap((id, i) =>
    id >= config.vocabSize || differs(tokens.rows, base.rows, i) || (tokens.headRows && differs(tokens.headRows, base.headRows, i)) ? [i] : []);
  if (kept.length === 0) return null;
  const choose = (rows: Float32Array) => {
    const out = new Float32Array(kept.length * width); // [kept, hidden]
    kept.forEach((from, to) => out.set(rows.subarray(from * width, (from + 1) * width), to * width));
    return out;
  };
  return { ids: kept.map((i) => tokens.ids[i]!), rows: choose(tokens.rows), headRows: tokens.headRows && choose(tokens.headRows) };
}

function read<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DuctusError("model/tokenizer", "This model's tokenizer cannot be used here.", "Choose another model, or fetch this one again.", { details: z.prettifyError(parsed.error) });
}

function unfit(fault: string): DuctusError {
  return new DuctusError("model/added-tokens", `These tokens cannot be added: ${fault}.`, "Choose other names for them.");
}
