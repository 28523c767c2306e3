/** Runs of two sessions, started without waiting for one another. */
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

const ROUNDS = 8;

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
    }) as typeof session.run;
    return session;
  };
  return { ...backend, ort: { Tensor: backend.ort.Tensor, InferenceSession: { create } } };
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
  const names = ["loss", ...Object.keys(tiny.adapter).map(gradientName)];
  const different = together.filter((out) => !names.every((name) => same(out[name]!, alone[name]!))).length;
  return { overlapping, different, runs: together.length };
}
