/**
 * Reverse-mode automatic differentiation on the graph: walks the nodes backward
 * from a scalar and adds the nodes that compute adjoints, only along paths that
 * lead to the tensors asked for. So a frozen weight costs no gradient, and
 * nothing is computed below the first adapted layer.
 */
import { DuctusError } from "../../core/errors";
import { product, sameShape } from "./dims";
import type { GradientRule, Graph, ManyGradientRule, Tensor } from "./graph";
import { add } from "./operators/elementwise";
import { gemm } from "./operators/linear";

/**
 * Gradients of a scalar with respect to any tensors of the graph.
 *
 * @param loss a tensor of one element
 * @param wanted parameters, inputs or inner tensors
 * @returns one tensor for each of `wanted`, of its shape
 * @throws DuctusError `graph/gradient` when the loss does not depend on one of them, or a node on the way has no rule
 */
export function gradients(graph: Graph, loss: Tensor, wanted: readonly Tensor[]): Tensor[] {
  if (product(loss.shape) !== 1) throw new DuctusError("graph/gradient", `The loss has shape [${loss.shape.join(", ")}], not one element.`);
  return adjoints(graph, loss, graph.constant("f32", loss.shape as number[], new Float32Array([1])), wanted);
}

/**
 * The same from the middle of a computation: how a loss depends on `wanted`, given how it depends on `output`
 * (vector-Jacobian product).
 *
 * @param dOutput of the shape of `output`
 */
export function adjoints(graph: Graph, output: Tensor, dOutput: Tensor, wanted: readonly Tensor[]): Tensor[] {
  if (!sameShape(output.shape, dOutput.shape)) throw new DuctusError("graph/gradient", `An adjoint of shape [${dOutput.shape.join(", ")}] for a tensor of [${output.shape.join(", ")}].`);
  const forward = [...graph.nodes]; // the walk adds nodes of its own
  const relevant = new Set<Tensor>(wanted);
  for (const node of forward) {
    if (node.through.some((t) => t && relevant.has(t))) for (const output of node.outputs) relevant.add(output);
  }
  const known = new Map<Tensor, Tensor>([[output, dOutput]]);
  for (let i = forward.length - 1; i >= 0; i--) {
    const node = forward[i]!;
    const dys = node.outputs.map((output) => known.get(output) ?? null);
    if (dys.every((dy) => dy === null) || !relevant.has(node.outputs[0]!)) continue;
    const needs = node.through.map((t) => t !== null && relevant.has(t));
    if (!needs.some(Boolean)) continue;
    if (!node.gradient) throw new DuctusError("graph/gradient", `"${node.type}" has no gradient rule.`);
    const parts = node.outputs.length === 1
      ? (node.gradient as GradientRule)(dys[0]!, node.outputs[0]!, needs)
      : (node.gradient as ManyGradientRule)(dys);
    node.through.forEach((input, k) => {
      const part = parts[k];
      if (!input || !part || !needs[k]) return;
      if (!sameShape(part.shape, input.shape)) {
        throw new DuctusError("graph/gradient", `The gradient of "${node.type}" has shape [${part.shape.join(", ")}] for an input of [${input.shape.join(", ")}].`);
      }
      const sum = known.get(input);
      known.set(input, sum ? addTo(sum, part) : part);
    });
  }
  return wanted.map((t) => {
    const adjoint = known.get(t);
    if (!adjoint) throw new DuctusError("graph/gradient", `The loss does not depend on "${t.name}".`);
    return adjoint;
  });
}

/** sum + part; where `part` is a matrix product, which nothing else reads yet, it adds by itself: a node and a pass over memory less. */
function addTo(sum: Tensor, part: Tensor): Tensor {
  const { nodes } = part.graph;
  const node = part.graph.producer(part);
  if (node?.type !== "Gemm" || node.inputs.length !== 2) return add(sum, part);
  if (nodes.slice(nodes.lastIndexOf(node) + 1).some((later) => later.inputs.includes(part))) return add(sum, part);
  const { transA, transB, alpha } = node.attributes as { transA: number; transB: number; alpha: { float: number } };
  return gemm(node.inputs[0]!, node.inputs[1]!, { transA: transA === 1, transB: transB === 1, alpha: alpha.float, c: sum });
}
