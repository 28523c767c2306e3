/**
 * An adapter as one file to carry about: a safetensors file with PEFT's tensor
 * names and, in its notes, PEFT's settings, the base model's sha256 and the
 * numbers of the run. Also reads a zip of a PEFT folder, and writes one. The
 * kind is recognised by the first bytes, never by the name.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import type { ModelConfig } from "../model/config";
import { sftConfigSchema } from "../sft/schema";
import { adapterFromPeft, CONFIG_FILE, peftConfigJson, peftSafetensors, WEIGHTS_FILE, type PeftFolder } from "./peft";
import { ADAPTER_FILE, damaged, encodeHeader, readSafetensors } from "./safetensors";
import type { AddedToken, AdapterInfo, LoraAdapter } from "./types";
import { readZipEntries, writeZip } from "./zip";

/** The model in the app, against which an adapter is checked. */
export interface BaseModel {
  id: string;
  /** In words, for sentences. */
  name: string;
  /** Of model.safetensors, hex. */
  sha256: string;
  config: ModelConfig;
}

export interface OpenedAdapter {
  adapter: LoraAdapter;
  /** What the file says of itself; null for a PEFT folder, which says nothing. */
  info: AdapterInfo | null;
  /** Tokens of the adapter's that its tokenizer.json or its notes name; the base model's own may be among them. */
  addedTokens: readonly AddedToken[];
  /** The file names the very weights in use; false where only the shapes could be checked. */
  baseVerified: boolean;
}

/** Far above rank 1,024 on the largest model that runs in a tab; far below what stops a tab. */
export const MAX_ADAPTER_BYTES = 512 * 1024 * 1024;
const FORMAT_VERSION = "1";
const MAX_NAME_CHARS = 200;
const TOKENIZER_FILE = "tokenizer.json";

const finite = z.number();
const scoreSchema = z.object({ loss: finite, perplexity: finite, bitsPerByte: finite, tokens: finite, bytes: finite, examples: finite });
const reportSchema = z.object({ base: scoreSchema, tuned: scoreSchema });
const addedTokensSchema = z.array(z.object({ id: z.int().nonnegative(), content: z.string().min(1).max(1000) })).max(100_000);
/** 8.64e15 ms is the last instant a Date can hold. */
const infoSchema = z.object({
  name: z.string().max(MAX_NAME_CHARS),
  createdAt: z.int().min(0).max(8.64e15),
  modelId: z.string().regex(/^[\w./-]{1,128}$/),
  modelSha256: z.string().regex(/^[0-9a-f]{64}$/),
  recipe: sftConfigSchema.optional(),
  addedTokens: addedTokensSchema.optional(),
  steps: z.int().nonnegative().optional(),
  trainTokens: z.int().nonnegative().optional(),
  report: reportSchema.optional(),
});

/** The one-file form. The same adapter and info give the same bytes. */
export function packAdapter(adapter: LoraAdapter, info: AdapterInfo): Uint8Array {
  const { name, createdAt, modelId, modelSha256, addedTokens, recipe, steps, trainTokens, report } = info;
  return peftSafetensors(adapter, {
    ductus_adapter: FORMAT_VERSION,
    adapter_config: peftConfigJson(adapter, info),
    base_model_id: modelId,
    base_model_sha256: modelSha256,
    name: name.slice(0, MAX_NAME_CHARS),
    created_at: String(createdAt),
    // JSON has no NaN: a report that ran out of bounds would make the file unreadable.
    run: JSON.stringify({ recipe, steps, trainTokens, report: reportSchema.safeParse(report).data, addedTokens }),
  });
}

/**
 * Reads the one-file form or a zip of a PEFT folder, and checks it against the model in use.
 * @throws DuctusError `adapter/…`: `too-large`, `unknown-form`, `no-settings`, `newer`, `other-model`,
 *   `zip`, and those of adapterFromPeft.
 */
