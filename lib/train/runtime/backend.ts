/**
 * A backend: one instance of onnxruntime on one device. The three ways to open
 * one are node.ts (tests and tools) and web.ts (wasm, WebGPU); everything else
 * sees only this interface. It is not a session: sessions are made from it.
 */
import type { InferenceSession, TensorConstructor, TensorFactory } from "onnxruntime-web";

export interface Ort {
  InferenceSession: { create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession> };
  Tensor: TensorConstructor & TensorFactory;
}

export interface Backend {
  readonly kind: "webgpu" | "wasm" | "node";
  /** Threads of the CPU part. */
  readonly threads: number;
  readonly ort: Ort;
  readonly options: InferenceSession.SessionOptions;
  /** Resolves with a sentence when the device is gone; never, on the CPU. */
  readonly lost: Promise<string>;
  dispose(): Promise<void>;
}
