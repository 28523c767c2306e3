import { afterEach, describe, expect, it } from "vitest";
import { RunControl } from "../loop";
import { linearWithWarmup } from "../optimizer/schedule";
import { watchLoss, type Backend, type Ort } from "../runtime/backend";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { handDocuments, tinyModel } from "../testing/hand";
import { copyOf, largestDistance, settings } from "../testing/tiny";
import type { Score } from "../../store/types";
import { decodeCheckpoint } from "./checkpoint";
import type { SftConfig } from "./config";
import type { PreparedData } from "./prepare";
import { runSft, type SftRunHooks, type SftRunResult } from "./run";
import { poolScore } from "./score";
import { SftTrainer, type StepResult } from "./trainer";

const backend = openNode();
const model = tinyModel();
const documents = handDocuments();
const config = settings({ learningRate: 0.03, warmupRatio: 0.1, batchSize: 8, epochs: 2, maxLength: 192, evaluations: 3 });

interface Recorded {
  log: string[];
  data: PreparedData | null;
  totalSteps: number;
  steps: (StepResult & { learningRate: number })[];
  heldOut: { done: number; score: Score; adapter: Map<string, Float32Array>; best: boolean }[];
  samples: { done: number; prompt: string; text: string }[];
}

function recorder(more: SftRunHooks = {}): { seen: Recorded; hooks: SftRunHooks; more: SftRunHooks } {
  const seen: Recorded = { log: [], data: null, totalSteps: 0, steps: [], heldOut: [], samples: [] };
  const hooks: SftRunHooks = {
    prepared: (data, totalSteps) => {
      Object.assign(seen, { data, totalSteps });
      seen.log.push("prepared");
      return more.prepared?.(data, totalSteps);
    },
    step: (done, result) => {
      seen.steps.push(result);
      seen.log.push(`s${done}`);
      return more.step?.(done, result);
    },
    heldOut: (done, score, adapter, best) => {
      seen.heldOut.push({ done, score, adapter: copyOf(adapter), best });
      seen.log.push(`e${done}`);
      return more.heldOut?.(done, score, adapter, best);
    },
    sample: (done, prompt, text) => {
      seen.samples.push({ done, prompt, text });
      return more.sample?.(done, prompt, text);
    },
    finishing: () => {
      seen.log.push("finishing");
      return more.finishing?.();
    },
  };
  return { seen, hooks, more };
}

const run = (hooks: SftRunHooks, changes: Partial<SftConfig> = {}, control = new RunControl(), on: Backend = backend, with_ = model, texts = documents) =>
  runSft(on, with_, texts, 1, { ...config, ...changes }, control, hooks);

/** A backend that calls `before` first with the number of the create or run, and does what it gives instead. */
function watched(before: (kind: "create" | "run", count: number) => Promise<never> | undefined): Backend {
  let creates = 0, runs = 0;
  const InferenceSession: Ort["InferenceSession"] = {
    create: async (bytes, options) => {
      await before("create", ++creates);
      const session = await backend.ort.InferenceSession.create(bytes, options);
      const inner = session.run.bind(session);
      session.run = (feeds: Parameters<typeof inner>[0]) => before("run", ++runs) ?? inner(feeds);
      return session;
    },
  };
  return { ...backend, ort: { ...backend.ort, InferenceSession } };
}

afterEach(() => expect(openSessions()).toBe(0)); // whatever happened in it

