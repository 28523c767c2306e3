/**
 * Times a short graph with the threads that a backend has. It runs where the
 * runtime is: in a worker of its own for each count, in Node with a backend each.
 * The choice among the times is in threads.ts, which needs no graph.
 */
import { Graph } from "../graph/graph";
import { add, silu } from "../graph/operators/elementwise";
import { gemm, linear } from "../graph/operators/linear";
import { toOnnx } from "../graph/onnx";
import type { Backend } from "./backend";
import { f32, Session } from "./session";

/** As a small model's layer: 128 tokens, 256 wide, widened to 1024 and back. */
const TOKENS = 128, WIDTH = 256, INNER = 1024;
const WARM_UP = 2, LEAST_RUNS = 3, MOST_RUNS = 9;
/** For the timed runs of one candidate, once there are enough. */
const BUDGET_MS = 80;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** @returns median time in ms of a few products with something in between, with the threads that the backend has */
export async function timeBackend(backend: Backend, now: () => number = () => performance.now()): Promise<number> {
  const graph = new Graph();
  const x = graph.input("x", "f32", [TOKENS, WIDTH]); // [tokens, width]
  const w = graph.input("w", "f32", [INNER, WIDTH]);
  const y = add(x, gemm(silu(linear(x, w)), w)); // [tokens, width]
  const session = await Session.create(backend, toOnnx(graph, { y }));
  try {
    const feeds = { x: f32(new Float32Array(TOKENS * WIDTH).fill(0.5), [TOKENS, WIDTH]), w: f32(new Float32Array(INNER * WIDTH).fill(0.01), [INNER, WIDTH]) };
    const times: number[] = [];
    for (let run = 0, spent = 0; run < WARM_UP + MOST_RUNS && (run < WARM_UP + LEAST_RUNS || spent < BUDGET_MS); run++) {
      const start = now();
      await session.run(feeds);
      const took = now() - start;
      if (run < WARM_UP) continue;
      times.push(took);
      spent += took;
    }
    return median(times);
  } finally {
    await session.dispose();
  }
}
