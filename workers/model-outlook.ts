/**
 * What a folder holds, before its weights are read: name, size, licence, and in
 * which forms they could be held on this device. Judges nothing that load.ts
 * judges; it only looks.
 */
import { MOST_GIB } from "../lib/train/execution/choose";
import { countParameters, type ModelConfig } from "../lib/train/model/config";
import { EMBEDDED_MODEL_ID } from "../lib/train/model/embedded";
import { readSmall, type ModelFiles } from "../lib/train/model/files";
import { BLOCK, type Storage } from "../lib/train/model/held";
import { isHeldFile, quantizedStorage } from "../lib/train/model/held-file";
import { blockBytes, storageFor } from "../lib/train/model/quantize";
import type { Shard } from "../lib/train/model/shards";
import { weightShapes } from "../lib/train/model/weights";
import type { ModelOutlook } from "./protocol";

/** Largest first. */
const STORAGES: readonly Storage[] = ["f32", "f16", "q8", "q4"];
/** Where a browser does not say how much memory the device has, it is taken for a modest one. */
const UNKNOWN_DEVICE_GIB = 4;
/** A tab shares the device with everything else, and training needs several times what the weights take. */
const SHARE_FOR_WEIGHTS = 1 / 16;
const SHARE_AT_MOST = 1 / 4;
/** Above it, exact numbers are not worth their room. */
const MAX_F32_BYTES = 256e6;
const MAX_README_BYTES = 1024 * 1024;

/**
 * How each kind of tensor is held where a person has chosen `storage`. The
 * embedding, which most small models use as their head too, bears fewer bits
 * least: with 4 bits it keeps 8.
 */
export function holdOptions(storage: Storage): { matrices: Storage; embedding: Storage } {
  return { matrices: storage, embedding: storage === "q4" ? "q8" : storage };
}

const isEmbedding = (name: string): boolean => name === "model.embed_tokens.weight" || name === "lm_head.weight";

/** @param shards of its file, where it may be one that was quantised before: what is quantised there stays as it is */
function forms(config: ModelConfig, storage: Storage, shards: readonly Shard[] = []): { name: string; shape: readonly number[]; held: Storage }[] {
  const options = holdOptions(storage);
  const entries = new Map(shards.flatMap((shard) => shard.entries.map((entry) => [entry.name, entry])));
  return [...weightShapes(config)].map(([name, shape]) => ({
    name, shape, held: quantizedStorage(entries.get(name), shape) ?? storageFor(shape, isEmbedding(name) ? options.embedding : options.matrices),
  }));
}

/** Bytes of all weights in memory. @param shards as {@link ownForm} */
export function weightBytes(config: ModelConfig, storage: Storage, shards?: readonly Shard[]): number {
  let bytes = 0;
  for (const { shape, held } of forms(config, storage, shards)) {
    const numbers = shape.reduce((a, b) => a * b, 1);
    bytes += held === "f32" ? 4 * numbers : held === "f16" ? 2 * numbers : (numbers / BLOCK) * (blockBytes(held) + 4);
  }
  return bytes;
}

/**
 * The form of a model that Ductus has quantised before, by the smallest of its
 * matrices; null for any other, which can be held in each form.
 * @throws DuctusError as isHeldFile
 */
export function ownForm(config: ModelConfig, shards: readonly Shard[]): Storage | null {
  if (!shards.some(isHeldFile)) return null;
  const matrices = forms(config, "f16", shards).filter(({ name, shape }) => shape.length === 2 && !isEmbedding(name)).map(({ held }) => held);
  return STORAGES.findLast((storage) => matrices.includes(storage)) ?? "f16";
}

