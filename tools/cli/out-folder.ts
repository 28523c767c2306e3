/** Folders that commands write models to. */
import { copyFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import type { FileSink } from "../../lib/train/adapter/merge";
import { filesIn } from "./model-folder";
import { isFile, makeFolder, resolvePath, unwritable, writing } from "./paths";

/** What belongs to a tokenizer, in the forms that transformers writes. */
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"];

/**
 * Makes the folder of a new model.
 * @returns its path
 * @throws DuctusError `file/exists` where there is a model already, `file/unwritable`
 */
export function newModelFolder(given: string): string {
  const path = resolvePath(given);
  makeFolder(path);
  const taken = filesIn(path).find((name) => name === "config.json" || name.endsWith(".safetensors"));
  if (taken !== undefined) throw new DuctusError("file/exists", `“${given}” holds a model already (${taken}).`, "Name another folder with --out, or empty this one.");
  return path;
}

/** The files beside weights and config.json. */
export function copyBesides(modelPath: string, tokenizerPath: string, out: string): void {
  copyTokenizer(tokenizerPath, out);
  copy(modelPath, "generation_config.json", out);
}

export function copyTokenizer(from: string, out: string): void {
  for (const name of TOKENIZER_FILES) copy(from, name, out);
}

/** Nothing where there is no such file, or the folders are one. */
function copy(from: string, name: string, out: string): void {
  const [source, target] = [join(from, name), join(out, name)];
  if (isFile(source) && source !== target) writing(out, () => copyFileSync(source, target));
}

/** Files appear under their names when they are whole. */
export function folderSink(path: string): FileSink {
  return {
    async open(name) {
      const target = join(path, name);
      const guarded = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => Promise.reject(unwritable(target, error)));
      const handle = await guarded(open(`${target}.part`, "w"));
      return {
        async write(bytes) {
          for (let at = 0; at < bytes.byteLength; ) at += (await guarded(handle.write(bytes, at))).bytesWritten;
        },
        async close() {
          await guarded(handle.sync());
          await guarded(handle.close());
          await guarded(rename(`${target}.part`, target));
        },
      };
    },
  };
}