describe("runSft", () => {
  it("trains, measures, writes samples and scores base and tuned", async () => {
    const { seen, hooks } = recorder();
    const result = await run(hooks);
    const n = seen.totalSteps;
    const points = [1, 2, 3].map((i) => Math.round((i * n) / 3));
    expect(n).toBeGreaterThan(4);
    expect(seen.log).toEqual(["prepared", "e0", ...Array.from({ length: n }, (_, i) => [`s${i + 1}`, ...(points.includes(i + 1) ? [`e${i + 1}`] : [])]).flat(), "finishing"]);
    expect(seen.steps.map((s) => s.learningRate)).toEqual(Array.from({ length: n }, (_, i) => config.learningRate * linearWithWarmup(i, n, Math.ceil(n * 0.1))));
    expect(seen.heldOut.at(-1)!.score.loss).toBeLessThan(seen.heldOut[0]!.score.loss - 0.3);
    expect(seen.samples.map((s) => s.done)).toEqual([0, ...points]);
    expect(new Set(seen.samples.map((s) => s.prompt)).size).toBe(1);
    expect(new Set(seen.samples.map((s) => s.text)).size).toBe(seen.samples.length);
    expect(result).toMatchObject({ steps: n, stopped: false, tokens: seen.steps.reduce((t, s) => t + s.tokens, 0) });
    expect(result.report.tuned.loss).toBeLessThan(result.report.base.loss - 0.2);

    // The report is on the test part, of the base and of the adapter handed back, by a trainer of its own.
    const trainer = await SftTrainer.create(backend, model.config, model.weights, config, copyOf(result.adapter));
    const tuned = poolScore(seen.data!.test, await trainer.evaluate(seen.data!.test, 3));
    for (const [name, data] of trainer.adapter) if (name.endsWith("lora_B")) data.fill(0);
    const base = poolScore(seen.data!.test, await trainer.evaluate(seen.data!.test, 3));
    await trainer.dispose();
    expect(Math.abs(result.report.tuned.loss - tuned.loss)).toBeLessThan(1e-5);
    expect(Math.abs(result.report.base.loss - base.loss)).toBeLessThan(1e-5);
    for (const score of [result.report.base, result.report.tuned]) {
      expect(score.perplexity).toBe(Math.exp(score.loss));
      expect(score.bitsPerByte).toBeCloseTo((score.loss * score.tokens) / Math.LN2 / score.bytes, 10);
      expect(score.examples).toBe(seen.data!.test.length);
    }
    const parts = [seen.data!.epochs.flat(), seen.data!.validation, seen.data!.test].map((part) => new Set(part.map((e) => e.documentId)));
    expect(parts.reduce((sum, p) => sum + p.size, 0)).toBe(new Set(parts.flatMap((p) => [...p])).size); // no document in two parts
  });

  it("keeps the adapter that was best on validation, not the last", async () => {
    const { seen, hooks } = recorder();
    // A rate so high that what the first steps learn is thrown over later.
    const result = await run(hooks, { learningRate: 0.6, warmupRatio: 0.9, evaluations: 8 });
    const losses = seen.heldOut.map((h) => h.score.loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(best).toBeGreaterThan(0);
    expect(best).toBeLessThan(losses.length - 1);
    expect(result.bestStep).toBe(seen.heldOut[best]!.done);
    expect(largestDistance(result.adapter, seen.heldOut[best]!.adapter)).toBe(0);
    expect(largestDistance(seen.heldOut.at(-1)!.adapter, result.adapter)).toBeGreaterThan(0.1);
    expect(seen.heldOut.map((h) => h.best)).toEqual(losses.map((loss, i) => losses.slice(0, i).every((earlier) => loss < earlier)));
  });

  it("keeps what was learned when stopped, and scores it", async () => {
    const control = new RunControl();
    const { seen, hooks } = recorder({ step: (done) => void (done === 3 && control.stop()) });
    const result = await run(hooks, { evaluations: 1, warmupRatio: 0 }, control);
    expect(seen.log).toEqual(["prepared", "e0", "s1", "s2", "s3", "e3", "finishing"]);
    expect(result).toMatchObject({ steps: 3, stopped: true, bestStep: 3 });
    expect(largestDistance(result.adapter, seen.heldOut[1]!.adapter)).toBe(0);
    expect(result.report.tuned.loss).toBeLessThan(result.report.base.loss);
  });

  it("gives back the base where it is stopped before the first step", async () => {
    const control = new RunControl();
    control.stop();
    const result = await run({}, {}, control);
    expect(result).toMatchObject({ steps: 0, stopped: true, bestStep: 0, tokens: 0 });
    expect(result.report.tuned).toEqual(result.report.base);
  });

  it("takes no step while paused and ends as if it never had been", async () => {
    const control = new RunControl();
    let paused = false;
    const { seen, hooks } = recorder({
      step: (done) => {
        expect(paused).toBe(false);
        if (done !== 2) return;
        control.pause();
        paused = true;
        setTimeout(() => {
          paused = false;
          control.resume();
        }, 100);
      },
    });
    const result = await run(hooks, {}, control);
    const straight = recorder();
    const other = await run(straight.hooks);
    expect(seen.steps).toEqual(straight.seen.steps);
    expect(largestDistance(result.adapter, other.adapter)).toBe(0);
  });

  it("is the same to the last bit for the same seed, dropout included, and another for another", async () => {
    const once = async (seed: number) => {
      const { seen, hooks } = recorder();
      const result = await run(hooks, { seed, epochs: 1, lora: { ...config.lora, dropout: 0.2 } });
      return { steps: seen.steps, heldOut: seen.heldOut.map((h) => h.score), samples: seen.samples, adapter: result.adapter, report: result.report };
    };
    const [a, b, c] = [await once(1), await once(1), await once(2)];
    expect(b).toEqual(a);
    expect(c.steps.map((s) => s.loss)).not.toEqual(a.steps.map((s) => s.loss));
  });
});

describe("a run that was cut", () => {
  class Killed extends Error {}

  it("goes on from its last checkpoint: the same steps, evaluations and samples, none twice, none lost", async () => {
    const changes = { saveSteps: 3, evaluations: 2, lora: { ...config.lora, dropout: 0.1 } };
    const straight = recorder();
    const whole = await run(straight.hooks, changes);
    const { totalSteps } = straight.seen;
    const stored: { bytes?: Uint8Array } = {};
    /** What had been seen when the last checkpoint was made. */
    let kept: Pick<Recorded, "steps" | "heldOut" | "samples"> = { steps: [], heldOut: [], samples: [] };
    let result: SftRunResult | null = null;
    for (const last of [2, 4, totalSteps - 1, Infinity]) {
      const seen = { steps: [...kept.steps], heldOut: [...kept.heldOut], samples: [...kept.samples] };
      const attempt = recorder({
        step: (done) => { if (done === last) throw new Killed(); },
        checkpoint: (file) => {
          stored.bytes = file;
          kept = { steps: [...seen.steps, ...attempt.seen.steps], heldOut: [...seen.heldOut, ...attempt.seen.heldOut], samples: [...seen.samples, ...attempt.seen.samples] };
        },
      });
      const options = stored.bytes ? { resume: await decodeCheckpoint(stored.bytes) } : {};
      const going = runSft(backend, model, documents, 1, { ...config, ...changes }, new RunControl(), { ...attempt.hooks, checkpoint: attempt.more.checkpoint! }, options);
      if (last < Infinity) await expect(going).rejects.toThrow(Killed);
      else result = await going;
    }
    expect(result).toEqual(whole);
    for (const part of ["steps", "heldOut", "samples"] as const) expect(kept[part]).toEqual(straight.seen[part]);
  });

  it("does not go on with other writing", async () => {
    let bytes: Uint8Array | null = null;
    await run({ checkpoint: (file) => void (bytes = file) }, { epochs: 1 });
    const resume = await decodeCheckpoint(bytes!);
    await expect(runSft(backend, model, handDocuments(12, 110, "harbour"), 1, { ...config, epochs: 1 }, new RunControl(), {}, { resume })).rejects.toMatchObject({ code: "train/checkpoint-other" });
  });
});

describe("a run that goes wrong", () => {
  it.each([1e6, 1e30])("says that it diverged at a learning rate of %d, after it has handed out the best so far", async (learningRate) => {
    const { seen, hooks } = recorder();
    await expect(run(hooks, { learningRate, warmupRatio: 0, evaluations: 50 })).rejects.toMatchObject({ code: "train/diverged" });
    expect(seen.heldOut[0]).toMatchObject({ done: 0, best: true });
    expect(seen.steps.length).toBeLessThan(seen.totalSteps);
    for (const h of seen.heldOut) {
      expect(Number.isFinite(h.score.loss)).toBe(true);
      for (const data of h.adapter.values()) expect(data.every(Number.isFinite)).toBe(true);
    }
    expect(seen.log).not.toContain("finishing");
  });

  it("says that it diverged where only the last step broke it, and hands out nothing of it", async () => {
    let live: ReadonlyMap<string, Float32Array> = new Map();
    const { seen, hooks } = recorder({ step: (done) => { if (done === seen.totalSteps) for (const data of live.values()) data.fill(NaN); } });
    const spoiled: SftRunHooks = { ...hooks, heldOut: (done, score, adapter, best) => hooks.heldOut!(done, score, (live = adapter), best) };
    await expect(run(spoiled, { evaluations: 2 })).rejects.toMatchObject({ code: "train/diverged" });
    expect(seen.heldOut.map((h) => h.best)).toEqual([true, true]);
    expect(seen.steps).toHaveLength(seen.totalSteps);
  });

  it("says that it diverged on weights that are no numbers", async () => {
    const broken = { ...model, weights: new Map([...model.weights].map(([name, data]) => [name, name.includes("down_proj") ? (data as Float32Array).map(() => NaN) : data as Float32Array])) };
    for (const hooks of [{}, recorder().hooks]) await expect(run(hooks, {}, new RunControl(), backend, broken)).rejects.toMatchObject({ code: "train/diverged" });
  });

  it("refuses writing that is too little before it sets anything up", async () => {
    const created: number[] = [];
    const spy = watched((kind, count) => { if (kind === "create") created.push(count); return undefined; });
    await expect(run({}, {}, new RunControl(), spy, model, [{ id: "a", text: "Six words are not a book." }])).rejects.toMatchObject({ code: "data/too-little" });
    expect(created).toEqual([]);
  });

  it.each([1, 2, 3])("closes what it opened when session %d and those after it cannot be set up", async (failing) => {
    const short = watched((kind, count) => { if (kind === "create" && count >= failing) throw new Error("out of memory"); return undefined; });
    await expect(run({}, {}, new RunControl(), short)).rejects.toMatchObject({ code: "device/create", details: expect.stringContaining("out of memory") as string });
  });

  it.each([1, 5, 9])("closes what it opened when computation %d and those after it fail", async (failing) => {
    const weak = watched((kind, count) => { if (kind === "run" && count >= failing) throw new Error("device reset"); return undefined; });
    await expect(run(recorder().hooks, {}, new RunControl(), weak)).rejects.toMatchObject({ code: "device/run" });
  });

  it.each(["prepared", "step", "heldOut", "sample", "finishing"] as const)("closes what it opened when the hook “%s” throws, and passes it on", async (name) => {
    const fault = () => { throw new Error("store full"); };
    await expect(run(recorder({ [name]: fault }).hooks)).rejects.toThrow("store full");
  });

  it("ends when the device is lost in the middle of a step that never comes back", async () => {
    let lose: (why: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (lose = resolve));
    const hanging = watched((kind, count) => {
      if (kind !== "run" || count !== 60) return undefined;
      setTimeout(() => lose("reset by the driver"), 20);
      return new Promise(() => undefined);
    });
    const { seen, hooks } = recorder();
    await expect(run(hooks, {}, new RunControl(), { ...hanging, ...watchLoss(lost) })).rejects.toMatchObject({ code: "device/lost", details: "reset by the driver" });
    expect(seen.log).not.toContain("finishing");
    expect(seen.heldOut.filter((h) => h.best).length).toBeGreaterThan(0); // what it had learned was handed out
    await run({}, { epochs: 1 }); // and another device can be used at once
  });
});
