/**
 * Writes a graph as an ONNX model (onnx.proto3, IR version 10, opset 18 and
 * ORT's com.microsoft). Only what the outputs need is written: dead code is
 * dropped here. A parameter becomes an initializer where its numbers are given,
 * else an input.
 */
import { DuctusError } from "../../core/errors";
import { resolve, type DimBindings, type Shape } from "./dims";
import type { Attribute, DType, Graph, Node, Tensor, TypedData } from "./graph";
import { ProtoWriter } from "./protobuf";

const OPSET = 18;
const IR_VERSION = 10;
const DATA_TYPE: Record<DType, number> = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10, u4: 21 };

/** What protocol buffers can hold. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** An input or output of a finished model. */
export interface Port {
  name: string;
  dtype: DType;
  shape: Shape;
  /** Set where the runtime feeds the value of these dimensions by itself. */
  shapeOf?: Shape;
  /** Of an output: only another shape or name of a tensor, which runtimes copy instead of computing it. */
  view?: true;
}

/** Numbers that stand beside the model instead of in it (TensorProto.external_data). */
export interface ExternalData {
  /** What the model calls them; not a path on any disk. */
  path: string;
  /** A view of the caller's numbers, not a copy. */
  data: Uint8Array;
}

export interface OnnxModel {
  bytes: Uint8Array<ArrayBuffer>;
  inputs: Port[];
  outputs: Port[];
  nodeCount: number;
  /** Empty unless asked for. */
  external: ExternalData[];
  /** Whether weights in it are held in fewer bits than they are computed with. */
  compact: boolean;
}

export interface ExportOptions {
  /** Tensors that are computed elsewhere: inputs of this model, under their names in the graph. */
  cut?: ReadonlySet<Tensor>;
  /** Weights of more bytes than this are handed to the runtime beside the model instead of inside it, which holds no more than 2 GB. */
  externalOver?: number;
  /** Values of the named sizes: the model is then for inputs of these shapes alone. */
  sizes?: DimBindings;
}

/**
 * @param outputs name → tensor; the order is that of the model's outputs
 * @param weights numbers of the parameters to be written into the model; the others become inputs
 * @throws DuctusError `graph/shape` where numbers do not fit their parameter, `graph/size` where the model cannot hold them all, `graph/dimension` where a size is not given
 */
export function toOnnx(
  graph: Graph, outputs: Readonly<Record<string, Tensor>>, weights: ReadonlyMap<string, TypedData> = new Map(), options: ExportOptions = {},
): OnnxModel {
  const { cut = new Set<Tensor>(), externalOver = Infinity, sizes } = options;
  const sized = (shape: Shape): Shape => (sizes ? shape.map((d) => resolve(d, sizes)) : shape);
  const port = (name: string, { dtype, shape }: Tensor): Port => ({ name, dtype, shape: sized(shape) });
  const { nodes, leaves, needed } = reachable(graph, Object.values(outputs), cut);
  const names = new Map<Tensor, string>();
  const nameOf = (t: Tensor) => names.get(t) ?? t.name;
  const body = new ProtoWriter();

  // An output that is an input or is asked for twice still needs a node of its own name.
  const renamed: { from: Tensor; to: string }[] = [];
  for (const [name, tensor] of Object.entries(outputs)) {
    if (graph.producer(tensor) && !names.has(tensor) && !cut.has(tensor)) names.set(tensor, name);
    else renamed.push({ from: tensor, to: name });
  }
  for (const node of nodes) body.message(1, writeNode(node, nameOf, needed));
  for (const { from, to } of renamed) {
    body.message(1, new ProtoWriter().string(1, nameOf(from)).string(2, to).string(4, "Identity"));
  }
  body.string(2, "ductus");

  const inputs: Port[] = [...cut].filter((t) => needed.has(t)).map((t) => port(t.name, t));
  const external: ExternalData[] = [];
  let compact = false;
  for (const leaf of leaves) {
    const source = leaf.source!;
    switch (source.kind) {
      case "constant":
        body.message(5, writeTensor(leaf, rawBytes(leaf, source.data), null));
        break;
      case "parameter": {
        const data = weights.get(leaf.name);
        if (data) {
          compact ||= leaf.dtype !== "f32";
          const raw = rawBytes(leaf, data);
          const path = `weight-${external.length}`;
          if (raw.byteLength > externalOver) external.push({ path, data: raw });
          body.message(5, writeTensor(leaf, raw, raw.byteLength > externalOver ? path : null));
        } else inputs.push(port(leaf.name, leaf));
        break;
      }
      case "input":
        inputs.push(port(leaf.name, leaf));
        break;
      case "shape":
        if (sizes) body.message(5, writeTensor(leaf, rawBytes(leaf, BigInt64Array.from(sized(source.dims) as number[], BigInt)), null));
        else inputs.push({ name: leaf.name, dtype: leaf.dtype, shape: leaf.shape, shapeOf: source.dims });
        break;
      default:
        source satisfies never;
    }
  }
  for (const input of inputs) body.message(11, writePort(input));
  const ports = Object.entries(outputs).map(([name, t]): Port =>
    ({ ...port(name, t), ...(isView(graph, t) || renamed.some(({ to }) => to === name) ? { view: true } : {}) }));
  for (const output of ports) body.message(12, writePort(output));

  const model = new ProtoWriter()
    .int(1, IR_VERSION)
    .string(2, "ductus")
    .message(7, body)
    .message(8, new ProtoWriter().string(1, "").int(2, OPSET))
    .message(8, new ProtoWriter().string(1, "com.microsoft").int(2, 1));
  if (model.byteLength > MAX_MODEL_BYTES) throw new DuctusError("graph/size", `A model of ${model.byteLength} bytes needs its weights beside it.`);
  return { bytes: model.finish(), inputs, outputs: ports, nodeCount: nodes.length + renamed.length, external, compact };
}

