/**
 * A model ready to be run: configuration, f32 weights by name, tokenizer, and
 * the tokens that end a text, from the files of one entry of the manifest.
 */
import type { TokenizerFiles } from "./added-tokens";
import type { AnyWeights } from "./groups";
import { loadModel, stopTokenIds, type FetchFn, type ModelEntry, type OnProgress } from "./manifest";
import type { ModelConfig } from "./config";
import { createTokenizer, type TextTokenizer } from "./tokenizer";
import { loadWeights } from "./weights";

/** The model that ships with the site. */
export const EMBEDDED_MODEL_ID = "ductus-base";

export interface ReadyModel {
  /** Which model it is. `sha256` identifies its weights. */
  entry: Pick<ModelEntry, "id" | "name" | "parameters" | "sha256">;
  config: ModelConfig;
  weights: AnyWeights;
  tokenizer: TextTokenizer;
  stopTokenIds: number[];
}

/** With what the tokenizer was made from. @throws DuctusError as loadModel, loadWeights and createTokenizer do */
export async function openModel(baseUrl: string, id: string, fetchFn: FetchFn, onProgress?: OnProgress): Promise<ReadyModel & { tokenizerFiles: TokenizerFiles }> {
  const loaded = await loadModel(baseUrl, id, fetchFn, onProgress);
  const weights = new Map([...loadWeights(loaded.config, loaded.weightsBytes)].map(([name, tensor]) => [name, tensor.data]));
  return {
    entry: loaded.entry,
    config: loaded.config,
    weights,
    tokenizer: createTokenizer(loaded.tokenizerJson, loaded.tokenizerConfig),
    stopTokenIds: stopTokenIds(loaded),
    tokenizerFiles: { tokenizerJson: loaded.tokenizerJson, tokenizerConfig: loaded.tokenizerConfig },
  };
}
