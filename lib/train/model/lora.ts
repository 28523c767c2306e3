/**
 * Low-rank adaptation (Hu et al. 2021) of a projection: y = x·Wᵀ + s · (drop(x)·Aᵀ)·Bᵀ
 * with W frozen, s = alpha / rank (or alpha / √rank). Names and initialisation are PEFT's. The
 * update is added to the products, so that one set of weights serves base and
 * tuned in one batch; where a batch has many rows and all are tuned, to the
 * weights within the graph, which is less work: y = x·(W + s·B·A)ᵀ.
 */
import { Random } from "../../core/random";
import type { Tensor } from "../graph/graph";
import { mul } from "../graph/operators/elementwise";
import { gemm, linear, linearDown, linearUpdated } from "../graph/operators/linear";
import { PROJECTIONS, type Projection } from "../sft/config";
import { projectionShape, type ModelConfig } from "./config";
import { adaptedParts, type Group } from "./groups";

export interface LoraShape {
  rank: number;
  alpha: number;
  targetModules: readonly Projection[];
  /** Scale by alpha / √rank instead of alpha / rank (Kalajdzievski 2023). */
  useRslora?: boolean;
}

/** The factor s of the low-rank update. */
export const loraScale = (lora: LoraShape): number => lora.alpha / (lora.useRslora ? Math.sqrt(lora.rank) : lora.rank);

/** How an adapter takes part in a graph. */
export interface LoraUse extends LoraShape {
  /**
   * Reads a dropout mask `dropout.{prefix}.{group}` [n, in] for each group: projections that read the same input share
   * it, where PEFT draws one for each.
   */
  dropoutMasks?: boolean;
  /** [n, 1], the scale of each row instead of alpha / rank: rows of base and tuned in one batch. */
  rowScale?: Tensor;
  /** Rows of a usual batch: with it, updates are added to the weights where that is less work. */
  batchTokens?: number | undefined;
}

/** x [n, in] times weight [out, in] transposed, plus c. */
export type Multiply = (x: Tensor, weight: Tensor, c: Tensor | null) => Tensor;

/** A frozen product that an adapter may change. */
export interface Frozen {
  out: number;
  /** Whether its weight is a matrix of floats, to which something can be added. */
  floats: boolean;
  /** The product [n, out], with its bias and residual; `multiply` stands in for the plain one. */
  product: (multiply?: Multiply) => Tensor;
}

export interface AdaptedModule {
  /** `layers.{i}.{self_attn|mlp}.{projection}`. */
  name: string;
  out: number;
  in: number;
}

/** Every adapted projection, layer by layer. */
export function adaptedModules(config: ModelConfig, targets: readonly Projection[]): AdaptedModule[] {
  return Array.from({ length: config.numLayers }, (_, layer) =>
    PROJECTIONS.filter((p) => targets.includes(p)).map((p) => {
      const { module, ...sizes } = projectionShape(config, p);
      return { name: `layers.${layer}.${module}.${p}`, ...sizes };
    }),
  ).flat();
}

/** The adapter's tensors with PEFT's shapes, A [rank, in] and B [out, rank], in the order layers, projections, A before B. */
export function adapterShapes(config: ModelConfig, lora: Pick<LoraShape, "rank" | "targetModules">): Map<string, [number, number]> {
  const shapes = new Map<string, [number, number]>();
  for (const m of adaptedModules(config, lora.targetModules)) {
    shapes.set(`${m.name}.lora_A`, [lora.rank, m.in]);
    shapes.set(`${m.name}.lora_B`, [m.out, lora.rank]);
  }
  return shapes;
}

/**
 * PEFT's start: A uniform in ±1/√in (torch's kaiming_uniform with a = √5), B
 * zero, so that the first step starts from the base model exactly.
 */
export function initialAdapter(config: ModelConfig, lora: LoraShape, seed: number | string): Map<string, Float32Array> {
  const random = new Random(`lora-${seed}`);
  const tensors = new Map<string, Float32Array>();
  for (const [name, [rows, columns]] of adapterShapes(config, lora)) {
    const data = new Float32Array(rows * columns); // [rows, columns]
    if (name.endsWith("lora_A")) {
      const bound = 1 / Math.sqrt(columns);
      for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * bound;
    }
    tensors.set(name, data);
  }
  return tensors;
}

/**
 * W + s·B·A takes out · in · R multiplications, the update of the products rows · (in + out) · R, forward and
 * backward alike.
 */
export const mergePays = (rows: number, columns: number, out: number) => rows * (columns + out) >= 2 * columns * out;

/**
 * The products of a group with their adapters, if they have one.
 *
 * @param x [n, in]
 * @param prefix of the adapter's tensors in this graph, e.g. `layers.3`
 * @param bases the products without it
 * @returns each product, [n, out]
 */
export function adapted(x: Tensor, group: Group, prefix: string, bases: readonly Frozen[], lora: LoraUse | null): Tensor[] {
  const parts = lora ? adaptedParts(group, lora) : [];
  if (!lora || parts.length === 0) return bases.map((base) => base.product());
  const { graph } = x;
  const ranks = parts.length * lora.rank;
  const a = graph.parameter(`${prefix}.${group.name}.lora_A`, [ranks, x.dim(1)]); // [R, in]
  const isAdapted = (i: number) => group.products[i]!.parts.some((part) => parts.includes(part));
  const factorB = (i: number) => graph.parameter(`${prefix}.${group.products[i]!.name}.lora_B`, [bases[i]!.out, ranks]); // [out, R]
  const { batchTokens = 0 } = lora;
  if (!lora.dropoutMasks && !lora.rowScale && bases.every(({ floats, out }) => floats && mergePays(batchTokens, x.dim(1) as number, out))) {
    const down = linearDown(x, a); // [n, R]
    return bases.map((base, i) => {
      const b = isAdapted(i) ? factorB(i) : null;
      return base.product(b ? (of, weight, c) => linearUpdated(of, weight, { a, b, scale: loraScale(lora), down }, c) : undefined);
    });
  }
  const dropped = lora.dropoutMasks ? mul(x, graph.input(`dropout.${prefix}.${group.name}`, "f32", x.shape)) : x; // [n, in]
  const down = linear(dropped, a); // [n, R]
  const scaled = lora.rowScale ? mul(down, lora.rowScale) : down; // [n, R]
  return bases.map((base, i) => {
    const c = base.product(); // [n, out]
    return isAdapted(i) ? gemm(scaled, factorB(i), { transB: true, alpha: lora.rowScale ? 1 : loraScale(lora), c }) : c;
  });
}
