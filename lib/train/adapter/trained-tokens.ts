/**
 * Rows of the vocabulary that were trained beside LoRA, in PEFT 0.21's form.
 * With `trainable_token_indices` PEFT stores the rows themselves (not
 * differences, though it calls them `trainable_tokens_delta`): those of the
 * embedding under `embed_tokens.token_adapter`; a tied head uses them too and
 * stores nothing; an untied head is left alone unless it is named as well, and
 * then has rows of its own under `lm_head.token_adapter`. Whole matrices
 * (`modules_to_save`, or saved because the vocabulary grew) are read where they
 * are small, as rows that are all trained; they are never written.
 */
import * as z from "zod";
import type { ModelConfig } from "../model/config";
import { allFinite } from "./float16";
import { misfit, refuse } from "./refuse";
import { ADAPTER_FILE, damaged, toFloat32, type SafeTensor, type TensorToWrite } from "./safetensors";
import type { TrainedTokens } from "./types";

const EMBEDDING = "base_model.model.model.embed_tokens";
const HEAD = "base_model.model.lm_head";
const ROWS = "token_adapter.trainable_tokens_delta";
const TABLE_BESIDE_ROWS = "token_adapter.base_layer.weight";
/** Numbers in a whole matrix, 64 MB as f32: all of its rows then pass the head beside the model's own. */
const MAX_WHOLE = 1 << 24;

const idList = z.array(z.int().nonnegative()).max(1_000_000);

/** The two settings of adapter_config.json that concern the vocabulary, and the one that ties them. */
export const tokenSettingsSchema = z.looseObject({
  trainable_token_indices: z.union([idList, z.record(z.string(), idList)]).nullish(),
  modules_to_save: z.array(z.string()).max(1000).nullish(),
  ensure_weight_tying: z.boolean().nullish(),
});
export type TokenSettings = z.infer<typeof tokenSettingsSchema>;

type Found = Map<string, SafeTensor>;

/**
 * Takes what belongs to the vocabulary out of `found`.
 *
 * @throws DuctusError `adapter/unsupported` (another kind of training), `adapter/shapes` (not this model's), `adapter/damaged`
 */
export function readTrainedTokens(settings: TokenSettings, found: Found, model: ModelConfig): TrainedTokens | null {
  const other = settings.modules_to_save?.find((name) => !/^((model\.)?embed_tokens|lm_head)$/.test(name));
  if (other !== undefined) refuse(`it replaces “${other.slice(0, 60)}” as a whole`);
  const ids = readIds(settings);
  const embedding = take(found, EMBEDDING, model);
  const head = take(found, HEAD, model);
  if ((settings.modules_to_save?.length ?? 0) > 0 && !embedding.table && !head.table) throw misfit("the matrices that its settings name are missing");
  if (embedding.table || head.table) return wholeTables(settings, ids, embedding, head, model);
  if (ids === null) {
    if (embedding.rows || head.rows) throw misfit("it holds trained tokens that its settings do not name");
    return null;
  }
  const rows = embedding.rows;
  if (!rows) throw misfit("it has nothing for its trained tokens");
  checkIds(ids.embedding, rows, model);
  if (model.tieWordEmbeddings) {
    if (head.rows && !same(head.rows, rows)) refuse("it trains tokens of the embedding and of the output head apart, and this model has one matrix for both");
    return { ids: ids.embedding, rows, headRows: null };
  }
  if (ids.head === null) {
    if (head.rows) throw misfit("it holds trained tokens that its settings do not name");
    if (ids.embedding.some((id) => id >= model.vocabSize)) throw misfit("it adds tokens to the vocabulary, but has nothing for them in the output head");
  } else {
    if (!head.rows) throw misfit("it has nothing for its trained tokens in the output head");
    if (head.rows.length !== rows.length) throw misfit("its trained tokens differ between embedding and output head");
  }
  return { ids: ids.embedding, rows, headRows: head.rows };
}

function readIds({ trainable_token_indices: given }: TokenSettings): { embedding: number[]; head: number[] | null } | null {
  if (given == null) return null;
  if (Array.isArray(given)) return given.length === 0 ? null : { embedding: given, head: null };
  let embedding: number[] | null = null, head: number[] | null = null;
  for (const [module, ids] of Object.entries(given)) {
    if (/^(model\.)?embed_tokens$/.test(module)) embedding = ids;
    else if (module === "lm_head") head = ids;
    else refuse(`it trains rows of “${module.slice(0, 60)}”`);
  }
  if (embedding === null && head === null) return null;
  if (embedding === null) refuse("it trains rows of the output head alone");
  if (head !== null && head.join() !== embedding.join()) refuse("it trains other tokens in the embedding than in the output head");
  return { embedding, head };
}