/** The most exact form that leaves room for the work. @param deviceGib `navigator.deviceMemory` */
export function recommend(config: ModelConfig, deviceGib: number | undefined): { recommended: Storage; warning?: string } {
  const fits = STORAGES.find((storage) => {
    const bytes = weightBytes(config, storage);
    return bytes <= deviceBytes(deviceGib) * SHARE_FOR_WEIGHTS && (storage !== "f32" || bytes <= MAX_F32_BYTES);
  });
  return { recommended: fits ?? "q4", ...warning(weightBytes(config, fits ?? "q4"), deviceGib, "Even in its smallest form") };
}

const deviceBytes = (gib: number | undefined): number => Math.min(MOST_GIB, gib ?? UNKNOWN_DEVICE_GIB) * 2 ** 30;

function warning(bytes: number, deviceGib: number | undefined, form: string): { warning?: string } {
  if (bytes <= deviceBytes(deviceGib) * SHARE_AT_MOST) return {};
  return { warning: `${form} this is more than this device is likely to hold beside everything else. It may be refused for want of memory, or end the tab; what is stored is safe all the same.` };
}

/** @param shards of its weights */
export function outlook(config: ModelConfig, shards: readonly Shard[], facts: Pick<ModelOutlook, "name" | "licence">, deviceGib: number | undefined): ModelOutlook {
  const own = ownForm(config, shards);
  return {
    ...facts,
    family: config.family,
    parameters: countParameters(config),
    sourceBytes: shards.reduce((sum, { source }) => sum + source.size, 0),
    choices: (own === null ? STORAGES : [own]).map((storage) => ({ storage, weightBytes: weightBytes(config, storage, shards) })),
    ...(own === null ? recommend(config, deviceGib) : { recommended: own, ...warning(weightBytes(config, own, shards), deviceGib, "As it was quantised") }),
  };
}

/**
 * What to call a model: its folder's name, or the name that its files' cache
 * gave it, else the one in its config.json. Letters, figures, `.`, `_`, `-`.
 * @param path of config.json inside what was dropped
 */
export function modelName(path: string, configJson: unknown): string {
  const folders = path.split(/[/\\]/).slice(0, -1);
  const cached = folders.findLast((folder) => folder.startsWith("models--"))?.split("--").at(-1);
  const folder = folders.at(-1);
  const written = typeof configJson === "object" && configJson !== null && "_name_or_path" in configJson ? configJson._name_or_path : undefined;
  const names = [cached, folder !== undefined && /^[0-9a-f]{40}$/.test(folder) ? undefined : folder, typeof written === "string" ? written.split(/[/\\]/).at(-1) : undefined, folder];
  for (const name of names) {
    const clean = (name ?? "").normalize("NFKD").replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 64);
    // The name of the one that comes with the site is its own: what was learned is known by it.
    if (clean !== "") return clean === EMBEDDED_MODEL_ID ? `${clean}-own` : clean;
  }
  return "model";
}

/** The licence that a folder names: in its README's notes, else the first line of its licence file. Null where it says nothing. */
export async function licenceOf(files: ModelFiles): Promise<string | null> {
  const find = (pattern: RegExp) => files.names().find((name) => pattern.test(name));
  const read = async (name: string | undefined): Promise<string> => {
    if (name === undefined) return "";
    return new TextDecoder().decode(await readSmall(files, name, MAX_README_BYTES).catch(() => new Uint8Array())); // a licence that cannot be read is none that is named
  };
  const notes = /^---\r?\n([\s\S]*?)\r?\n---/.exec(await read(find(/^readme\.md$/i)))?.[1] ?? "";
  const named = (key: string) => new RegExp(`^${key}:[ \\t]*["']?([^"'\\r\\n#]+)`, "m").exec(notes)?.[1]?.trim();
  const licence = named("license");
  const found = licence === "other" ? (named("license_name") ?? "a licence of its own") : licence;
  const line = found ?? (await read(find(/^licen[cs]e(\.(txt|md))?$/i))).split("\n").map((text) => text.replace(/^[#\s]+/, "").trim()).find((text) => text !== "");
  return line === undefined ? null : line.replace(/[\u0000-\u001f\u007f]/g, " ").slice(0, 80);
}
