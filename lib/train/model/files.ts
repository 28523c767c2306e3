/**
 * A model's folder, wherever it lies: files dropped or picked, a directory of
 * the origin private file system, bytes in memory. Files are known by their
 * base names; nothing here opens a path. Reading is by slices (ByteSource), so
 * that a large file is never whole in memory. What the files must hold is
 * load.ts's affair.
 */
import { DuctusError } from "../../core/errors";
import { blobSource, bytesSource, readExactly, type ByteSource, type FileKind } from "../adapter/safetensors";
import { parseStrictJson } from "../adapter/strict-json";
import { PART_NOTE } from "./part-note";

export interface ModelFiles {
  /** Base names of the files in the model's folder. */
  names(): readonly string[];
  /** @throws DuctusError `model/missing-file` where there is no such file, `model/unreadable` where the browser cannot open it */
  open(name: string): Promise<ByteSource>;
}

/** A file with its path inside what was dropped or picked (webkitRelativePath, or its name alone). */
export interface PickedFile {
  path: string;
  file: Blob;
}

/** A folder dropped by mistake may hold anything; more files than this are no model. */
const MAX_FILES = 100_000;

/** Files in memory, text as UTF-8. For tests and small models. */
export function memoryModel(files: Readonly<Record<string, Uint8Array | string>>): ModelFiles {
  const names = Object.keys(files);
  return {
    names: () => names,
    open: (name) => {
      if (!Object.hasOwn(files, name)) return Promise.reject(missingFile(name));
      const content = files[name] as Uint8Array | string;
      return Promise.resolve(bytesSource(typeof content === "string" ? new TextEncoder().encode(content) : content));
    },
  };
}

/**
 * The model among files that were dropped or picked: those in the folder that
 * holds config.json, everything else being ignored.
 * @throws DuctusError `model/no-config` where there is no config.json, `model/several` where it is not clear which one is meant
 */
export function filesModel(files: readonly PickedFile[]): ModelFiles {
  if (files.length > MAX_FILES) throw new DuctusError("model/several", "That is far more files than a model has.", "Choose the one folder that holds the model.");
  const folders = new Map<string, Map<string, Blob>>();
  for (const { path, file } of files) {
    const parts = path.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
    const name = parts.pop();
    if (name === undefined) continue;
    const folder = parts.join("/");
    const found = folders.get(folder) ?? new Map<string, Blob>();
    if (found.has(name)) throw new DuctusError("model/several", `There is more than one file named ${shorten(name)} among these.`, "Choose the one folder that holds the model.");
    folders.set(folder, found.set(name, file));
  }
  const models = [...folders].filter(([, found]) => found.has("config.json"));
  if (models.length === 0) {
    throw new DuctusError("model/no-config", "There is no config.json among these files, so they are not a model's folder.", "Choose the whole folder as it came: config.json, tokenizer.json, tokenizer_config.json and the .safetensors files.");
  }
  const withWeights = models.filter(([, found]) => [...found.keys()].some((name) => name.endsWith(".safetensors")));
  const candidates = withWeights.length > 0 ? withWeights : models;
  const depth = ([folder]: [string, unknown]) => (folder === "" ? 0 : folder.split("/").length);
  const least = Math.min(...candidates.map(depth));
  const [chosen, another] = candidates.filter((candidate) => depth(candidate) === least);
  if (!chosen || another) throw new DuctusError("model/several", "There is more than one model among these files.", "Choose the folder of one model.");
  return blobModel(chosen[1]);
}

/** The files that lie directly in a directory of the origin private file system, but those that are not whole yet. They must not be changed while they are read. */
export async function opfsModel(directory: FileSystemDirectoryHandle): Promise<ModelFiles> {
  const handles = new Map<string, FileSystemFileHandle>();
  try {
    for await (const [name, handle] of directory.entries()) if (handle.kind === "file") handles.set(name, handle);
  } catch (cause) {
    throw unreadableFile("folder", cause);
  }
  for (const note of [...handles.keys()].filter((name) => name.endsWith(PART_NOTE))) {
    handles.delete(note);
    handles.delete(note.slice(0, -PART_NOTE.length));
  }
  return {
    names: () => [...handles.keys()],
    open: async (name) => {
      const handle = handles.get(name);
      if (!handle) throw missingFile(name);
      return guarded(name, await handle.getFile().catch((cause: unknown) => Promise.reject(unreadableFile(name, cause))));
    },
  };
}

function blobModel(blobs: ReadonlyMap<string, Blob>): ModelFiles {
  return {
    names: () => [...blobs.keys()],
    open: (name) => {
      const blob = blobs.get(name);
      return blob ? Promise.resolve(guarded(name, blob)) : Promise.reject(missingFile(name));
    },
  };
}

/** A Blob whose file was changed or taken away since it was chosen fails in words. */
function guarded(name: string, blob: Blob): ByteSource {
  const source = blobSource(blob);
  return { size: source.size, read: (start, end) => source.read(start, end).catch((cause: unknown) => Promise.reject(unreadableFile(name, cause))) };
}

export function missingFile(name: string): DuctusError {
  return new DuctusError("model/missing-file", `The model's file ${shorten(name)} is missing.`, "Choose the whole folder of the model, with all its files.");
}

function unreadableFile(name: string, cause: unknown): DuctusError {
  return new DuctusError("model/unreadable", `The model's ${name === "folder" ? name : `file ${shorten(name)}`} cannot be read: it may have been moved or changed since it was chosen.`, "Choose the model's folder again.", { cause });
}

/** Names one of a model's files in sentences. */
export function modelFile(name: string): FileKind {
  return { area: "model", label: `The model's file ${shorten(name)}` };
}

/**
 * @param maxBytes larger files are refused unread
 * @throws DuctusError `model/missing-file`, `model/damaged`, `model/unreadable`
 */
export async function readJson(files: ModelFiles, name: string, maxBytes: number): Promise<unknown> {
  const bytes = await readSmall(files, name, maxBytes);
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    throw new DuctusError("model/damaged", `The model's file ${name} cannot be read: it is not JSON.`, "Take it from where it came once more, and try again.", { cause });
  }
}

/** A whole small file. Errors as {@link readJson}. */
export async function readSmall(files: ModelFiles, name: string, maxBytes: number): Promise<Uint8Array> {
  const source = await files.open(name);
  if (source.size > maxBytes) throw new DuctusError("model/damaged", `The model's file ${name} is far larger than such a file should be.`, "Take it from where it came once more, and try again.");
  return readExactly(source, 0, source.size, modelFile(name));
}

export function shorten(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
