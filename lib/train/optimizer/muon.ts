/**
 * Muon (Jordan et al. 2024) for the matrices of a model's blocks, step for step
 * as torch.optim.Muon with Nesterov momentum and adjust_lr_fn "match_rms_adamw"
 * (Liu et al. 2025): the momentum is orthogonalised by Newton–Schulz iteration
 * and scaled so that its numbers are as large as AdamW's. It departs from torch
 * in one point: the iteration is in f32, not bfloat16. The iteration, nearly all
 * of the work, is a graph that the runtime computes.
 */
import { DuctusError } from "../../core/errors";
import { Graph } from "../graph/graph";
import { scale } from "../graph/operators/elementwise";
import { gemm } from "../graph/operators/linear";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { Backend } from "../runtime/backend";
import { f32, Session } from "../runtime/session";
import type { OptimizerState } from "./optimizer";
import { StateReader } from "./state";

export interface MuonOptions {
  weightDecay: number;
  /** Of the Newton–Schulz iteration; torch's default is 5. */
  iterations: number;
}

/** [rows, columns] */
export interface Matrix {
  shape: readonly [number, number];
  data: Float32Array;
}

/** Of torch.optim.Muon: a, b and c of a·X + (b·A + c·A²)·X with A = X·Xᵀ; the least norm that is divided by. */
const COEFFICIENTS = [3.4445, -4.775, 2.0315] as const;
const LEAST_NORM = 1e-7;

/** What the learning rate is multiplied by. */
export const muonScale = ([rows, columns]: Matrix["shape"]): number => 0.2 * Math.sqrt(Math.max(rows, columns));

export class Muon {
  private momenta = new Map<string, Float32Array>();
  private steps = 0;

  private constructor(private readonly options: MuonOptions, private readonly wide: Session, private readonly tall: Session) {}

  static async create(backend: Backend, options: MuonOptions): Promise<Muon> {
    const wide = await Session.create(backend, newtonSchulz(options.iterations, "wide"));
    return new Muon(options, wide, await Session.create(backend, newtonSchulz(options.iterations, "tall")));
  }

  /** Updates every matrix in place from its gradient; one without a gradient is left alone. */
  async step(matrices: ReadonlyMap<string, Matrix>, gradients: ReadonlyMap<string, Float32Array>, learningRate: number, momentum: number): Promise<void> {
    this.steps++;
    const decay = 1 - learningRate * this.options.weightDecay;
    for (const [name, { shape, data }] of matrices) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      let mean = this.momenta.get(name);
      if (!mean) this.momenta.set(name, (mean = new Float32Array(data.length)));
      const direction = await this.orthogonalised(shape, nesterov(mean, gradient, momentum));
      const size = learningRate * muonScale(shape);
      for (let i = 0; i < data.length; i++) data[i] = data[i]! * decay - size * direction[i]!;
    }
  }

  /** Close to U·Vᵀ of x = U·S·Vᵀ, [rows, columns]. */
  private async orthogonalised(shape: Matrix["shape"], x: Float32Array): Promise<Float32Array> {
    let squares = 0;
    for (let i = 0; i < x.length; i++) squares += x[i]! * x[i]!;
    const norm = Math.max(Math.sqrt(squares), LEAST_NORM);
    for (let i = 0; i < x.length; i++) x[i] = x[i]! / norm;
    const { y } = await (shape[0] > shape[1] ? this.tall : this.wide).run({ x: f32(x, shape) });
    return y!.data as Float32Array;
  }

  /** A copy. */
  state(): OptimizerState {
    return { steps: this.steps, tensors: new Map([...this.momenta].map(([name, mean]) => [`${name}:momentum_buffer`, mean.slice()])) };
  }

  /** As {@link Optimizer.restore}. */
  restore(state: OptimizerState, matrices: ReadonlyMap<string, Matrix>): void {
    const reader = new StateReader(state);
    const momenta = new Map<string, Float32Array>();
    for (const [name, { data }] of matrices) if (reader.has(`${name}:momentum_buffer`)) momenta.set(name, reader.floats(`${name}:momentum_buffer`, data.length));
    reader.end();
    this.momenta = momenta;
    this.steps = state.steps;
  }

  async dispose(): Promise<void> {
    await this.wide.dispose();
    await this.tall.dispose();
  }
}

/** Takes the gradient into the running mean, and looks one step ahead. */
function nesterov(mean: Float32Array, gradient: Float32Array, momentum: number): Float32Array {
  if (gradient.length !== mean.length) throw new DuctusError("graph/shape", `A gradient of ${gradient.length} numbers for a matrix of ${mean.length}.`);
  const ahead = new Float32Array(mean.length);
  for (let i = 0; i < mean.length; i++) {
    const g = gradient[i]!;
    const m = (mean[i] = momentum * mean[i]! + (1 - momentum) * g);
    ahead[i] = momentum * m + (1 - momentum) * g;
  }
  return ahead;
}

/** Matrices that are higher than wide are multiplied from the other side, so that A is always of the smaller size; the result is the same. */
function newtonSchulz(iterations: number, form: "wide" | "tall"): OnnxModel {
  const [a, b, c] = COEFFICIENTS;
  const graph = new Graph();
  let x = graph.input("x", "f32", ["rows", "columns"]); // [rows, columns]
  for (let i = 0; i < iterations; i++) {
    const product = form === "wide" ? gemm(x, x, { transB: true }) : gemm(x, x, { transA: true }); // [n, n], the smaller of the two
    const update = gemm(product, product, { alpha: c, c: scale(product, b) }); // [n, n]
    x = form === "wide" ? gemm(update, x, { c: scale(x, a) }) : gemm(x, update, { c: scale(x, a) }); // [rows, columns]
  }
  return toOnnx(graph, { y: x });
}
