/** Runs as data, their names, and two of them side by side. */
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { splitDocuments } from "../../data/split";
import type { Metric, Run, RunSample } from "../../store/types";
import { RunControl } from "../loop";
import { openNode } from "../runtime/node";
import { handDocuments, tinyModel } from "../testing/hand";
import { settings } from "../testing/tiny";
import { align, compareRuns } from "./compare-runs";
import { dialConfig } from "./dial";
import { configFromPeftTrl } from "./peft-trl";
import { runSft } from "./run";
import { metricsCsv, runJson, seenTokens } from "./run-data";
import { distinctNames, runName } from "./run-name";

const DAY = Date.UTC(2026, 10, 21, 14, 5);
const situation = { parameters: 11e6, words: 1240 };
const base: Run = {
  id: "r1", handId: "h", createdAt: DAY, updatedAt: DAY, status: "finished", modelId: "ductus-base", modelSha256: "a".repeat(64), config: dialConfig("thorough", situation), dataHash: "d".repeat(64),
  device: { kind: "wasm", threads: 2, reason: "" }, execution: { kind: "whole", recompute: false, storage: "f32" }, step: 3, totalSteps: 3, trainTokens: 900, trainExamples: 20, heldOutExamples: 5, elapsedMs: 12_500,
  writing: { words: 1240, hash: "w".repeat(64) },
};
const point = (kind: Metric["kind"], step: number, loss: number, more: Partial<Metric> = {}): Metric => ({ runId: "r1", kind, step, loss, tokens: kind === "train" ? 100 : 50, atMs: 1000 * step, ...more });
const metrics: Metric[] = [point("heldout", 0, 5), point("heldout", 2, 4, { examples: 5, changeError: 0.02 }), point("train", 2, 4.4, { learningRate: 0.006, gradNorm: 1.5 }), point("train", 1, 4.8, { learningRate: 0.003, gradNorm: 2 }), point("train", 3, NaN, { learningRate: 1e-9, gradNorm: Infinity })];

describe("a run's name", () => {
  const name = (changes: Partial<Parameters<typeof runName>[0]> = {}, now = DAY) => runName({ ...base, parameters: 11e6, ...changes }, { now, timeZone: "UTC" });
  it("is the dial, the day and the words", () => {
    expect(name()).toBe("Thorough, 21 Nov, 1,240 words");
    expect(name({ config: dialConfig("balanced", situation) })).toBe("Balanced, 21 Nov, 1,240 words");
    expect(name({ config: { ...base.config, maxLength: 100 } })).toBe("Own settings, 21 Nov, 1,240 words");
    expect(name({ writing: { words: 1 }, config: dialConfig("quick", { parameters: 11e6, words: 1 }) })).toBe("Quick, 21 Nov, 1 word");
    expect(name({ start: { name: "x" } })).toBe("Thorough, 21 Nov, 1,240 words, going on");
    expect(name({}, Date.UTC(2027, 0, 1))).toBe("Thorough, 21 Nov 2026, 1,240 words");
    expect(name({ createdAt: Date.UTC(2026, 8, 3) })).toBe("Thorough, 3 Sep, 1,240 words");
    expect(name({ name: "For Anna" })).toBe("For Anna");
    const { writing: _, ...unknown } = base;
    expect(runName(unknown, { now: DAY, timeZone: "UTC" })).toBe("Run, 21 Nov");
    // The day is the reader's.
    expect(runName({ ...base, parameters: 11e6, createdAt: Date.UTC(2026, 10, 21, 23) }, { now: DAY, timeZone: "Asia/Tokyo" })).toMatch(/22 Nov/);
  });

  it("is told apart from others by the time, then by a number", () => {
    const run = { ...base, parameters: 11e6 };
    expect(distinctNames([run, { ...run, createdAt: DAY + 60_000 }, { ...run, createdAt: DAY + 30_000 }, { ...run, name: "Mine" }], { now: DAY, timeZone: "UTC" }))
      .toEqual(["Thorough, 21 Nov, 1,240 words, 14:05", "Thorough, 21 Nov, 1,240 words, 14:06", "Thorough, 21 Nov, 1,240 words, 14:05 (2)", "Mine"]);
  });
});

