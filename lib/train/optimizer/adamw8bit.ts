/**
 * AdamW whose moments are kept in 8 bits, block by block, as bitsandbytes'
 * AdamW8bit: a block's moments are restored, moved, used for the update in full
 * precision, and quantised again. Tensors of fewer than 4,096 numbers keep
 * moments in f32, as there. The order is that of its PyTorch implementation; its
 * CUDA kernel decays after the update instead of before, and never lets a first
 * moment become zero from below.
 */
import { readMoments, updateInFloat32, updateTerms, writeMoments, zeroMoments, type AdamWOptions, type Moments, type UpdateTerms } from "./adamw";
import { dynamicMap, quantiseBlock, STATE_BLOCK, zeroQuantised, type Quantised } from "./blockwise";
import type { Optimizer, OptimizerState } from "./optimizer";
import { StateReader } from "./state";

/** bitsandbytes' min_8bit_size, in numbers. */
export const MIN_8BIT_SIZE = 4096;

interface QuantisedMoments {
  first: Quantised;
  second: Quantised;
}

type State = { kind: "f32"; moments: Moments } | { kind: "8bit"; moments: QuantisedMoments };

export class AdamW8bit implements Optimizer {
  private states = new Map<string, State>();
  private steps = 0;
  private readonly signed = dynamicMap(true);
  private readonly unsigned = dynamicMap(false);
  private readonly firstBlock = new Float64Array(STATE_BLOCK);
  private readonly secondBlock = new Float64Array(STATE_BLOCK);

  constructor(private readonly options: AdamWOptions) {}

  step(parameters: ReadonlyMap<string, Float32Array>, gradients: ReadonlyMap<string, Float32Array>, learningRate: number): void {
    const terms = updateTerms(this.options, ++this.steps, learningRate);
    for (const [name, parameter] of parameters) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      let state = this.states.get(name);
      if (!state) this.states.set(name, (state = this.fresh(parameter.length)));
      if (state.kind === "f32") updateInFloat32(parameter, gradient, state.moments, terms);
      else this.updateIn8Bits(parameter, gradient, state.moments, terms);
    }
  }

  private fresh(length: number): State {
    if (length < MIN_8BIT_SIZE) return { kind: "f32", moments: zeroMoments(length) };
    return { kind: "8bit", moments: { first: zeroQuantised(length, this.signed), second: zeroQuantised(length, this.unsigned) } };
  }

  private updateIn8Bits(parameter: Float32Array, gradient: Float32Array, { first, second }: QuantisedMoments, terms: UpdateTerms): void {
    const { beta1, beta2, epsilon, stepSize, rootCorrection, decay } = terms;
    const { signed, unsigned, firstBlock, secondBlock } = this;
    for (let begin = 0; begin < parameter.length; begin += STATE_BLOCK) {
      const length = Math.min(STATE_BLOCK, parameter.length - begin);
      const firstScale = first.absmax[begin / STATE_BLOCK]!;
      const secondScale = second.absmax[begin / STATE_BLOCK]!;
      for (let i = 0; i < length; i++) {
        const at = begin + i;
        const g = gradient[at]!;
        const m = (firstBlock[i] = beta1 * signed.values[first.codes[at]!]! * firstScale + (1 - beta1) * g);
        const v = (secondBlock[i] = beta2 * unsigned.values[second.codes[at]!]! * secondScale + (1 - beta2) * g * g);
        parameter[at] = parameter[at]! * decay - (stepSize * m) / (Math.sqrt(v) / rootCorrection + epsilon);
      }
      quantiseBlock(firstBlock, first, begin, length, signed);
      quantiseBlock(secondBlock, second, begin, length, unsigned);
    }
  }

  state(): OptimizerState {
    const tensors: OptimizerState["tensors"] = new Map();
    for (const [name, { kind, moments }] of this.states) {
      if (kind === "f32") writeMoments(name, moments, tensors);
      else {
        tensors.set(`${name}:state1`, moments.first.codes.slice()).set(`${name}:absmax1`, moments.first.absmax.slice());
        tensors.set(`${name}:state2`, moments.second.codes.slice()).set(`${name}:absmax2`, moments.second.absmax.slice());
      }
    }
    return { steps: this.steps, tensors };
  }

  restore(state: OptimizerState, parameters: ReadonlyMap<string, Float32Array>): void {
    const reader = new StateReader(state);
    const states = new Map<string, State>();
    for (const [name, { length }] of parameters) {
      if (length < MIN_8BIT_SIZE) {
        if (reader.has(`${name}:exp_avg`)) states.set(name, { kind: "f32", moments: readMoments(name, length, reader) });
      } else if (reader.has(`${name}:state1`)) {
        const blocks = Math.ceil(length / STATE_BLOCK);
        const quantised = (n: 1 | 2): Quantised => ({ codes: reader.bytes(`${name}:state${n}`, length), absmax: reader.floats(`${name}:absmax${n}`, blocks) });
        states.set(name, { kind: "8bit", moments: { first: quantised(1), second: quantised(2) } });
      }
    }
    reader.end();
    this.states = states;
    this.steps = state.steps;
  }
}

