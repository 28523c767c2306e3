/**
 * The matrix operations that a LoRA training step cannot avoid, counted: two
 * for each multiply-add of a product. In: projections forward and their input's
 * gradient, the adapter's products forward and backward, attention's products
 * over the pairs that the causal mask leaves, and the head on the rows that are
 * scored. Out: anything computed twice, the gradient of the base products that
 * read the first layer's input (nothing is adapted below it), and in the last
 * layer all rows but the scored ones, keys and values excepted.
 */
import { PROJECTIONS, type Projection } from "../../../lib/train/sft/config";
import { projectionShape, type ModelConfig } from "../../../lib/train/model/config";

export interface StepShape {
  batch: number;
  /** Tokens of each example. */
  seq: number;
  /** The tokens from here on are scored, in each example; at least 1. */
  promptLength: number;
  /** Of the adapter, which stands at all seven projections. */
  rank: number;
}

const READ_LAYER_INPUT: readonly Projection[] = ["q_proj", "k_proj", "v_proj"];
const FOR_EVERY_ROW: readonly Projection[] = ["k_proj", "v_proj"];

/** @param square count attention over all pairs, as kernels without a causal form compute it */
export function stepFlops(model: ModelConfig, { batch, seq, promptLength, rank }: StepShape, square = false): number {
  const tokens = batch * seq;
  const scored = batch * (seq - promptLength);
  let flops = 0;
  for (let layer = 0; layer < model.numLayers; layer++) {
    const [isFirst, isLast] = [layer === 0, layer === model.numLayers - 1];
    for (const projection of PROJECTIONS) {
      const { in: width, out } = projectionShape(model, projection);
      const rows = isLast && !FOR_EVERY_ROW.includes(projection) ? scored : tokens;
      const inputGradient = !(isFirst && READ_LAYER_INPUT.includes(projection));
      flops += 2 * rows * width * out * (inputGradient ? 2 : 1); // x·Wᵀ, dy·W
      flops += 2 * rows * rank * (width + out); // x·Aᵀ, (x·Aᵀ)·Bᵀ
      flops += 2 * rows * rank * (2 * out + width + (inputGradient ? width : 0)); // dB, d(x·Aᵀ), dA, dx
    }
    // Q·Kᵀ and P·V forward; dV, dP, dQ and dK backward.
    flops += 6 * 2 * model.numHeads * model.headDim * pairs(batch, seq, isLast ? promptLength - 1 : 0, isLast ? seq - 1 : seq, square);
  }
  return flops + 2 * 2 * scored * model.hiddenSize * model.vocabSize; // logits, and the gradient of what they are read from
}

/** Queries from `start` to before `end`, each with the keys up to its own; or with all keys. */
function pairs(batch: number, seq: number, start: number, end: number, square: boolean): number {
  return batch * (square ? (end - start) * seq : ((start + 1 + end) * (end - start)) / 2);
}

/** Of the product that the machine's speed is taken from: [tokens, hidden] × [hidden, intermediate]. */
export const mlpFlops = (model: ModelConfig, tokens: number): number => 2 * tokens * model.hiddenSize * model.intermediateSize;
