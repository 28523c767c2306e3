/** What a session is created with: the backend's options, and what a model needs beyond them. */
import type { InferenceSession } from "onnxruntime-web";
import type { OnnxModel } from "../graph/onnx";
import type { Backend } from "./backend";

export interface SessionSettings {
  /** Outputs that stay on the device. */
  keep?: readonly string[];
  /**
   * Whether f16 weights in the model are turned into f32 once and for all:
   * quicker, but then they take the room of f32.
   */
  fold?: boolean;
  /** Whether weights in the model are copied into the layout that products like best. Default: as measured for the backend. */
  prepack?: boolean;
  /**
   * On WebGPU, records the commands of a run and replays them; for graphs of fixed shapes. Only where `captureFault`
   * finds nothing. Elsewhere it changes nothing.
   */
  capture?: boolean;
  /** Further options of onnxruntime. */
  options?: InferenceSession.SessionOptions;
}

type Extra = Record<string, Record<string, unknown>>;

function merged(...parts: Extra[]): Extra {
  const result: Extra = {};
  for (const part of parts) for (const [group, entries] of Object.entries(part)) result[group] = { ...result[group], ...entries };
  return result;
}

export function sessionOptions(backend: Backend, model: OnnxModel, { keep = [], fold = false, prepack, capture = false, options = {} }: SessionSettings): InferenceSession.SessionOptions {
  const extra = merged(
    (backend.options.extra ?? {}) as Extra,
    prepack === undefined ? {} : { session: { disable_prepacking: prepack ? "0" : "1" } },
    model.compact && !fold ? { optimization: { disable_specified_optimizers: "ConstantFolding" } } : {},
    (options.extra ?? {}) as Extra,
  );
  return {
    ...backend.options,
    // The highest level folds constants whatever it is told.
    ...(model.compact && !fold ? { graphOptimizationLevel: "extended" as const } : {}),
    ...(model.external.length > 0 ? { externalData: model.external } : {}),
    ...(backend.gpu && capture ? { enableGraphCapture: true, preferredOutputLocation: "gpu-buffer" as const } : {}),
    ...(backend.gpu && !capture && keep.length > 0 ? { preferredOutputLocation: Object.fromEntries(keep.map((name) => [name, "gpu-buffer" as const])) } : {}),
    ...options,
    extra,
  };
}