export function openAdapter(bytes: Uint8Array, model: BaseModel): OpenedAdapter {
  if (bytes.byteLength > MAX_ADAPTER_BYTES) throw tooLarge();
  if (isZip(bytes)) return openPeftZip(bytes, model);
  // A safetensors header is JSON, so its ninth byte opens an object.
  if (bytes[8] !== 0x7b) {
    throw new DuctusError("adapter/unknown-form", "This file is not an adapter that Ductus can read.", "Choose an adapter file (.safetensors), or a zip of a PEFT folder.");
  }
  const { metadata } = readSafetensors(bytes, ADAPTER_FILE);
  const { ductus_adapter: version, adapter_config: config } = metadata;
  if (version === undefined || config === undefined) {
    throw new DuctusError(
      "adapter/no-settings",
      "This file holds an adapter's weights but not its settings.",
      `Put it, named ${WEIGHTS_FILE}, into one zip with its ${CONFIG_FILE}, and choose the zip.`,
    );
  }
  if (version !== FORMAT_VERSION) throw new DuctusError("adapter/newer", "This adapter was made by a newer version of Ductus.", "Reload the page to get the newest version, and try again.");
  const info = readInfo(metadata);
  if (info.modelSha256 !== model.sha256) {
    throw new DuctusError(
      "adapter/other-model",
      `This adapter was made for another model (${describeModel(info, model)}).`,
      "Use it with the model it was made for, or train a new one here.",
      { details: `adapter: ${info.modelSha256}, model in use: ${model.sha256}` },
    );
  }
  const adapter = adapterFromPeft(config, bytes, model.config);
  const addedTokens = info.addedTokens ?? [];
  const trained = new Set(adapter.tokens?.ids);
  if (addedTokens.some(({ id }) => !trained.has(id))) throw damaged(ADAPTER_FILE, "its notes name a token that it has nothing for");
  return { adapter, info, addedTokens, baseVerified: true };
}

/** All four bytes: two alone may begin the length of a safetensors header. */
const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6));

/** Which model a file in the one-file form says it was made for; null for every other file, readable or not: {@link openAdapter} judges those. */
export function baseOfFile(bytes: Uint8Array): { id: string; sha256: string } | null {
  if (bytes.byteLength > MAX_ADAPTER_BYTES || bytes[8] !== 0x7b) return null;
  try {
    const { base_model_id: id, base_model_sha256: sha256 } = readSafetensors(bytes, ADAPTER_FILE).metadata;
    return id !== undefined && sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) ? { id: id.slice(0, 128), sha256 } : null;
  } catch {
    return null;
  }
}

/**
 * What a zip of a PEFT folder says that its base model is called. Null where it says nothing, and for every other
 * file, readable or not.
 */
export function baseNamed(bytes: Uint8Array): string | null {
  if (bytes.byteLength > MAX_ADAPTER_BYTES || !isZip(bytes)) return null;
  try {
    const config = readZipEntries(bytes, [CONFIG_FILE], MAX_ADAPTER_BYTES).get(CONFIG_FILE);
    const said = z.looseObject({ base_model_name_or_path: z.string() }).safeParse(JSON.parse(new TextDecoder().decode(config)));
    return said.success ? nameOf(said.data.base_model_name_or_path) : null;
  } catch {
    return null;
  }
}

/** Of a path its last part, since folders are moved; "owner/name", as on a hub, stays whole. */
function nameOf(named: string): string | null {
  const path = named.trim().replace(/[\\/]+$/, "");
  const name = /^[\w.-]+\/[\w.-]+$/.test(path) && !path.startsWith(".") ? path : (path.split(/[\\/]/).at(-1) ?? "");
  return name === "" ? null : name.slice(0, 200);
}

/** Whether a base model's name, as {@link baseNamed} gives it, is that of a model here. */
export const isCalled = (named: string, modelId: string): boolean => named.split("/").at(-1)?.toLowerCase() === modelId.toLowerCase();

/**
 * The same file with another name in its notes, so that a name it was given before does not travel with it. Tensors
 * and other notes stay as they are; a file without notes of ours is given back as it is.
 * @throws DuctusError `adapter/damaged`
 */
export function withName(bytes: Uint8Array, name: string): Uint8Array {
  const { tensors, metadata } = readSafetensors(bytes, ADAPTER_FILE);
  const wanted = name.slice(0, MAX_NAME_CHARS);
  if (metadata["ductus_adapter"] === undefined || metadata["name"] === wanted) return bytes;
  const inPlace = [...tensors.values()].sort((a, b) => a.bytes.byteOffset - b.bytes.byteOffset || a.bytes.byteLength - b.bytes.byteLength);
  const header = encodeHeader(inPlace, { ...metadata, name: wanted });
  const file = new Uint8Array(header.byteLength + inPlace.reduce((sum, tensor) => sum + tensor.bytes.byteLength, 0));
  file.set(header);
  inPlace.reduce((at, tensor) => (file.set(tensor.bytes, at), at + tensor.bytes.byteLength), header.byteLength);
  return file;
}

