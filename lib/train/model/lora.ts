/**
 * Low-rank adaptation (Hu et al. 2021) of a projection: y = x·Wᵀ + s · (drop(x)·Aᵀ)·Bᵀ
 * with W frozen, s = alpha / rank. Names and initialisation are PEFT's; the
 * adapter is applied unmerged, so that one set of weights serves base and tuned.
 */
import { Random } from "../../core/random";
import type { Tensor } from "../graph/graph";
import { mul } from "../graph/operators/elementwise";
import { gemm, linear } from "../graph/operators/linear";
import { PROJECTIONS, type Projection } from "../sft/config";
import { projectionShape, type ModelConfig } from "./config";

export interface LoraShape {
  rank: number;
  alpha: number;
  targetModules: readonly Projection[];
}

/** How an adapter takes part in a graph. */
export interface LoraUse extends LoraShape {
  /** Reads a dropout mask `dropout.{module}` [n, in] for each adapted projection. */
  dropoutMasks?: boolean;
  /** [n, 1], the scale of each row instead of alpha / rank: rows of base and tuned in one batch. */
  rowScale?: Tensor;
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
 * A projection with its adapter, if it has one.
 *
 * @param x [n, in]
 * @param name `layers.{i}.{self_attn|mlp}.{projection}`
 * @returns [n, out]
 */
export function adaptedLinear(x: Tensor, name: string, weight: Tensor, bias: Tensor | null, lora: LoraUse | null): Tensor {
  const base = linear(x, weight, bias); // [n, out]
  const projection = name.slice(name.lastIndexOf(".") + 1) as Projection;
  if (!lora?.targetModules.includes(projection)) return base;
  const { graph } = x;
  const a = graph.parameter(`${name}.lora_A`, [lora.rank, x.dim(1)]); // [rank, in]
  const b = graph.parameter(`${name}.lora_B`, [weight.dim(0), lora.rank]); // [out, rank]
  const dropped = lora.dropoutMasks ? mul(x, graph.input(`dropout.${name}`, "f32", x.shape)) : x; // [n, in]
  const down = linear(dropped, a); // [n, rank]
  return lora.rowScale
    ? gemm(mul(down, lora.rowScale), b, { transB: true, c: base })
    : gemm(down, b, { transB: true, alpha: lora.alpha / lora.rank, c: base });
}
