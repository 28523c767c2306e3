/**
 * How a model is executed while it is trained and scored. Two executions come
 * from the same block function: *whole* (one graph, weights inside; quickest
 * while all fits) and *streamed* (a few small graphs reused over all layers,
 * weights fed to them; memory does not grow with depth). Both give the same
 * numbers. Types only.
 */
import type { Batch } from "../sft/batch";

export interface ExecutionPlan {
  kind: "whole" | "streamed";
  /** Streamed only: the backward pass computes a layer's activations again instead of keeping them (gradient checkpointing). */
  recompute: boolean;
}

/**
 * By name, `layers.{i}.{self_attn|mlp}.{projection}.lora_A|B`, and where tokens are trained `tokens` [count, hidden], their
 * rows of the embedding and of a tied head, and `tokens.head` [count, hidden], those of an untied one.
 */
export type AdapterTensors = ReadonlyMap<string, Float32Array>;

export interface TrainInputs {
  adapter: AdapterTensors;
  /** Weight of each scored row's loss, [M]. */
  rowWeights: Float32Array;
  /** Seed of the dropout masks of this batch; null for none. The rate is that of the execution's settings. */
  dropoutSeed: string | null;
  /** Added to the embeddings (NEFTune), [B·T, hidden]; null for none. */
  noise: Float32Array | null;
}

export interface Execution {
  readonly plan: ExecutionPlan;
  /** loss = Σ nll · rowWeights, and its gradient by the adapter's names. */
  train(batch: Batch, inputs: TrainInputs): Promise<{ loss: number; gradients: Map<string, Float32Array> }>;
  /** Negative log-likelihood (nats) of each scored row, [M]. @param adapter null for the base model */
  score(batch: Batch, adapter: AdapterTensors | null): Promise<Float32Array>;
  dispose(): Promise<void>;
}
