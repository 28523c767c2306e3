/**
 * Rotary position embeddings (Su et al. 2021) as numbers: the frequency of each
 * pair of a head's dimensions, with Llama 3's scaling where the config asks for
 * it, and tables of cosines and sines. Computed in the f32 steps of
 * transformers' modeling_rope_utils, for a real checkpoint was trained with
 * their rounding. How queries are turned is the graph's business.
 */
import type { ModelConfig } from "./config";

/**
 * Llama 3's scaling: wavelengths beyond `originalMaxPositions / lowFreqFactor`
 * are stretched by `factor`, those below `originalMaxPositions / highFreqFactor`
 * are kept, and between the two the frequency moves over smoothly. Names are
 * those of transformers' rope parameters.
 */
export interface Llama3Scaling {
  kind: "llama3";
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositions: number;
}

type RotaryConfig = Pick<ModelConfig, "headDim" | "ropeTheta" | "ropeScaling">;

const { fround } = Math;

/** Radians per position of dimensions i and i + headDim / 2, [headDim / 2]. */
export function rotaryFrequencies(config: RotaryConfig): Float32Array {
  const theta = fround(config.ropeTheta);
  const frequencies = new Float32Array(config.headDim / 2); // [headDim / 2]
  for (let i = 0; i < frequencies.length; i++) {
    const frequency = fround(1 / fround(theta ** fround((2 * i) / config.headDim)));
    frequencies[i] = config.ropeScaling === null ? frequency : scaled(frequency, config.ropeScaling);
  }
  return frequencies;
}

function scaled(frequency: number, { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions: original }: Llama3Scaling): number {
  // torch divides a number by a tensor as number · reciprocal.
  const wavelength = fround(fround(1 / frequency) * fround(2 * Math.PI));
  if (wavelength > fround(original / low)) return fround(frequency / fround(factor));
  if (wavelength < fround(original / high)) return frequency;
  const smooth = fround(fround(fround(fround(1 / wavelength) * fround(original)) - fround(low)) / fround(high - low));
  return fround(fround(fround(fround(1 - smooth) * frequency) / fround(factor)) + fround(smooth * frequency));
}

/**
 * @param maxPositions rows of the tables; every position looked up must be below it
 * @returns each [maxPositions, headDim / 2]
 */
export function rotaryTable(config: RotaryConfig, maxPositions: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(config); // [headDim / 2]
  const half = frequencies.length;
  const cos = new Float32Array(maxPositions * half); // [maxPositions, headDim / 2]
  const sin = new Float32Array(maxPositions * half); // [maxPositions, headDim / 2]
  for (let position = 0; position < maxPositions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = fround(position * frequencies[i]!);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
