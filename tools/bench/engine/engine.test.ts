import { describe, expect, it } from "vitest";
import { parseModelConfig } from "../../../lib/train/model/config";
import { mlpFlops, stepFlops } from "./flops";
import { examplesOf, modelOf, randomWeights, SIZE_NAMES, SIZES } from "./sizes";
import { afterWarmUp, nodeName, operator, report, sumBy, withShapes, type TraceEvent } from "./trace";

/** Widths that are all different, so that no two can be mistaken for each other: queries 12, keys 6. */
const model = parseModelConfig({ ...SIZES.nano.config, num_hidden_layers: 2, hidden_size: 10, head_dim: 6, num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 14, vocab_size: 30 });

describe("stepFlops", () => {
  it("is the sum over the products of a small model, listed one by one", () => {
    const rank = 3;
    const N = 2 * 5; // two examples of five tokens
    const M = 2 * 3; // of which three are scored
    const H = 10, Q = 12, K = 6, I = 14, V = 30;
    /** [rows, inner, columns]: base forward, base backward, and the adapter's products with the one below it or without. */
    const projection = (rows: number, width: number, out: number, below: boolean) => [
      [rows, width, out], [rows, width, rank], [rows, rank, out], // y = x·Wᵀ + (x·Aᵀ)·Bᵀ
      [out, rows, rank], [rows, out, rank], [rank, rows, width], // dB, d(x·Aᵀ), dA
      ...(below ? [[rows, out, width], [rows, rank, width]] : []),
    ];
    const first = [[H, Q], [H, K], [H, K]].flatMap(([width, out]) => projection(N, width!, out!, false));
    const rest = (rows: number) => [[Q, H], [H, I], [H, I], [I, H]].flatMap(([width, out]) => projection(rows, width!, out!, true));
    const last = [...projection(M, H, Q, true), ...projection(N, H, K, true), ...projection(N, H, K, true)];
    const head = [[M, H, V], [M, V, H]];
    const matrices = [...first, ...rest(N), ...last, ...rest(M), ...head].reduce((n, [m, k, c]) => n + 2 * m! * k! * c!, 0);
    // Queries 0 to 4 see 1 + 2 + 3 + 4 + 5 keys; those of the scored rows, 1 to 3, see 2 + 3 + 4.
    const attention = 2 * (15 + 9) * 6 * 2 * Q;
    const shape = { batch: 2, seq: 5, promptLength: 2, rank };
    expect(stepFlops(model, shape)).toBe(matrices + attention);
    expect(stepFlops(model, shape, true)).toBe(matrices + 2 * (5 * 5 + 3 * 5) * 6 * 2 * Q);
  });

  it("grows with the layers by a whole layer each", () => {
    const shape = { batch: 1, seq: 8, promptLength: 4, rank: 2 };
    const of = (numLayers: number) => stepFlops({ ...model, numLayers }, shape);
    expect(of(5) - of(4)).toBe(of(4) - of(3));
    expect(of(3)).toBeGreaterThan(of(2));
  });

  it("is about four for each weight of a layer and token, two forward and two backward, and the same for the head on the half that is scored", () => {
    const { batch, seq } = SIZES.nano;
    const block = 6 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 704);
    const expected = 4 * batch * seq * block + 2 * batch * seq * 4096 * 256;
    expect(stepFlops(modelOf(SIZES.nano), { batch, seq, promptLength: 64, rank: 8 }) / expected).toBeCloseTo(1, 1);
  });
});

it("mlpFlops counts two for each multiply-add", () => expect(mlpFlops(model, 7)).toBe(2 * 7 * 10 * 14));

describe("sizes", () => {
  it("are those that are named", () => {
    expect(SIZE_NAMES.map((name) => modelOf(SIZES[name])).map((m) => [m.numLayers, m.hiddenSize, m.numHeads, m.numKeyValueHeads, m.intermediateSize, m.vocabSize, m.headDim, m.tieWordEmbeddings, m.attentionBias]))
      .toEqual([[6, 256, 4, 2, 704, 4096, 64, true, true], [12, 512, 8, 2, 1408, 8192, 64, true, true], [24, 896, 14, 2, 4864, 151_936, 64, true, true]]);
  });

  it("mask half of every example", () => {
    const examples = examplesOf(SIZES.mid);
    expect(examples).toHaveLength(4);
    for (const { ids, promptLength } of examples) expect([ids.length, promptLength, Math.max(...ids) < 8192]).toEqual([128, 64, true]);
  });

  it("make the same random weights each time, with gains of 1", () => {
    const [one, two] = [randomWeights(model, "f32"), randomWeights(model, "f32")];
    expect(one).toEqual(two);
    const { data } = one.get("model.embed_tokens.weight")!;
    expect(Math.max(...data)).toBeLessThan(0.035);
    expect(new Set(data).size).toBeGreaterThan(0.99 * data.length);
    expect([...one.get("model.norm.weight")!.data]).toEqual(Array(10).fill(1));
  });
});

describe("trace", () => {
  const kernel = (name: string, op: string, ts: number, dur: number, left: number[], out: number[]): TraceEvent =>
    ({ cat: "Node", name: `${name}_kernel_time`, ts, dur, args: { op_name: op, input_type_shape: [{ float: left }, { float: [1] }], output_type_shape: [{ float: out }] } });
  const step = (start: number, gemmUs: number): TraceEvent[] => [
    { cat: "Session", name: "model_run", ts: start, dur: 100, args: {} },
    kernel("a", "Gemm", start + 1, gemmUs, [4, 5], [4, 6]),
    kernel("b", "Gemm", start + 2, 5, [4, 5], [4, 6]),
    kernel("c", "Add", start + 3, 30, [4, 6], [4, 6]),
  ];
  const trace = [0, 200, 400].flatMap((start, i) => step(start, i === 0 ? 1000 : 15));

  it("leaves the warm-up out", () => {
    expect(afterWarmUp(trace, 1, 2)).toEqual(trace.slice(4));
    expect(afterWarmUp([], 1, 2)).toEqual([]);
  });

  it("sums kernels by operator, by shapes and by node, slowest first", () => {
    const events = afterWarmUp(trace, 1, 2);
    expect(sumBy(events, 2, operator)).toEqual([{ what: "Add", count: 1, msPerStep: 0.03, gflops: 0 }, { what: "Gemm", count: 2, msPerStep: 0.02, gflops: (4 * 2 * 4 * 5 * 6) / 40 / 1000 }]);
    expect(sumBy(events, 2, withShapes).map(({ what }) => what)).toEqual(["Add (4×6, 1) → 4×6", "Gemm (4×5, 1) → 4×6"]);
    expect(sumBy(events, 2, nodeName).map(({ what }) => what.split(" ")[0])).toEqual(["c", "a", "b"]);
  });

  it("reports a step of several runs", () => {
    const runs = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) => step(200 * i, 15));
    expect(report([runs, []], [3, 1, 2])).toContain("A step takes 2.00 ms, 0.10 of them inside 1 runs of a session.");
  });
});
