/** The model that a recipe trains: its shape, and the weights that it starts from. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import { Random } from "../../lib/core/random";
import type { ModelConfig } from "../../lib/train/model/config";
import { loadWeights, weightShapes } from "../../lib/train/model/weights";
import type { Recipe } from "./recipe";

/** By Hugging Face name; linear weights are [out, in]. */
export type Weights = Map<string, Float32Array>;

export function modelConfigOf({ model }: Pick<Recipe, "model">): ModelConfig {
  return {
    family: "qwen3", vocabSize: model.vocabSize, hiddenSize: model.hiddenSize, numLayers: model.layers, numHeads: model.heads,
    numKeyValueHeads: model.kvHeads, headDim: model.headDim, intermediateSize: model.intermediateSize, ropeTheta: model.ropeTheta,
    ropeScaling: null, rmsNormEps: model.rmsNormEps, tieWordEmbeddings: true, attentionBias: false, outputBias: false, qkNorm: true,
    maxPositions: model.maxPositions, eosTokenIds: [0], padTokenId: 0,
  };
}

/** Whether Muon trains a tensor: the matrices of the blocks. AdamW has the embedding and the gains of the norms. */
export const isBlockMatrix = (name: string): boolean => name.endsWith("_proj.weight");

const EMBEDDING_DEVIATION = 0.02;
/** Over √in; what writes into the residual stream begins at half of it. */
const MATRIX_DEVIATION = 0.7;

/** Weights drawn anew: gains of 1, normal numbers elsewhere, each tensor from a seed of its own. */
export function drawnWeights(recipe: Pick<Recipe, "model" | "seed">): Weights {
  return new Map([...weightShapes(modelConfigOf(recipe))].map(([name, shape]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    if (shape.length === 1) return [name, new Float32Array(length).fill(1)];
    const intoResidual = /\.(o_proj|down_proj)\.weight$/.test(name);
    const deviation = isBlockMatrix(name) ? (MATRIX_DEVIATION / Math.sqrt(shape[1]!)) * (intoResidual ? 0.5 : 1) : EMBEDDING_DEVIATION;
    const random = new Random(`weights/${recipe.seed}/${name}`);
    return [name, Float32Array.from({ length }, () => deviation * random.normal())];
  }));
}

/**
 * Those of a Hugging Face folder, whose weights are in one file.
 * @throws DuctusError `file/unreadable`, and `model/…` where it is another model than the recipe's
 */
export function folderWeights(recipe: Pick<Recipe, "model">, folder: string): Weights {
  let file: Uint8Array;
  try {
    file = new Uint8Array(readFileSync(join(folder, "model.safetensors")));
  } catch (cause) {
    throw new DuctusError("file/unreadable", `There is no model.safetensors to be read in ${folder}.`, "Name a model's folder in the recipe's “init”.", { cause });
  }
  return new Map([...loadWeights(modelConfigOf(recipe), file)].map(([name, { data }]) => [name, data]));
}
