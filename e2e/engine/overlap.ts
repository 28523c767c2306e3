/** Runs of two sessions, started without waiting for one another. */
import { Graph } from "../../lib/train/graph/graph";
import { toOnnx } from "../../lib/train/graph/onnx";
import { add } from "../../lib/train/graph/operators/elementwise";
import { gradientName } from "../../lib/train/model/graphs";
import type { Backend } from "../../lib/train/runtime/backend";
import { Session, type NdArray } from "../../lib/train/runtime/session";
import { adapterInputs, loraTrainingGraph, trainingFeeds, type TinyCase } from "./tiny";

export interface OverlapReport {
  /** Runs begun while another was under way in the runtime. */
  overlapping: number;
  /** Runs whose outputs are not, bit for bit, those of a run alone. */
  different: number;
  runs: number;
}

const ROUNDS = 4;

/** The same backend, with a count of runs that begin before another has ended. */
function observed(backend: Backend, onOverlap: () => void): Backend {
  const { InferenceSession } = backend.ort;
  let running = 0;
  const create: typeof InferenceSession.create = async (model, options) => {
    const session = await InferenceSession.create(model, options);
    const run = session.run.bind(session);
    session.run = (async (feeds: Parameters<typeof run>[0]) => {
      if (running > 0) onOverlap();
      running++;
      try {
        return await run(feeds);
      } finally {
        running--;
      }
    });
    return session;
  };
  return { ...backend, ort: { Tensor: backend.ort.Tensor, InferenceSession: { create } } };
}

/** Two runs past the lock, straight into the runtime: what the lock is for. */
export async function overlapUnlocked(backend: Backend): Promise<number> {
  let overlapping = 0;
  const watched = observed(backend, () => overlapping++);
  const graph = new Graph();
  const x = graph.input("x", "f32", [4]);
  const { bytes } = toOnnx(graph, { y: add(x, x) });
  const sessions = [await watched.ort.InferenceSession.create(bytes, backend.options), await watched.ort.InferenceSession.create(bytes, backend.options)];
  await Promise.all(sessions.map((session) => session.run({ x: new watched.ort.Tensor("float32", new Float32Array(4), [4]) })));
  for (const session of sessions) await session.release();
  return overlapping;
}

export async function overlap(backend: Backend, tiny: TinyCase): Promise<OverlapReport> {
  let overlapping = 0;
  const watched = observed(backend, () => overlapping++);
  const feeds = { ...trainingFeeds(tiny), ...adapterInputs(tiny) };
  const [first, second] = await Promise.all([Session.create(watched, loraTrainingGraph(tiny)), Session.create(watched, loraTrainingGraph(tiny))]);
  const alone = await first.run(feeds);
  const together = await Promise.all(Array.from({ length: ROUNDS }, (_, i) => (i % 2 === 0 ? first : second).run(feeds)));
  await Promise.all([first.dispose(), second.dispose()]);
  const same = (a: NdArray, b: NdArray) => a.data.length === b.data.length && a.data.every((v, i) => v === b.data[i]);
  const names = Object.keys(alone);
  if (!names.includes("loss") || !names.some((name) => name.startsWith(gradientName("")))) throw new Error("nothing to compare");
  const different = together.filter((out) => !names.every((name) => same(out[name]!, alone[name]!))).length;
  return { overlapping, different, runs: together.length };
}