function describeModel(info: AdapterInfo, model: BaseModel): string {
  return info.modelId === model.id ? `another version of ${model.name}` : `${info.modelId}; the one in use is ${model.id}`;
}

function readInfo(metadata: Record<string, string>): AdapterInfo {
  let run: unknown;
  try {
    run = JSON.parse(metadata["run"] ?? "{}");
  } catch (cause) {
    throw damaged(ADAPTER_FILE, "its notes cannot be read", cause);
  }
  const parsed = infoSchema.safeParse({
    ...(typeof run === "object" ? run : {}),
    name: metadata["name"] ?? "",
    createdAt: Number(metadata["created_at"] ?? Number.NaN),
    modelId: metadata["base_model_id"],
    modelSha256: metadata["base_model_sha256"],
  });
  if (!parsed.success) throw damaged(ADAPTER_FILE, "its notes have the wrong form", parsed.error);
  const { recipe, steps, trainTokens, report, addedTokens, ...rest } = parsed.data;
  return {
    ...rest,
    ...(recipe ? { recipe } : {}),
    ...(steps === undefined ? {} : { steps }),
    ...(trainTokens === undefined ? {} : { trainTokens }),
    ...(report ? { report } : {}),
    ...(addedTokens ? { addedTokens } : {}),
  };
}

function openPeftZip(bytes: Uint8Array, model: BaseModel): OpenedAdapter {
  const files = readZipEntries(bytes, [CONFIG_FILE, WEIGHTS_FILE], MAX_ADAPTER_BYTES);
  const config = files.get(CONFIG_FILE);
  const weights = files.get(WEIGHTS_FILE);
  if (!config || !weights) {
    throw new DuctusError("adapter/zip", `This zip has no ${config ? WEIGHTS_FILE : CONFIG_FILE} in it.`, `Zip the whole folder that PEFT saved: ${CONFIG_FILE} and ${WEIGHTS_FILE}.`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(config);
  } catch (cause) {
    throw new DuctusError("adapter/config", "The adapter's settings (adapter_config.json) cannot be read.", "Export the adapter again where it was made.", { cause });
  }
  const adapter = withBaseNamed(baseNamed(bytes), model, () => adapterFromPeft(text, weights, model.config));
  return { adapter, info: null, addedTokens: adapter.tokens ? namesOf(adapter.tokens.ids, bytes) : [], baseVerified: false };
}

/** A misfit is told with the model that the folder names, where it is another one. */
function withBaseNamed<T>(named: string | null, model: BaseModel, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DuctusError) || error.code !== "adapter/shapes" || named === null || isCalled(named, model.id)) throw error;
    throw new DuctusError(error.code, `${error.message} Its settings name “${named}” as its model, and the one in use is ${model.name}.`, "Bring that model in on the Models page, teach it to this hand, and try again; or train a new adapter here.", { cause: error });
  }
}

/** The names that a tokenizer.json in the zip, if there is one, gives to the trained tokens. */
function namesOf(ids: readonly number[], zip: Uint8Array): AddedToken[] {
  const file = readZipEntries(zip, [TOKENIZER_FILE], MAX_ADAPTER_BYTES).get(TOKENIZER_FILE);
  if (!file) return [];
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file));
  } catch (cause) {
    throw unreadableTokenizer({ cause });
  }
  const parsed = z.looseObject({ added_tokens: addedTokensSchema }).safeParse(json);
  if (!parsed.success) throw unreadableTokenizer({ details: z.prettifyError(parsed.error) });
  const wanted = new Set(ids);
  return parsed.data.added_tokens.filter(({ id }) => wanted.has(id));
}

function unreadableTokenizer(more: { cause?: unknown; details?: string }): DuctusError {
  return new DuctusError("adapter/tokenizer", `The ${TOKENIZER_FILE} beside the adapter cannot be read.`, "Export the adapter again where it was made.", more);
}

function tooLarge(): DuctusError {
  return new DuctusError("adapter/too-large", `This file is larger than ${MAX_ADAPTER_BYTES / 1024 / 1024} MB, far more than an adapter needs.`, "Choose the adapter file, not the whole model.");
}

/** A folder as a zip. The same files give the same bytes. */
export function zipPeft(folder: PeftFolder): Uint8Array {
  return writeZip({ ...folder });
}
