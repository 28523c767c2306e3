/**
 * A backend: one instance of onnxruntime on one device. The three ways to open
 * one are node.ts (tests and tools) and web.ts (wasm, WebGPU); everything else
 * sees only this interface. It is not a session: sessions are made from it.
 */
import { DuctusError } from "../../core/errors";
import type { Target } from "../graph/graph";
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
  /** The graphics device; null on the processor. */
  readonly gpu: GPUDevice | null;
  readonly features: {
    /** Weights may be held as f16 and turned into f32 where they are used. */
    f16: boolean;
  };
  /** Resolves with a sentence when the device is gone; never, on the CPU. */
  readonly lost: Promise<string>;
  /** The task, or a rejection with DuctusError `device/lost` when the device goes first: its calls may then never return. */
  unlessLost<T>(task: Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

/** What graphs for this backend may be made of. */
export const targetOf = (backend: Backend): Target => (backend.gpu ? "any" : "cpu");

/** For devices that cannot be lost. */
export const CANNOT_BE_LOST: Pick<Backend, "lost" | "unlessLost"> = {
  lost: new Promise(() => undefined),
  unlessLost: (task) => task,
};

/** A call that fails because the device went often does so a moment before the loss is told. */
const LOSS_IS_TOLD_MS = 100;

/** Watches a promise of loss. One reaction in all: a race at every run would pile up on a promise that hardly ever settles. */
export function watchLoss(lost: Promise<string>): Pick<Backend, "lost" | "unlessLost"> {
  const waiting = new Set<(error: DuctusError) => void>();
  let gone: DuctusError | null = null;
  void lost.then((reason) => {
    gone = new DuctusError("device/lost", "The graphics processor was reset while it was working.",
      "Try again. What a run had learned up to its last check is kept.", { details: reason });
    for (const reject of waiting) reject(gone);
    waiting.clear();
  });
  return {
    lost,
    unlessLost: (task) => new Promise((resolve, reject) => {
      task.catch(() => undefined); // it may still fail when nobody waits for it any more
      if (gone) return reject(gone);
      waiting.add(reject);
      const settle = (end: () => void) => {
        waiting.delete(reject);
        end();
      };
      task.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => setTimeout(() => settle(() => reject(error instanceof Error ? error : new Error(String(error)))), LOSS_IS_TOLD_MS),
      );
    }),
  };
}
