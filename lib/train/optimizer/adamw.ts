/**
 * AdamW (Loshchilov & Hutter 2019), step for step as torch.optim.AdamW: weight
 * decay is applied to the parameter first, moments are bias-corrected, epsilon
 * is added to the corrected root. State is f32; each update is computed in f64.
 */
import type { Optimizer, OptimizerState } from "./optimizer";
import { StateReader } from "./state";

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** Mean of the gradients and of their squares, each of the parameter's length. */
export interface Moments {
  first: Float32Array;
  second: Float32Array;
}

/** The numbers of one update that are the same for every parameter. */
export interface UpdateTerms extends AdamWOptions {
  /** Learning rate over the correction of the first moment. */
  stepSize: number;
  /** Root of the correction of the second moment. */
  rootCorrection: number;
  /** What weight decay multiplies a parameter by. */
  decay: number;
}

/** @param steps this one included */
export function updateTerms(options: AdamWOptions, steps: number, learningRate: number): UpdateTerms {
  return {
    ...options,
    stepSize: learningRate / (1 - options.beta1 ** steps),
    rootCorrection: Math.sqrt(1 - options.beta2 ** steps),
    decay: 1 - learningRate * options.weightDecay,
  };
}

export function updateInFloat32(parameter: Float32Array, gradient: Float32Array, { first, second }: Moments, terms: UpdateTerms): void {
  const { beta1, beta2, epsilon, stepSize, rootCorrection, decay } = terms;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i]!;
    const m = (first[i] = beta1 * first[i]! + (1 - beta1) * g);
    const v = (second[i] = beta2 * second[i]! + (1 - beta2) * g * g);
    parameter[i] = parameter[i]! * decay - (stepSize * m) / (Math.sqrt(v) / rootCorrection + epsilon);
  }
}

export const zeroMoments = (length: number): Moments => ({ first: new Float32Array(length), second: new Float32Array(length) });

export function writeMoments(name: string, { first, second }: Moments, tensors: OptimizerState["tensors"]): void {
  tensors.set(`${name}:exp_avg`, first.slice()).set(`${name}:exp_avg_sq`, second.slice());
}

export function readMoments(name: string, length: number, reader: StateReader): Moments {
  return { first: reader.floats(`${name}:exp_avg`, length), second: reader.floats(`${name}:exp_avg_sq`, length) };
}

export class AdamW implements Optimizer {
  private moments = new Map<string, Moments>();
  private steps = 0;

  constructor(private readonly options: AdamWOptions) {}

  step(parameters: ReadonlyMap<string, Float32Array>, gradients: ReadonlyMap<string, Float32Array>, learningRate: number): void {
    const terms = updateTerms(this.options, ++this.steps, learningRate);
    for (const [name, parameter] of parameters) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      let state = this.moments.get(name);
      if (!state) this.moments.set(name, (state = zeroMoments(parameter.length)));
      updateInFloat32(parameter, gradient, state, terms);
    }
  }

  state(): OptimizerState {
    const tensors: OptimizerState["tensors"] = new Map();
    for (const [name, moments] of this.moments) writeMoments(name, moments, tensors);
    return { steps: this.steps, tensors };
  }

  restore(state: OptimizerState, parameters: ReadonlyMap<string, Float32Array>): void {
    const reader = new StateReader(state);
    const moments = new Map<string, Moments>();
    for (const [name, { length }] of parameters) if (reader.has(`${name}:exp_avg`)) moments.set(name, readMoments(name, length, reader));
    reader.end();
    this.moments = moments;
    this.steps = state.steps;
  }
}
