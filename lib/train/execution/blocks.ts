/**
 * The graphs of one decoder layer, forward and backward, with the weights as
 * inputs, so that the same compiled graph serves every layer. The backward graph
 * either reads the activations that the forward one kept, or computes them again
 * from the layer's input (gradient checkpointing, Chen et al. 2016).
 *
 * Inputs of both: x [N, hidden], positions, mask, weights.*, adapter.*, dropout
 * masks; the last layer also rows and rowOf, and its output has M rows.
 */
import { adjoints } from "../graph/autodiff";
import { Graph, type Target, type Tensor } from "../graph/graph";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "../model/config";
import { gradientName, layerShapes } from "../model/graphs";
import { storageOf, type AnyWeights } from "../model/groups";
import { decoderLayer, rotaryTables, type AttentionContext } from "../model/qwen";
import type { ExecutionSettings } from "./feeds";

/** Prefixes of a layer's tensors in these graphs. */
export const BLOCK_NAMES = { weights: "weights", adapter: "adapter" } as const;

/** Where a layer stands: the first may have nobody who asks for its input's gradient, the last computes scored rows only. */
export interface Place {
  last: boolean;
  inputGradient: boolean;
}

interface Block {
  graph: Graph;
  output: Tensor;
  /** Output name → tensor: gradients of the adapter, and `dx` where asked for. */
  gradients: Record<string, Tensor>;
  /** Forward activations that the gradients need. */
  saved: Set<Tensor>;
}

function block(config: ModelConfig, settings: ExecutionSettings, weights: AnyWeights, target: Target, place: Place, dropout: boolean): Block {
  const graph = new Graph(target);
  const x = graph.input("x", "f32", ["B*T", config.hiddenSize]); // [N, hidden]
  const context: AttentionContext = {
    positions: graph.input("positions", "i64", ["B", "T"]),
    mask: graph.input("mask", "f32", ["B", 1, "T", "T"]),
    tables: rotaryTables(graph, config, settings.maxPositions),
  };
  const only = { rows: graph.input("rows", "i32", ["M"]), rowOf: graph.input("rowOf", "i32", ["B*T"]) };
  const held = storageOf(weights);
  const { output } = decoderLayer(x, config, context, {
    names: BLOCK_NAMES, lora: { ...settings.lora, dropoutMasks: dropout, batchTokens: settings.batchTokens },
    storage: (name) => held(name.replace(BLOCK_NAMES.weights, "model.layers.0")), // every layer is held alike
    ...(place.last ? { only } : {}),
  });
  const forward = graph.nodes.length;
  const names = [...layerShapes(config, settings.lora, BLOCK_NAMES.adapter).keys()];
  const wanted = [...names.map((name) => graph.named(name)), ...(place.inputGradient ? [x] : [])];
  const found = adjoints(graph, output, graph.input("dy", "f32", output.shape), wanted);
  const gradients = Object.fromEntries(names.map((name, i) => [gradientName(name), found[i]!]));
  if (place.inputGradient) gradients["dx"] = found.at(-1)!;
  return { graph, output, gradients, saved: boundary(graph, forward, x, Object.values(gradients)) };
}

/**
 * Tensors of the first `forward` nodes that the nodes after them read on the way to `outputs`. What depends on the
 * weights alone (f32 from f16, weights with their update) is not among them: it is as large as a layer, and cheap.
 */
function boundary(graph: Graph, forward: number, x: Tensor, outputs: readonly Tensor[]): Set<Tensor> {
  const early = new Set<Tensor>();
  for (const node of graph.nodes.slice(0, forward)) {
    if (node.inputs.some((input) => input && (input === x || early.has(input)))) for (const output of node.outputs) early.add(output);
  }
  const seen = new Set<Tensor>();
  const edge = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (seen.has(tensor)) return;
    seen.add(tensor);
    if (early.has(tensor)) return void edge.add(tensor);
    for (const input of graph.producer(tensor)?.inputs ?? []) if (input) visit(input);
  };
  outputs.forEach(visit);
  return edge;
}

export interface ForwardGraph {
  model: OnnxModel;
  /** Outputs beside `y` that the backward graph takes as inputs, by name. */
  saved: string[];
}

/** Outputs: y, and what is to be kept for the backward graph. */
export function forwardGraph(config: ModelConfig, settings: ExecutionSettings, weights: AnyWeights, target: Target, place: Place, options: { save: boolean; dropout: boolean }): ForwardGraph {
  const { graph, output, saved } = block(config, settings, weights, target, place, options.dropout);
  const kept = options.save ? [...saved].filter((tensor) => tensor !== output) : [];
  const model = toOnnx(graph, { y: output, ...Object.fromEntries(kept.map((tensor) => [tensor.name, tensor])) });
  return { model, saved: kept.map((tensor) => tensor.name) };
}

/** Outputs: gradients of the adapter's tensors, and dx where the place asks for it. Further input: dy. */
export function backwardGraph(config: ModelConfig, settings: ExecutionSettings, weights: AnyWeights, target: Target, place: Place, options: { recompute: boolean; dropout: boolean }): OnnxModel {
  const { graph, gradients, saved } = block(config, settings, weights, target, place, options.dropout);
  return toOnnx(graph, gradients, new Map(), options.recompute ? {} : { cut: saved });
}
