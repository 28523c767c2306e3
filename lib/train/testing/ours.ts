/**
 * The adapters of ours that Python's PEFT has opened (tools/reference/data/ours):
 * seeded, every A and B random, all seven projections; and those with trained
 * tokens (data/added-tokens), on the tokens of PEFT's own there.
 * tools/reference/ours.ts writes their folders; the test that the writer still gives the same bytes and
 * our engine the same logits makes them again from here.
 */
import { createHash } from "node:crypto";
import { Random } from "../../core/random";
import { HEAD_ROWS, TOKEN_ROWS, toLoraAdapter } from "../adapter/tensors";
import type { AdapterInfo, LoraAdapter } from "../adapter/types";
import type { LoraShape } from "../model/lora";
import { PROJECTIONS } from "../sft/config";
import { referenceBytes, referenceModel } from "./reference";
import { randomLora, settings } from "./tiny";

export const OUR_MODELS = ["qwen2-tied", "qwen3-untied"] as const;

/** Rank and alpha such that alpha / rank is no power of two. */
const SHAPE: LoraShape = { rank: 3, alpha: 7, targetModules: PROJECTIONS };

/** By model: ids of trained tokens, 64 and above being new to it; the output head of the second is untied, and trained too. */
export const OUR_TOKENS = { "llama3-tied": [65, 7, 64], "qwen2-untied": [9, 64] } as const;
export type TokenModel = keyof typeof OUR_TOKENS;
const TOKEN_SHAPE: LoraShape = { rank: 3, alpha: 7, useRslora: true, targetModules: ["v_proj", "gate_proj"] };

export function infoOf(model: string): AdapterInfo {
  return {
    name: `Reference for ${model}`,
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    modelId: model,
    modelSha256: createHash("sha256").update(referenceBytes(`${model}/model.safetensors`)).digest("hex"),
    recipe: settings({ lora: { rank: SHAPE.rank, alpha: SHAPE.alpha, dropout: 0.05 } }),
    steps: 20,
    trainTokens: 1234,
    report: {
      base: { loss: 4.5, perplexity: 90.0171, bitsPerByte: 2.25, tokens: 100, bytes: 400, examples: 10 },
      tuned: { loss: 4, perplexity: 54.5982, bitsPerByte: 2, tokens: 100, bytes: 400, examples: 10 },
    },
  };
}

export function ourAdapter(model: string): LoraAdapter {
  const { config } = referenceModel(model);
  return toLoraAdapter(config, SHAPE, randomLora(config, SHAPE, `ours-${model}`));
}

export function tokenInfoOf(model: TokenModel): AdapterInfo {
  const { recipe: _, ...info } = infoOf(model);
  return { ...info, addedTokens: OUR_TOKENS[model].filter((id) => id >= 64).map((id) => ({ id, content: `<|new \u201c${id}\u201d|>` })) };
}

export function ourTokenAdapter(model: TokenModel): LoraAdapter {
  const { config } = referenceModel(model);
  const random = new Random(`ours-tokens-${model}`);
  const ids = OUR_TOKENS[model];
  const rows = () => Float32Array.from({ length: ids.length * config.hiddenSize }, () => (2 * random.uniform() - 1) * 0.6); // [count, hidden]
  const tensors = randomLora(config, TOKEN_SHAPE, `ours-tokens-${model}`).set(TOKEN_ROWS, rows());
  if (!config.tieWordEmbeddings) tensors.set(HEAD_ROWS, rows());
  return toLoraAdapter(config, TOKEN_SHAPE, tensors, ids);
}
