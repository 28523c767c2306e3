/**
 * What trainers know of an optimizer: it updates parameters in place from their
 * gradients, and its state can be taken out and put back exactly, so that a
 * resumed run goes on as if it had never been cut.
 */
import { AdamW, type AdamWOptions } from "./adamw";
import { AdamW8bit } from "./adamw8bit";

export const OPTIMIZERS = ["adamw", "adamw_8bit"] as const;
/** Names as in transformers' `optim`. */
export type OptimizerName = (typeof OPTIMIZERS)[number];

export interface OptimizerState {
  /** Steps taken. */
  steps: number;
  /** By `{parameter}:{part}`; parts are named as torch and bitsandbytes name them. */
  tensors: Map<string, Float32Array | Uint8Array>;
}

export interface Optimizer {
  /** Updates every parameter in place from its gradient; one without a gradient is left alone. */
  step(parameters: ReadonlyMap<string, Float32Array>, gradients: ReadonlyMap<string, Float32Array>, learningRate: number): void;
  /** A copy. */
  state(): OptimizerState;
  /**
   * Takes a copy of a state that {@link state} gave for parameters of these sizes.
   * @throws DuctusError `train/optimizer-state` where it does not fit; the optimizer is then as it was
   */
  restore(state: OptimizerState, parameters: ReadonlyMap<string, Float32Array>): void;
}

export function createOptimizer(name: OptimizerName, options: AdamWOptions): Optimizer {
  return name === "adamw_8bit" ? new AdamW8bit(options) : new AdamW(options);
}
