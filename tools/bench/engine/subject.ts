/**
 * What is timed of the engine, in a browser's worker and in Node alike: the
 * product's own trainer and generator on a size, and the plain product that the
 * machine's speed is taken from. Times are in milliseconds, by this realm's clock.
 */
import { Random } from "../../../lib/core/random";
import { Graph } from "../../../lib/train/graph/graph";
import { toOnnx } from "../../../lib/train/graph/onnx";
import { gemm } from "../../../lib/train/graph/operators/linear";
import { planFor } from "../../../lib/train/execution/open";
import type { ExecutionPlan } from "../../../lib/train/execution/types";
import { Generator } from "../../../lib/train/generate/generator";
import type { Storage } from "../../../lib/train/model/held";
import { initialAdapter } from "../../../lib/train/model/lora";
import type { Backend } from "../../../lib/train/runtime/backend";
import { f32, Session, type NdArray } from "../../../lib/train/runtime/session";
import { SftTrainer } from "../../../lib/train/sft/trainer";
import { examplesOf, LEARNING_RATE, modelOf, randomWeights, sftConfig, type Size } from "./sizes";

export const DECODE_BATCH = 8;
export const DECODE_PROMPT = 16;
export const DECODE_STEPS = 128;

export interface Stepped {
  ms: number;
  /** Before the update. */
  loss: number;
}

export class TrainSubject {
  private constructor(private readonly trainer: SftTrainer, private readonly size: Size) {}

  /** @param wanted absent: the plan that suits the size on this device */
  static async create(backend: Backend, size: Size, storage: Storage = "f32", wanted?: ExecutionPlan): Promise<TrainSubject> {
    const config = modelOf(size);
    const weights = randomWeights(config, storage);
    const plan = wanted ?? planFor(backend, { config, weights }, { batch: size.batch, seq: size.seq, otherCopies: 0 });
    const sft = sftConfig(size);
    return new TrainSubject(await SftTrainer.create(backend, config, weights, sft, initialAdapter(config, sft.lora, sft.seed), plan), size);
  }

  get plan(): string {
    const { kind, recompute } = this.trainer.execution.plan;
    return recompute ? `${kind} with recompute` : kind;
  }

  /** Forward, backward, clipping and AdamW. */
  async step(): Promise<Stepped> {
    const examples = examplesOf(this.size);
    const start = performance.now();
    const { loss } = await this.trainer.step([examples], LEARNING_RATE);
    return { ms: performance.now() - start, loss };
  }

  dispose(): Promise<void> {
    return this.trainer.dispose();
  }
}

/** One f32 product with a constant weight; a single row of it is handed back, so that no copy out of the runtime is timed. */
export class ProductSubject {
  private constructor(private readonly session: Session, private readonly x: NdArray) {}

  /** x [rows, width] × [width, columns] */
  static async create(backend: Backend, rows: number, width: number, columns: number): Promise<ProductSubject> {
    const random = new Random("bench-product");
    const draw = (length: number) => Float32Array.from({ length }, () => random.uniform() - 0.5);
    const graph = new Graph();
    const weight = graph.constant("f32", [width, columns], draw(width * columns)); // [width, columns]
    const product = gemm(graph.input("x", "f32", [rows, width]), weight); // [rows, columns]
    const row = graph.node("Gather", [product, graph.ints([0])], { dtype: "f32", shape: [1, columns] }, { attributes: { axis: 0 } }); // [1, columns]
    return new ProductSubject(await Session.create(backend, toOnnx(graph, { row })), f32(draw(rows * width), [rows, width]));
  }

  async run(): Promise<number> {
    const start = performance.now();
    await this.session.run({ x: this.x });
    return performance.now() - start;
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

/** Greedy writing: a batch of short prompts, every row adapted and of full length. */
export class DecodeSubject {
  private constructor(private readonly generator: Generator, private readonly size: Size) {}

  static async create(backend: Backend, size: Size): Promise<DecodeSubject> {
    const model = modelOf(size);
    return new DecodeSubject(await Generator.create(backend, model, randomWeights(model, "f32"), sftConfig(size).lora, DECODE_PROMPT + DECODE_STEPS), size);
  }

  /** Tokens a second, the prompt's pass included in the time. */
  async run(): Promise<number> {
    const { lora, seed } = sftConfig(this.size);
    const model = modelOf(this.size);
    const random = new Random("bench-prompts");
    const rows = Array.from({ length: DECODE_BATCH }, (_, i) => ({ promptIds: Array.from({ length: DECODE_PROMPT }, () => random.int(model.vocabSize)), adapted: true, seed: i }));
    const adapter = initialAdapter(model, lora, seed);
    const start = performance.now();
    const written = await this.generator.generate(rows, { temperature: 0, topP: 1, maxNewTokens: DECODE_STEPS, stopTokenIds: [] }, adapter);
    const seconds = (performance.now() - start) / 1000;
    const tokens = written.reduce((n, row) => n + row.tokens.length, 0);
    if (tokens !== DECODE_BATCH * DECODE_STEPS) throw new Error(`${tokens} tokens were written.`);
    return tokens / seconds;
  }

  dispose(): Promise<void> {
    return this.generator.dispose();
  }
}
