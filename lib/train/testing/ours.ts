/**
 * The adapters of ours that Python's PEFT has opened (tools/reference/data/ours):
 * seeded, every A and B random, all seven projections. tools/reference/ours.ts
 * writes their folders; the test that the writer still gives the same bytes and
 * our engine the same logits makes them again from here.
 */
import { createHash } from "node:crypto";
import { toLoraAdapter } from "../adapter/tensors";
import type { AdapterInfo, LoraAdapter } from "../adapter/types";
import type { LoraShape } from "../model/lora";
import { PROJECTIONS } from "../sft/config";
import { referenceBytes, referenceModel } from "./reference";
import { randomLora, settings } from "./tiny";

export const OUR_MODELS = ["qwen2-tied", "qwen3-untied"] as const;

/** Rank and alpha such that alpha / rank is no power of two. */
const SHAPE: LoraShape = { rank: 3, alpha: 7, targetModules: PROJECTIONS };

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
