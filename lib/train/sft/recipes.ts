/**
 * Which settings a model is trained with unless the person says otherwise. The
 * embedded model's were chosen by measurement (npm run recipe prints the table
 * in the README); those of large models are the field's.
 */
import { LARGE_MODEL_DEFAULTS, type SftConfig } from "./config";

/** Below this many parameters a model counts as small: it needs, and bears, a far higher learning rate. */
const SMALL_MODEL_PARAMETERS = 100e6;

export const isSmallModel = (parameters: number): boolean => parameters < SMALL_MODEL_PARAMETERS;

/**
 * @param parameters of the model, as its manifest says
 * @param words of the writing, held-out parts included
 */
export function defaultConfig(parameters: number, words: number): SftConfig {
  if (!isSmallModel(parameters)) return LARGE_MODEL_DEFAULTS;
  return {
    ...LARGE_MODEL_DEFAULTS, learningRate: 6e-3, warmupRatio: 0.1, batchSize: 8, gradientAccumulationSteps: 1, maxLength: 384, evaluations: 5,
    lora: { ...LARGE_MODEL_DEFAULTS.lora, dropout: 0 }, // makes no difference that shows, and a slower step
    // Two passes over little writing end before much is learned; the kept checkpoint guards against too many.
    epochs: words < 3000 ? 4 : words < 6000 ? 3 : 2,
  };
}