/** Whether a tensor is another one's numbers in another shape. */
export const isView = (graph: Graph, tensor: Tensor): boolean => graph.producer(tensor)?.type === "Reshape";

/** Nodes and leaves that the outputs depend on, in order (dead-code elimination). */
function reachable(graph: Graph, outputs: readonly Tensor[], cut: ReadonlySet<Tensor>): { nodes: Node[]; leaves: Tensor[]; needed: ReadonlySet<Tensor> } {
  const needed = new Set<Tensor>(outputs);
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((output) => needed.has(output) && !cut.has(output))) continue;
    kept.push(node);
    for (const input of node.inputs) if (input) needed.add(input);
  }
  return { nodes: kept.reverse(), leaves: [...needed].filter((t) => t.source !== null), needed };
}

function writeNode(node: Node, nameOf: (t: Tensor) => string, needed: ReadonlySet<Tensor>): ProtoWriter {
  const w = new ProtoWriter();
  for (const input of node.inputs) w.string(1, input ? nameOf(input) : "");
  const used = node.outputs.findLastIndex((output) => needed.has(output)); // outputs behind the last used one are not asked for
  for (const output of node.outputs.slice(0, node.type === "Split" ? node.outputs.length : used + 1)) w.string(2, needed.has(output) || node.type === "Split" ? nameOf(output) : "");
  w.string(3, node.outputs[0]!.name).string(4, node.type);
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

/** Size of an element; two 4-bit ones share a byte. */
const BYTES: Record<DType, number> = { f32: 4, f16: 2, i32: 4, i64: 8, bool: 1, u8: 1, u4: 0.5 };

/** Of as many elements as there are. */
export const byteLength = (dtype: DType, shape: readonly number[]): number => Math.ceil(shape.reduce((a, b) => a * b, BYTES[dtype]));

function rawBytes(tensor: Tensor, data: TypedData): Uint8Array {
  const shape = tensor.shape as number[];
  const name = `"${tensor.name}"`;
  if (data.byteLength !== byteLength(tensor.dtype, shape)) throw new DuctusError("graph/shape", `${name} has ${data.length} numbers for shape [${shape.join(", ")}].`);
  if (data.BYTES_PER_ELEMENT !== Math.ceil(BYTES[tensor.dtype])) throw new DuctusError("graph/shape", `${name} is ${tensor.dtype}, but its numbers are in a ${data.constructor.name}.`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** @param path where the numbers stand beside the model; null where they stand in it */
function writeTensor(tensor: Tensor, raw: Uint8Array, path: string | null): ProtoWriter {
  const w = new ProtoWriter().packedInts(1, tensor.shape as number[]).int(2, DATA_TYPE[tensor.dtype]).string(8, tensor.name);
  if (path === null) return w.bytes(9, raw);
  for (const [key, value] of [["location", path], ["offset", "0"], ["length", String(raw.byteLength)]] as const) {
    w.message(13, new ProtoWriter().string(1, key).string(2, value));
  }
  return w.int(14, 1); // data_location EXTERNAL
}

function writePort(port: Port): ProtoWriter {
  const shape = new ProtoWriter();
  for (const d of port.shape) {
    shape.message(1, typeof d === "number" ? new ProtoWriter().int(1, d) : new ProtoWriter().string(2, d));
  }
  const type = new ProtoWriter().message(1, new ProtoWriter().int(1, DATA_TYPE[port.dtype]).message(2, shape));
  return new ProtoWriter().string(1, port.name).message(2, type);
}