/** What is stored of the embedding or the head: [count, hidden] rows, [vocab, hidden] table. */
function take(found: Found, module: string, model: ModelConfig): { rows: Float32Array | null; table: Float32Array | null } {
  const matrix = (suffix: string) => {
    const name = `${module}.${suffix}`;
    const tensor = found.get(name);
    if (!tensor) return null;
    found.delete(name);
    if (tensor.shape.length !== 2 || tensor.shape[1] !== model.hiddenSize) throw misfit(`“${name}” is ${tensor.shape.join(" × ")}, and the model is ${model.hiddenSize} wide`);
    if (suffix !== ROWS && tensor.shape[0]! * model.hiddenSize > MAX_WHOLE) {
      refuse("it carries the model's whole embedding, which is too large to be used beside the model; PEFT's trainable_token_indices keeps only what was trained, saved with save_embedding_layers=False");
    }
    const data = toFloat32(tensor, ADAPTER_FILE);
    if (!allFinite(data)) throw damaged(ADAPTER_FILE, `“${name}” holds a value that is not a number`);
    return data;
  };
  const rows = matrix(ROWS);
  return { rows, table: matrix("weight") ?? matrix(TABLE_BESIDE_ROWS) };
}

function wholeTables(settings: TokenSettings, ids: ReturnType<typeof readIds>, embedding: ReturnType<typeof take>, head: ReturnType<typeof take>, model: ModelConfig): TrainedTokens {
  const width = model.hiddenSize;
  const filled = ({ table, rows }: ReturnType<typeof take>): Float32Array | null => {
    if (!table || !rows) return table;
    if (ids === null || ids.embedding.length * width !== rows.length) throw misfit("its trained tokens are not those that its settings name");
    const out = table.slice();
    ids.embedding.forEach((id, i) => {
      if ((id + 1) * width > out.length) throw misfit(`its token ${id} lies outside its vocabulary`);
      out.set(rows.subarray(i * width, (i + 1) * width), id * width);
    });
    return out;
  };
  const input = filled(embedding), output = filled(head);
  if (!input) return refuse("it replaces the output head alone");
  const count = input.length / width;
  if (count < model.vocabSize) throw misfit(`its vocabulary has ${count} tokens, and the model's ${model.vocabSize}`);
  const all = Array.from({ length: count }, (_, id) => id);
  if (model.tieWordEmbeddings) {
    const together = output ? same(input, output) : settings.ensure_weight_tying === true;
    if (!together) refuse("its embedding and its output head were trained apart, and this model has one matrix for both");
    return { ids: all, rows: input, headRows: null };
  }
  if (output ? output.length !== input.length : count !== model.vocabSize) throw misfit("its embedding and its output head differ in length");
  return { ids: all, rows: input, headRows: output };
}

/** Within the vocabulary, or new and right behind it; each once; as many as there are rows. */
function checkIds(ids: readonly number[], rows: Float32Array, model: ModelConfig): void {
  if (ids.length * model.hiddenSize !== rows.length) throw misfit(`it names ${ids.length} trained tokens and holds ${rows.length / model.hiddenSize}`);
  if (new Set(ids).size !== ids.length) throw misfit("it names a trained token twice");
  const beyond = ids.filter((id) => id >= model.vocabSize).length;
  const outside = ids.find((id) => id >= model.vocabSize + beyond);
  if (outside !== undefined) throw misfit(`its token ${outside} lies outside the vocabulary of ${model.vocabSize}`);
}

function same(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The value of `trainable_token_indices`. */
export function tokenIndices(tokens: TrainedTokens | null): number[] | Record<string, number[]> | null {
  if (!tokens) return null;
  const ids = [...tokens.ids];
  return tokens.headRows ? { embed_tokens: ids, lm_head: ids } : ids;
}

/** The rows under PEFT's names. */
export function tokenTensors(tokens: TrainedTokens | null): TensorToWrite[] {
  if (!tokens) return [];
  const { ids, rows, headRows } = tokens;
  const shape = [ids.length, rows.length / ids.length];
  return [{ name: `${EMBEDDING}.${ROWS}`, shape, data: rows }, ...(headRows ? [{ name: `${HEAD}.${ROWS}`, shape, data: headRows }] : [])];
}
