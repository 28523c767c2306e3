import { describe, expect, it } from "vitest";
import { trainingGraph } from "../model/graphs";
import { referenceModel } from "../testing/reference";
import { openNode } from "../runtime/node";
import { f32, Session } from "../runtime/session";
import { gradients } from "./autodiff";
import { Graph, type Tensor } from "./graph";
import { add, exp, mul, neg } from "./operators/elementwise";
import { linear } from "./operators/linear";
import { reduceMax, reduceSum } from "./operators/reduce";
import { concat } from "./operators/shape";
import { toOnnx } from "./onnx";

const backend = openNode();
const sum = (x: Tensor) => reduceSum(x, x.shape.map((_, i) => i));

async function evaluate(graph: Graph, outputs: Record<string, Tensor>, feeds: Record<string, number[]>) {
  const session = await Session.create(backend, toOnnx(graph, outputs));
  const out = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, data]) => [name, f32(Float32Array.from(data), graph.named(name).shape as number[])])));
  await session.dispose();
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
}

/** A chain of linear layers, of which the weights in `trained` get gradients; nodes of the whole graph. */
function nodesOfChain(layers: number, trained: readonly number[]): number {
  const graph = new Graph();
  let x = graph.input("x", "f32", ["N", 4]);
  const weights = Array.from({ length: layers }, (_, i) => graph.parameter(`w${i}`, [4, 4]));
  for (const w of weights) x = exp(linear(x, w));
  const loss = sum(x);
  const grads = gradients(graph, loss, trained.map((i) => weights[i]!));
  const { nodeCount } = toOnnx(graph, { loss, ...Object.fromEntries(grads.map((g, i) => [`g${i}`, g])) });
  expect(graph.nodes).toHaveLength(nodeCount); // nothing is made that dead-code elimination throws away
  return nodeCount;
}

describe("gradients", () => {
  it("follows the chain rule by hand: loss = Σ a²·b, with a used twice", async () => {
    const graph = new Graph();
    const a = graph.input("a", "f32", [2]), b = graph.input("b", "f32", [2]);
    const [da, db] = gradients(graph, sum(mul(mul(a, a), b)), [a, b]);
    expect(await evaluate(graph, { da: da!, db: db! }, { a: [2, -3], b: [5, 7] })).toEqual({ da: [20, -42], db: [4, 9] });
  });

  it("gives the adjoint of inner tensors, of the loss itself, and of one tensor asked for twice", async () => {
    const graph = new Graph();
    const a = graph.input("a", "f32", [2]);
    const inner = neg(a);
    const loss = sum(mul(inner, inner));
    const [dInner, dLoss, again] = gradients(graph, loss, [inner, loss, inner]);
    expect(again).toBe(dInner);
    expect(await evaluate(graph, { dInner: dInner!, dLoss: dLoss! }, { a: [1, 2] })).toEqual({ dInner: [-2, -4], dLoss: [1] });
  });

  it("adds up over both uses of a tied weight", async () => {
    const graph = new Graph();
    const w = graph.parameter("w", [1, 1]);
    const [dw] = gradients(graph, sum(linear(linear(graph.input("x", "f32", [1, 1]), w), w)), [w]); // x·w²
    expect(await evaluate(graph, { dw: dw! }, { x: [3], w: [5] })).toEqual({ dw: [30] });
  });

  it("does not disturb the forward pass, and can be asked again for other tensors", async () => {
    const graph = new Graph();
    const a = graph.input("a", "f32", [1]), b = graph.input("b", "f32", [1]);
    const loss = sum(mul(a, b));
    const [da] = gradients(graph, loss, [a]);
    const [db] = gradients(graph, loss, [b]);
    expect(await evaluate(graph, { loss, da: da!, db: db! }, { a: [2], b: [3] })).toEqual({ loss: [6], da: [3], db: [2] });
  });

  it("spends no node on what is frozen", () => {
    const [none, last, first, all] = [nodesOfChain(6, []), nodesOfChain(6, [5]), nodesOfChain(6, [0]), nodesOfChain(6, [0, 1, 2, 3, 4, 5])];
    expect(none).toBe(13); // Gemm and Exp for each layer, and the sum
    expect(last - none).toBeLessThan(6); // does not grow with the layers below
    expect(nodesOfChain(12, [11]) - nodesOfChain(12, [])).toBe(last - none);
    expect(first).toBeGreaterThan(last);
    expect(all - first).toBe(5); // a weight's own gradient is one more product
  });

  it("spends no node below the first adapted layer of a model", () => {
    const { config, weights } = referenceModel("qwen3-untied");
    const count = (numLayers: number, names: string[]) => trainingGraph({ ...config, numLayers }, { kind: "full", names }, weights, { maxPositions: 16 }).nodeCount;
    const lastOnly = count(2, ["model.layers.1.mlp.down_proj.weight"]);
    const firstOnly = count(2, ["model.layers.0.mlp.down_proj.weight"]);
    const upper = count(2, ["model.layers.1.self_attn.qkv_proj.weight"]);
    expect(lastOnly).toBeLessThan(upper);
    expect(upper).toBeLessThan(firstOnly);
    // Another frozen layer below costs its forward pass only.
    const forwardOfALayer = count(2, ["lm_head.weight"]) - count(1, ["lm_head.weight"]);
    expect(lastOnly - count(1, ["model.layers.0.mlp.down_proj.weight"])).toBe(forwardOfALayer);
    expect(firstOnly - lastOnly).toBeGreaterThan(forwardOfALayer);
  });

  it("refuses a loss of more than one element", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", ["N", 2]);
    expect(() => gradients(graph, x, [x])).toThrow(/not one element/);
  });

  it("refuses a tensor that the loss does not depend on, also where only a constant path leads to it", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]), aside = graph.input("aside", "f32", [2]);
    expect(() => gradients(graph, sum(x), [x, aside])).toThrow(/does not depend on "aside"/);
    expect(() => gradients(graph, sum(reduceMax(aside, [0], true)), [aside])).toThrow(/does not depend on "aside"/);
  });

  it("refuses an operator without a rule on the way, and only there", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2]), y = graph.input("y", "f32", [2]);
    const odd = graph.node("Erf", [x], { dtype: "f32", shape: [2] });
    const loss = sum(add(odd, y));
    expect(() => gradients(graph, loss, [x])).toThrow(/"Erf" has no gradient rule/);
    expect(gradients(graph, loss, [y])).toHaveLength(1);
    const joined = concat([graph.input("p", "f32", ["P"]), graph.input("q", "f32", ["Q"])], 0, "S"); // a named sum
    expect(() => gradients(graph, sum(mul(joined, joined)), [graph.named("p")])).toThrow(/"Concat" has no gradient rule/);
  });

  it("refuses a rule that gives a gradient of the wrong shape", () => {
    const graph = new Graph();
    const x = graph.input("x", "f32", [2, 3]);
    const wrong = graph.node("Neg", [x], { dtype: "f32", shape: [2, 3] }, { gradient: (dy) => [sum(dy)] });
    expect(() => gradients(graph, sum(wrong), [x])).toThrow(/gradient of "Neg" has shape \[\] for an input of \[2, 3\]/);
  });
});