describe("a run as data", () => {
  const samples: RunSample[] = [{ runId: "r1", step: 2, prompt: "Continue:\n\nMy own words", text: "the model's" }];
  const json = (changes: Partial<Run> = {}, withWriting?: boolean) =>
    JSON.parse(runJson({ run: { ...base, ...changes }, name: "N", metrics, samples, versions: { ductus: "0.1.0" } }, { now: DAY, ...(withWriting === undefined ? {} : { withWriting }) })) as Record<string, unknown>;

  it("is JSON with everything that the run is reproducible from", () => {
    const data = json();
    expect(configFromPeftTrl(data["config"])).toEqual(base.config);
    expect(data).toMatchObject({
      format: "ductus-run", version: 1, versions: { ductus: "0.1.0" }, model: { sha256: base.modelSha256 }, data: { hash: base.dataHash, words: 1240, writing_hash: "w".repeat(64), train_examples: 20 },
      device: { kind: "wasm", threads: 2 }, execution: { storage: "f32" }, seconds: 12.5, started_at: "2026-11-21T14:05:00.000Z", started_from: null, error: null,
    });
    expect(data["metrics"]).toEqual([
      { kind: "heldout", step: 0, seconds: 0, seen_tokens: 0, loss: 5, tokens: 50 },
      { kind: "train", step: 1, seconds: 1, seen_tokens: 100, loss: 4.8, tokens: 100, learning_rate: 0.003, grad_norm: 2 },
      { kind: "train", step: 2, seconds: 2, seen_tokens: 200, loss: 4.4, tokens: 100, learning_rate: 0.006, grad_norm: 1.5 },
      { kind: "heldout", step: 2, seconds: 2, seen_tokens: 200, loss: 4, tokens: 50, examples: 5, change_error: 0.02 },
      { kind: "train", step: 3, seconds: 3, seen_tokens: 300, loss: "NaN", tokens: 100, learning_rate: 1e-9, grad_norm: "Infinity" },
    ]);
  });

  it("has the writer's words and names only where they are asked for", () => {
    const own: Partial<Run> = { name: "Anna's hand", start: { name: "Anna" }, error: { code: "train/diverged", message: "m", next: "", details: "My own words" } };
    const [without, with_] = [json(own), json(own, true)].map((data) => JSON.stringify(data)) as [string, string];
    for (const secret of ["My own words", "Anna"]) {
      expect(without).not.toContain(secret);
      expect(with_).toContain(secret);
    }
    expect(without).toContain("the model's");
    expect(json()["name"]).toBe("N");
    expect(json(own)["name"]).toBeNull();
  });

  it("is CSV that others read", () => {
    const { data, errors, meta } = Papa.parse<Record<string, string>>(metricsCsv(metrics), { header: true, skipEmptyLines: true });
    expect(errors).toEqual([]);
    expect(meta.fields).toEqual(["kind", "step", "seconds", "seen_tokens", "loss", "tokens", "learning_rate", "grad_norm", "examples", "change_error"]);
    expect(data).toHaveLength(5);
    expect(data[1]).toEqual({ kind: "train", step: "1", seconds: "1", seen_tokens: "100", loss: "4.8", tokens: "100", learning_rate: "0.003", grad_norm: "2", examples: "", change_error: "" });
    expect(data[4]).toMatchObject({ loss: "NaN", grad_norm: "Infinity", learning_rate: "1e-9" });
    expect(metricsCsv([])).toBe("kind,step,seconds,seen_tokens,loss,tokens,learning_rate,grad_norm,examples,change_error\r\n");
  });

  it("of a real run holds none of the writing, unless asked", async () => {
    const model = tinyModel(), documents = handDocuments(12, 400);
    const found: { metrics: Metric[]; samples: RunSample[] } = { metrics: [], samples: [] };
    const config = settings({ learningRate: 0.01, batchSize: 8, maxSteps: 3, maxLength: 96, evaluations: 2 });
    await runSft(openNode(), model, documents, 1, config, new RunControl(), {
      step: (step, { loss, completionTokens }) => void found.metrics.push(point("train", step, loss, { tokens: completionTokens })),
      heldOut: (step, { loss, tokens }) => void found.metrics.push(point("heldout", step, loss, { tokens })),
      sample: (step, prompt, text) => void found.samples.push({ runId: "r1", step, prompt, text }),
    });
    const phrases = splitDocuments(documents, 1).parts.flatMap(({ text }) => text.match(/\w+ \w+ \w+ \w+/g) ?? []);
    const holds = (withWriting: boolean) => phrases.filter((phrase) => runJson({ run: { ...base, config }, name: "N", ...found, versions: {} }, { now: DAY, withWriting }).includes(phrase)).length;
    expect(holds(true), JSON.stringify(found.samples)).toBeGreaterThan(0);
    expect(holds(false)).toBe(0);
    expect(metricsCsv(found.metrics).split("\r\n")).toHaveLength(found.metrics.length + 2);
  });

  it("seenTokens counts what was learned from by a step", () => {
    const seen = seenTokens(metrics);
    expect([0, 1, 2, 2.5, 3, 99].map(seen)).toEqual([0, 100, 200, 200, 300, 300]);
  });
});

