/** An adapter as the site saves it, one file or a zip of PEFT's folder, to start a run from. */
import { DuctusError } from "../../lib/core/errors";
import { baseOfFile, MAX_ADAPTER_BYTES, openAdapter } from "../../lib/train/adapter/file";
import type { LoraAdapter } from "../../lib/train/adapter/types";
import type { ModelFolder } from "./model-folder";
import { readBytes, resolvePath } from "./paths";

export interface AdapterFile {
  adapter: LoraAdapter;
  /** To be called when the weights have been read. @throws DuctusError `adapter/other-model` where the file names others */
  requireModel(sha256: string): void;
}

/** @throws DuctusError `file/…`, `adapter/…`; `adapter/tokens` where it brings tokens that the model's tokenizer does not know */
export function openAdapterFile(given: string, { config, tokenizer, path }: Pick<ModelFolder, "config" | "tokenizer" | "path">): AdapterFile {
  const bytes = readBytes(resolvePath(given), MAX_ADAPTER_BYTES, "Use an adapter of a lower rank.");
  const base = baseOfFile(bytes);
  // Which weights they are is known once they are read: until then the file is believed.
  const { adapter, addedTokens } = openAdapter(bytes, { id: base?.id ?? path, name: path, sha256: base?.sha256 ?? "", config });
  const unknown = addedTokens.find(({ id, content }) => tokenizer.tokenId(content) !== id)?.content ?? adapter.tokens?.ids.find((id) => id >= config.vocabSize);
  if (unknown !== undefined) throw new DuctusError("adapter/tokens", `This adapter brings tokens that the model's tokenizer does not know (${String(unknown).slice(0, 80)}).`, "Name its PEFT folder with --init: the tokenizer is in it.");
  return {
    adapter,
    requireModel(sha256) {
      if (base === null || base.sha256 === sha256) return;
      throw new DuctusError("adapter/other-model", `This adapter was made for another model (${base.id}), or for another version of this one.`, "Name the model that it was made for.", { details: `adapter: ${base.sha256}, model: ${sha256}` });
    },
  };
}
