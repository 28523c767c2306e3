/**
 * AdamW (Loshchilov & Hutter 2019), step for step as torch.optim.AdamW: weight
 * decay is applied to the parameter first, moments are bias-corrected, epsilon
 * is added to the corrected root. State is f32; each update is computed in f64.
 */
export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

export class AdamW {
  private readonly moments = new Map<string, { first: Float32Array; second: Float32Array }>();
  private steps = 0;

  constructor(private readonly options: AdamWOptions) {}

  /** Updates every parameter in place from its gradient. */
  step(parameters: ReadonlyMap<string, Float32Array>, gradients: ReadonlyMap<string, Float32Array>, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    this.steps++;
    const stepSize = learningRate / (1 - beta1 ** this.steps);
    const rootCorrection = Math.sqrt(1 - beta2 ** this.steps);
    const decay = 1 - learningRate * weightDecay;
    for (const [name, parameter] of parameters) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      let state = this.moments.get(name);
      if (!state) this.moments.set(name, (state = { first: new Float32Array(parameter.length), second: new Float32Array(parameter.length) }));
      const { first, second } = state;
      for (let i = 0; i < parameter.length; i++) {
        const g = gradient[i]!;
        const m = (first[i] = beta1 * first[i]! + (1 - beta1) * g);
        const v = (second[i] = beta2 * second[i]! + (1 - beta2) * g * g);
        parameter[i] = parameter[i]! * decay - (stepSize * m) / (Math.sqrt(v) / rootCorrection + epsilon);
      }
    }
  }
}