describe("two runs", () => {
  const other: Run = { ...base, id: "r2", config: dialConfig("quick", situation), device: { kind: "webgpu", threads: 4, reason: "" }, step: 2, dataHash: "e".repeat(64) };
  const theirs = [point("heldout", 0, 5), point("train", 1, 4.6, { tokens: 200 }), point("train", 2, 4.2, { tokens: 200 }), point("heldout", 2, 3.8)];

  it("say in words what was set otherwise, and what else is", () => {
    const { settings: differing, others, best, caution } = compareRuns({ run: base, metrics }, { run: other, metrics: theirs }, "steps");
    expect(differing.map(({ label, a, b }) => `${label}: ${a} / ${b}`)).toEqual([
      "Passes (epochs): 6 passes / 2 passes", "Patience before it stops by itself: 4 checks / it never stops by itself", "Learning rate: 0.006 / 0.009", "Number of checks: 10 checks / 3 checks",
    ]);
    expect(others).toEqual([{ label: "Device", a: "processor, 2 threads", b: "graphics processor" }, { label: "Steps done", a: "3", b: "2" }]);
    expect(best).toEqual({ a: 4, b: 3.8 });
    expect(caution).toBeNull();
    expect(compareRuns({ run: base, metrics }, { run: base, metrics }, "steps")).toMatchObject({ settings: [], others: [] });
  });

  it("are aligned by steps or by tokens, with lines between their points and nothing beyond", () => {
    const by = (axis: "steps" | "tokens") => compareRuns({ run: base, metrics }, { run: other, metrics: theirs }, axis);
    expect(by("steps").train).toEqual({ x: [1, 2, 3], a: [4.8, 4.4, null], b: [4.6, 4.2, null] });
    expect(by("tokens").train.x).toEqual([100, 200, 300, 400]);
    expect(by("tokens").train.a).toEqual([4.8, 4.4, null, null]);
    expect(by("tokens").train.b).toEqual([null, 4.6, expect.closeTo(4.4, 10), 4.2]);
    expect(by("tokens").heldOut).toEqual({ x: [0, 200, 400], a: [5, 4, null], b: [5, expect.closeTo(4.4, 10), 3.8] });
    expect(align([], [[1, 2]])).toEqual({ x: [1], a: [null], b: [2] });
    expect(align([[0, 1], [1, NaN], [2, 3]], [[1.5, 9]])).toEqual({ x: [0, 1, 1.5, 2], a: [1, null, null, 3], b: [null, null, 9, null] });
  });

  it("are compared with caution where they were not checked on the same", () => {
    const caution = (changes: Partial<Run>) => compareRuns({ run: base, metrics }, { run: { ...other, ...changes }, metrics: theirs }, "steps").caution;
    expect(caution({ modelSha256: "b".repeat(64) })).toMatch(/different models/);
    expect(caution({ writing: { words: 9, hash: "v" } })).toMatch(/different writing/);
    expect(caution({ config: { ...other.config, maxLength: 99 } })).toMatch(/cut at different lengths/);
    expect(caution({ writing: { words: 1240 } })).toMatch(/may have changed/);
    expect(caution({ writing: { words: 1240 }, handId: "other" })).toMatch(/different hands/);
    expect(caution({ writing: { words: 1240 }, dataHash: base.dataHash })).toBeNull();
  });
});
