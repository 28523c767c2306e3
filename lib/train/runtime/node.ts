/** onnxruntime-node as a backend, for tests, tools and benchmarks. Never reaches a browser bundle. */
import * as ort from "onnxruntime-node";
import { CANNOT_BE_LOST, type Backend } from "./backend";

export function openNode(threads = 1): Backend {
  return {
    kind: "node",
    threads,
    ort: ort, // same interface; the two packages each bring their own copy of its types
    // Weights in a layout of their own are worth their room here (4-bit products are several times quicker).
    // Idle pools that spin steal the cores from the session that works.
    options: { executionProviders: ["cpu"], intraOpNumThreads: threads, graphOptimizationLevel: "all", extra: { session: { intra_op: { allow_spinning: "0" } } } },
    gpu: null,
    features: { f16: true },
    ...CANNOT_BE_LOST,
    dispose: () => Promise.resolve(),
  };
}
