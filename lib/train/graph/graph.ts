/**
 * The graph being built: tensors with a type and a symbolic shape, and nodes in
 * the order in which they were made (which is a topological order). A tensor
 * holds no numbers: numbers exist only where a graph is run. The gradient rule
 * of a node is a closure made beside its shape rule, see operators/. Terms are
 * those of ONNX.
 */
import { DuctusError } from "../../core/errors";
import { dim, product, sameShape, type Dim, type Shape } from "./dims";

export type DType = "f32" | "f16" | "i32" | "i64" | "bool" | "u8" | "u4";
export type TypedData = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;
export type Attribute = number | string | readonly number[] | { float: number };
export type Domain = "" | "com.microsoft";

/** Adjoints of a node's inputs (or of `through`), given that of its output; null where there is none. */
export type GradientRule = (dy: Tensor, y: Tensor, needs: readonly boolean[]) => readonly (Tensor | null)[];
/** The same for a node of several outputs; `dys` is null where nothing depends on an output. */
export type ManyGradientRule = (dys: readonly (Tensor | null)[]) => readonly (Tensor | null)[];

export interface Node {
  readonly type: string;
  readonly domain: Domain;
  readonly inputs: readonly (Tensor | null)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly Tensor[];
  readonly gradient: GradientRule | ManyGradientRule | null;
  /**
   * The tensors that `gradient` gives adjoints for: the inputs, unless a rule
   * written by hand spans several nodes and reaches back further.
   */
  readonly through: readonly (Tensor | null)[];
}

/** Where a tensor without a node gets its numbers from. */
export type Source =
  /** Fed at every run. */
  | { kind: "input" }
  /** A weight: written into the model or fed, as the exporter is told. */
  | { kind: "parameter" }
  | { kind: "constant"; data: TypedData }
  /** int64 vector that holds the value of `dims`; the runtime feeds it by itself. */
  | { kind: "shape"; dims: Shape };

interface OutputType {
  dtype: DType;
  shape: Shape;
}

interface NodeOptions<Rule> {
  attributes?: Record<string, Attribute>;
  domain?: Domain;
  gradient?: Rule | null;
  through?: readonly Tensor[];
}

export class Tensor {
  constructor(
    readonly graph: Graph,
    readonly name: string,
    readonly dtype: DType,
    readonly shape: Shape,
    readonly source: Source | null,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  /** Size of an axis; negative axes count from the end. */
  dim(axis: number): Dim {
    const d = this.shape.at(axis);
    if (d === undefined) throw new DuctusError("graph/shape", `"${this.name}" has no axis ${axis}.`);
    return d;
  }
}

/**
 * What a graph will run on. Some fused operators exist, or are right, on the
 * processor only; "any" keeps to what is right everywhere.
 */
export type Target = "cpu" | "any";

export class Graph {
  readonly nodes: Node[] = [];
  private readonly leaves = new Map<string, Tensor>();
  private readonly producers = new Map<Tensor, Node>();
  private readonly sharedLeaves = new Map<string, Tensor>();
  private counter = 0;

  constructor(readonly target: Target = "any") {}

  /** A tensor fed at every run. */
  input(name: string, dtype: DType, shape: Shape): Tensor {
    return this.leaf(name, dtype, shape, { kind: "input" });
  }

  /** A named weight; asking again for the same name gives the same tensor (tied weights). */
  parameter(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
    const known = this.leaves.get(name);
    if (known) {
      if (known.source?.kind !== "parameter" || known.dtype !== dtype || !sameShape(known.shape, shape.map(dim))) {
        throw new DuctusError("graph/shape", `"${name}" was declared before with another shape.`);
      }
      return known;
    }
    return this.leaf(name, dtype, shape, { kind: "parameter" });
  }

  /** An input, parameter or constant declared before. */
  named(name: string): Tensor {
    const tensor = this.leaves.get(name);
    if (!tensor) throw new DuctusError("graph/name", `Nothing is called "${name}".`);
    return tensor;
  }

  constant(dtype: DType, shape: readonly number[], data: TypedData, name = this.fresh("const")): Tensor {
    if (data.length !== product(shape)) throw new DuctusError("graph/shape", `Constant "${name}" has ${data.length} values for shape [${shape.join(", ")}].`);
    return this.leaf(name, dtype, shape, { kind: "constant", data });
  }

  /** An f32 scalar of shape [1], shared by value. */
  scalar(value: number): Tensor {
    return this.shared(`f32:${value}`, () => this.constant("f32", [1], new Float32Array([value])));
  }

  /** A constant int64 vector, shared by value (axes, starts, shapes). */
  ints(values: readonly number[]): Tensor {
    return this.shared(`i64:${values.join(",")}`, () => this.constant("i64", [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** An int64 vector with the value of a shape: a constant, or fed by the runtime where it has symbols. */
  shapeVector(shape: Shape): Tensor {
    if (shape.every((d) => typeof d === "number")) return this.ints(shape);
    return this.shared(`shape:${shape.join(",")}`, () =>
      this.leaf(`shape:${shape.join(",")}`, "i64", [shape.length], { kind: "shape", dims: shape }));
  }

  /** Adds a node of one output; operators/ is where this is called from. */
  node(
    type: string,
    inputs: readonly (Tensor | null)[],
    output: OutputType,
    options: NodeOptions<GradientRule> = {},
  ): Tensor {
    return this.add(type, inputs, [output], options)[0]!;
  }

  /** Adds a node of several outputs. */
  nodeOfMany(
    type: string,
    inputs: readonly (Tensor | null)[],
    outputs: readonly OutputType[],
    options: NodeOptions<ManyGradientRule> = {},
  ): Tensor[] {
    return this.add(type, inputs, outputs, options);
  }

  private add(
    type: string,
    inputs: readonly (Tensor | null)[],
    outputs: readonly OutputType[],
    options: NodeOptions<GradientRule | ManyGradientRule>,
  ): Tensor[] {
    for (const t of inputs) {
      if (t && t.graph !== this) throw new DuctusError("graph/foreign", `"${t.name}" belongs to another graph.`);
    }
    const results = outputs.map((output) => new Tensor(this, this.fresh(type.toLowerCase()), output.dtype, output.shape.map(dim), null));
    const node: Node = {
      type, inputs, outputs: results, domain: options.domain ?? "",
      attributes: options.attributes ?? {}, gradient: options.gradient ?? null,
      through: options.through ?? inputs,
    };
    this.nodes.push(node);
    for (const result of results) this.producers.set(result, node);
    return results;
  }

  /** The node that makes a tensor; undefined for inputs, parameters and constants. */
  producer(tensor: Tensor): Node | undefined {
    return this.producers.get(tensor);
  }

  private leaf(name: string, dtype: DType, shape: Shape, source: Source): Tensor {
    if (this.leaves.has(name)) throw new DuctusError("graph/name", `The name "${name}" is taken.`);
    const tensor = new Tensor(this, name, dtype, shape.map(dim), source);
    this.leaves.set(name, tensor);
    return tensor;
  }

  /** A constant, or a shape, shared by its key. */
  shared(key: string, make: () => Tensor): Tensor {
    const known = this.sharedLeaves.get(key);
    if (known) return known;
    const made = make();
    this.sharedLeaves.set(key, made);
    return made;
  }

  private fresh(stem: string): string {
    return `${stem}#${this.counter++}`;
  }
}
