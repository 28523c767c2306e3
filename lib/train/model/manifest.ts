/**
 * The list of embedded models (public/models/manifest.json) and the download of
 * one: every file is streamed with progress, and its size and sha256 are
 * checked before anything reads it. The function that fetches is given from
 * outside, so that Node reads from disk and a page from its own server. It does
 * not keep anything; caching is the fetcher's affair.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { sha256Hex } from "../../core/hash";
import { parseGenerationConfig, parseModelConfig, type GenerationConfig, type ModelConfig } from "./config";

/** The files a model must have, in the order they are loaded: small ones first, so that faults show early. */
export const MODEL_FILES = ["config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"] as const;
type ModelFile = (typeof MODEL_FILES)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const fileSchema = z.strictObject({
  /** Base name inside the model's folder. */
  path: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/),
  bytes: z.int().positive().max(4 * 1024 ** 3),
  sha256,
});

const entrySchema = z
  .strictObject({
    /** Also the name of its folder beside the manifest. */
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
    name: z.string().min(1).max(100),
    architecture: z.string().min(1).max(100),
    parameters: z.int().positive(),
    licence: z.string().min(1).max(200),
    files: z.array(fileSchema).max(32),
    /** Identifies the weights: sha256 of model.safetensors. */
    sha256,
  })
  .superRefine((entry, context) => {
    for (const path of MODEL_FILES) {
      if (entry.files.filter((file) => file.path === path).length !== 1) context.addIssue({ code: "custom", message: `${path} must be listed once` });
    }
    if (entry.files.find((file) => file.path === "model.safetensors")?.sha256 !== entry.sha256) context.addIssue({ code: "custom", message: "sha256 must be that of model.safetensors" });
  });

export const manifestSchema = z.strictObject({ version: z.literal(1), models: z.array(entrySchema).min(1).max(100) });
export type ModelManifest = z.infer<typeof manifestSchema>;
export type ModelEntry = z.infer<typeof entrySchema>;

export type FetchFn = (url: string, init?: { signal?: AbortSignal }) => Promise<Response>;
/** Bytes of all the model's files together. */
export type OnProgress = (doneBytes: number, totalBytes: number) => void;

export interface LoadedModel {
  entry: ModelEntry;
  config: ModelConfig;
  generationConfig: GenerationConfig;
  /** For createTokenizer. */
  tokenizerJson: unknown;
  tokenizerConfig: unknown;
  /** The whole model.safetensors, for loadWeights. */
  weightsBytes: Uint8Array;
}

const MAX_MANIFEST_BYTES = 1024 * 1024;
const AGAIN = "Reload the page to try again.";

/**
 * @param baseUrl folder of the manifest, with or without a slash at its end.
 * @throws DuctusError `model/offline`, `model/missing`, `model/manifest`.
 */
export async function loadManifest(baseUrl: string, fetchFn: FetchFn, signal?: AbortSignal): Promise<ModelManifest> {
  const response = await request(fetchFn, join(baseUrl, "manifest.json"), signal);
  const bytes = await readAll(response, null, MAX_MANIFEST_BYTES, () => {}, signal);
  const parsed = manifestSchema.safeParse(parseJson(bytes, "manifest.json"));
  if (!parsed.success) throw new DuctusError("model/manifest", "The list of models cannot be read.", AGAIN, { details: z.prettifyError(parsed.error) });
  return parsed.data;
}

/** What is known of a model before its weights are read. */
export type LoadedSettings = Pick<LoadedModel, "entry" | "config" | "tokenizerJson" | "tokenizerConfig">;

/** A model without its weights: a fraction of the bytes. @throws DuctusError as {@link loadModel} */
export async function loadModelSettings(baseUrl: string, id: string, fetchFn: FetchFn, signal?: AbortSignal): Promise<LoadedSettings> {
  const entry = await entryOf(baseUrl, id, fetchFn, signal);
  const contents = await loadFiles(baseUrl, entry, ["config.json", "tokenizer_config.json", "tokenizer.json"], fetchFn, () => {}, signal);
  const json = (name: ModelFile) => parseJson(contents.get(name) as Uint8Array, name);
  return { entry, config: parseModelConfig(json("config.json")), tokenizerJson: json("tokenizer.json"), tokenizerConfig: json("tokenizer_config.json") };
}

/**
 * Loads one model with all its files.
 * @throws DuctusError `model/offline` (no connection), `model/missing` (no such model or file),
 *   `model/corrupt` (size or sha256 differs), `model/manifest`, and those of parseModelConfig. When
 *   `signal` aborts, its reason is thrown instead.
 */
