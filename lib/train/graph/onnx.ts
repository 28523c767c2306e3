/**
 * Writes a graph as an ONNX model (onnx.proto3, IR version 10, opset 18 and
 * ORT's com.microsoft). Only what the outputs need is written: dead code is
 * dropped here. A parameter becomes an initializer where its numbers are given,
 * else an input.
 */
import { DuctusError } from "../../core/errors";
import type { Shape } from "./dims";
import type { Attribute, DType, Graph, Node, Tensor, TypedData } from "./graph";
import { ProtoWriter } from "./protobuf";

const OPSET = 18;
const IR_VERSION = 10;
const DATA_TYPE: Record<DType, number> = { f32: 1, i32: 6, i64: 7, bool: 9 };

/** An input or output of a finished model. */
export interface Port {
  name: string;
  dtype: DType;
  shape: Shape;
  /** Set where the runtime feeds the value of these dimensions by itself. */
  shapeOf?: Shape;
}

export interface OnnxModel {
  bytes: Uint8Array<ArrayBuffer>;
  inputs: Port[];
  outputs: Port[];
  nodeCount: number;
}

/**
 * @param outputs name → tensor; the order is that of the model's outputs
 * @param weights numbers of the parameters to be written into the model; the others become inputs
 */
export function toOnnx(graph: Graph, outputs: Readonly<Record<string, Tensor>>, weights: ReadonlyMap<string, Float32Array> = new Map()): OnnxModel {
  const { nodes, leaves } = reachable(graph, Object.values(outputs));
  const names = new Map<Tensor, string>();
  const nameOf = (t: Tensor) => names.get(t) ?? t.name;
  const body = new ProtoWriter();

  // An output that is an input or is asked for twice still needs a node of its own name.
  const renamed: { from: Tensor; to: string }[] = [];
  for (const [name, tensor] of Object.entries(outputs)) {
    if (graph.producer(tensor) && !names.has(tensor)) names.set(tensor, name);
    else renamed.push({ from: tensor, to: name });
  }
  for (const node of nodes) body.message(1, writeNode(node, nameOf));
  for (const { from, to } of renamed) {
    body.message(1, new ProtoWriter().string(1, nameOf(from)).string(2, to).string(4, "Identity"));
  }
  body.string(2, "ductus");

  const inputs: Port[] = [];
  for (const leaf of leaves) {
    const source = leaf.source!;
    switch (source.kind) {
      case "constant":
        body.message(5, writeTensor(leaf, source.data));
        break;
      case "parameter": {
        const data = weights.get(leaf.name);
        if (data) body.message(5, writeTensor(leaf, data));
        else inputs.push({ name: leaf.name, dtype: leaf.dtype, shape: leaf.shape });
        break;
      }
      case "input":
        inputs.push({ name: leaf.name, dtype: leaf.dtype, shape: leaf.shape });
        break;
      case "shape":
        inputs.push({ name: leaf.name, dtype: leaf.dtype, shape: leaf.shape, shapeOf: source.dims });
        break;
      default:
        source satisfies never;
    }
  }
  for (const port of inputs) body.message(11, writePort(port));
  const ports = Object.entries(outputs).map(([name, t]): Port => ({ name, dtype: t.dtype, shape: t.shape }));
  for (const port of ports) body.message(12, writePort(port));

  const model = new ProtoWriter()
    .int(1, IR_VERSION)
    .string(2, "ductus")
    .message(7, body)
    .message(8, new ProtoWriter().string(1, "").int(2, OPSET))
    .message(8, new ProtoWriter().string(1, "com.microsoft").int(2, 1));
  return { bytes: model.finish(), inputs, outputs: ports, nodeCount: nodes.length + renamed.length };
}

/** Nodes and leaves that the outputs depend on, in order (dead-code elimination). */
function reachable(graph: Graph, outputs: readonly Tensor[]): { nodes: Node[]; leaves: Tensor[] } {
  const needed = new Set<Tensor>(outputs);
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!needed.has(node.output)) continue;
    kept.push(node);
    for (const input of node.inputs) if (input) needed.add(input);
  }
  return { nodes: kept.reverse(), leaves: [...needed].filter((t) => t.source !== null) };
}

function writeNode(node: Node, nameOf: (t: Tensor) => string): ProtoWriter {
  const w = new ProtoWriter();
  for (const input of node.inputs) w.string(1, input ? nameOf(input) : "");
  w.string(2, nameOf(node.output)).string(3, node.output.name).string(4, node.type);
  for (const [name, value] of Object.entries(node.attributes)) w.message(5, writeAttribute(name, value));
  if (node.domain) w.string(7, node.domain);
  return w;
}

function writeAttribute(name: string, value: Attribute): ProtoWriter {
  const w = new ProtoWriter().string(1, name);
  if (typeof value === "number") return w.int(3, value).int(20, 2);
  if (typeof value === "string") return w.string(4, value).int(20, 3);
  if ("float" in value) return w.float(2, value.float).int(20, 1);
  return w.packedInts(8, value).int(20, 7);
}

function writeTensor(tensor: Tensor, data: TypedData): ProtoWriter {
  const expected = (tensor.shape as number[]).reduce((a, b) => a * b, 1);
  if (data.length !== expected) {
    throw new DuctusError("graph/shape", `"${tensor.name}" has ${data.length} numbers for shape [${tensor.shape.join(", ")}].`);
  }
  return new ProtoWriter()
    .packedInts(1, tensor.shape as number[])
    .int(2, DATA_TYPE[tensor.dtype])
    .string(8, tensor.name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writePort(port: Port): ProtoWriter {
  const shape = new ProtoWriter();
  for (const d of port.shape) {
    shape.message(1, typeof d === "number" ? new ProtoWriter().int(1, d) : new ProtoWriter().string(2, d));
  }
  const type = new ProtoWriter().message(1, new ProtoWriter().int(1, DATA_TYPE[port.dtype]).message(2, shape));
  return new ProtoWriter().string(1, port.name).message(2, type);
}