export async function loadModel(baseUrl: string, id: string, fetchFn: FetchFn, onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<LoadedModel> {
  const entry = await entryOf(baseUrl, id, fetchFn, signal);
  const contents = await loadFiles(baseUrl, entry, MODEL_FILES, fetchFn, onProgress, signal);
  const content = (name: ModelFile) => contents.get(name) as Uint8Array;
  const json = (name: ModelFile) => parseJson(content(name), name);
  return {
    entry,
    config: parseModelConfig(json("config.json")),
    generationConfig: parseGenerationConfig(json("generation_config.json")),
    tokenizerJson: json("tokenizer.json"),
    tokenizerConfig: json("tokenizer_config.json"),
    weightsBytes: content("model.safetensors"),
  };
}

async function entryOf(baseUrl: string, id: string, fetchFn: FetchFn, signal: AbortSignal | undefined): Promise<ModelEntry> {
  const entry = (await loadManifest(baseUrl, fetchFn, signal)).models.find((model) => model.id === id);
  if (!entry) throw new DuctusError("model/missing", `There is no model named “${id.slice(0, 64)}” here.`, "Choose another model.");
  return entry;
}

/** Each with its size and hash as the list says. */
async function loadFiles(baseUrl: string, entry: ModelEntry, names: readonly ModelFile[], fetchFn: FetchFn, onProgress: OnProgress, signal: AbortSignal | undefined): Promise<Map<string, Uint8Array>> {
  const wanted = names.map((name) => entry.files.find((file) => file.path === name)).filter((file) => file !== undefined);
  const total = wanted.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  onProgress(0, total);
  const contents = new Map<string, Uint8Array>();
  for (const file of wanted) {
    const response = await request(fetchFn, join(baseUrl, `${entry.id}/${file.path}`), signal);
    const bytes = await readAll(response, file.bytes, file.bytes, (done) => onProgress(before + done, total), signal);
    if ((await sha256Hex(bytes)) !== file.sha256) throw corrupt(file.path);
    contents.set(file.path, bytes);
    before += file.bytes;
  }
  return contents;
}

/** Token ids that end a text of this model: those of both configuration files. */
export function stopTokenIds(model: Pick<LoadedModel, "config" | "generationConfig">): number[] {
  return [...new Set([...model.generationConfig.eosTokenIds, ...model.config.eosTokenIds])];
}

async function request(fetchFn: FetchFn, url: string, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await fetchFn(url, signal ? { signal } : {});
  } catch (cause) {
    signal?.throwIfAborted();
    throw offline(cause);
  }
  if (!response.ok) {
    throw new DuctusError("model/missing", `The model's file ${fileName(url)} is not where it should be (the server answered ${response.status}).`, AGAIN, { details: url });
  }
  return response;
}

/**
 * @param expected exact length in bytes, or null where it is not known.
 * @param limit never reads on past this many bytes.
 */
async function readAll(response: Response, expected: number | null, limit: number, onBytes: (done: number) => void, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const wrongLength = () => corrupt(fileName(response.url));
  let whole = new Uint8Array(expected ?? 64 * 1024);
  let done = 0;
  const reader = response.body?.getReader();
  while (reader) {
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await reader.read();
    } catch (cause) {
      signal?.throwIfAborted();
      throw offline(cause); // the connection broke in the middle
    }
    if (step.done) break;
    if (done + step.value.byteLength > limit) {
      await reader.cancel().catch(() => {});
      throw wrongLength();
    }
    if (done + step.value.byteLength > whole.byteLength) {
      const larger = new Uint8Array(Math.max(whole.byteLength * 2, done + step.value.byteLength));
      larger.set(whole.subarray(0, done));
      whole = larger;
    }
    whole.set(step.value, done);
    done += step.value.byteLength;
    onBytes(done);
  }
  if (expected !== null && done !== expected) throw wrongLength();
  return whole.subarray(0, done);
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new DuctusError("model/manifest", `The model's file ${name} cannot be read.`, AGAIN, { cause });
  }
}

function offline(cause: unknown): DuctusError {
  return new DuctusError("model/offline", "The model could not be fetched: there seems to be no connection.", "Check the connection and try again. Once loaded, Ductus works without one.", { cause });
}

function corrupt(name: string): DuctusError {
  return new DuctusError("model/corrupt", `The model's file ${name} did not arrive as it was sent.`, "Reload the page. If it happens again, empty the browser's cache for this page.");
}

function fileName(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1).split("?", 1)[0] || "(unnamed)";
}

function join(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/$/, "")}/${path}`;
}
