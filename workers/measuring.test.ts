import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Random } from "../lib/core/random";
import { splitDocuments } from "../lib/data/split";
import { isWhole, readMeasurement } from "../lib/eval/measurement";
import { getAdapter, saveAdapter } from "../lib/store/adapters";
import { addDocuments, excludeDocuments, listDocuments } from "../lib/store/documents";
import { chooseSplit, createHand, deleteEverything } from "../lib/store/hands";
import { getMeasurement } from "../lib/store/measurements";
import { packAdapter } from "../lib/train/adapter/file";
import { toLoraAdapter } from "../lib/train/adapter/tensors";
import { adapterShapes } from "../lib/train/model/lora";
import { defaultConfig } from "../lib/train/sft/recipes";
import { prepareData } from "../lib/train/sft/prepare";
import { poolScore } from "../lib/train/sft/score";
import { SftTrainer } from "../lib/train/sft/trainer";
import { openNode } from "../lib/train/runtime/node";
import { handDocuments, tinyModel } from "../lib/train/testing/hand";
import { settings } from "../lib/train/testing/tiny";
import { compareReport, measure } from "./measuring";
import type { MeasureEvent } from "./protocol";
import { stopWriting, write } from "./writing";

const backend = openNode();
const model = tinyModel();
vi.mock("./resources", () => ({
  device: () => Promise.resolve({ backend, report: { kind: "node", threads: 1, reason: "" }, }),
  openByHash: () => Promise.resolve({ ...model, storage: "f32", tokenizerFiles: () => Promise.reject(new Error("not asked for")) }),
  identify: () => Promise.resolve(model.entry),
}));

const lora = { rank: 2, alpha: 4, targetModules: ["q_proj", "v_proj"] as const };
let handId: string;

async function adapterOf(seed: string): Promise<{ id: string; tensors: Map<string, Float32Array> }> {
  const random = new Random(seed);
  const tensors = new Map([...adapterShapes(model.config, lora)].map(([name, [rows, columns]]) => [name, Float32Array.from({ length: rows * columns }, () => 3 * random.normal())]));
  const info = { name: seed, createdAt: 1, modelId: model.entry.id, modelSha256: model.entry.sha256 };
  const { id } = await saveAdapter({ handId, name: seed, modelId: model.entry.id, modelSha256: model.entry.sha256, file: packAdapter(toLoraAdapter(model.config, lora, tensors), info) });
  return { id, tensors };
}

beforeEach(async () => {
  handId = (await createHand({ name: "Ann", source: "own" })).id;
  await addDocuments(handId, handDocuments(14, 150).map(({ id, text }) => ({ name: id, text, words: 100 })));
});
afterEach(deleteEverything);

const untilScored = (event: MeasureEvent): void => { if (event.type === "progress" && event.phase === "writing") stopWriting(); };
const kept = async (id: string) => readMeasurement((await getMeasurement(id))!.content);

describe("measuring", () => {
  it("scores what training scores, writes to every prompt, keeps it all, and reports on it", async () => {
    const { id, tensors } = await adapterOf("a");
    const events: MeasureEvent[] = [];
    expect(await measure(handId, id, (event) => events.push(event))).toBe(true);
    const measured = await kept(id);
    expect(isWhole(measured)).toBe(true);
    expect(measured.own.length).toBeGreaterThanOrEqual(2);

    const documents = await listDocuments(handId);
    const config = { ...defaultConfig(1, 0), epochs: 0 };
    const { test } = await prepareData(documents, 1, config, model.tokenizer);
    const trainer = await SftTrainer.create(backend, model.config, model.weights, settings({ lora: { ...settings({}).lora, ...lora, targetModules: [...lora.targetModules] }, maxLength: config.maxLength }), tensors);
    const expected = { base: poolScore(test, await trainer.evaluate(test, 8, null)), tuned: poolScore(test, await trainer.evaluate(test, 8)) };
    await trainer.dispose();
    const { report } = (await getAdapter(id))!;
    for (const voice of ["base", "tuned"] as const) {
      expect(report![voice].loss).toBeCloseTo(expected[voice].loss, 5);
      expect(report![voice].bitsPerByte).toBeCloseTo(expected[voice].bitsPerByte, 5);
      expect(report![voice]).toMatchObject({ tokens: expected[voice].tokens, bytes: expected[voice].bytes, examples: expected[voice].examples });
    }
    expect(report!.tuned.loss).not.toBeCloseTo(report!.base.loss, 3);

    const progress = events.filter((event) => event.type === "progress");
    for (const phase of ["scoring", "writing"]) {
      const of = progress.filter((event) => event.phase === phase);
      expect(of[0]).toMatchObject({ done: 0, remainingMs: null });
      expect(of.at(-1)!.done).toBe(of.at(-1)!.total);
    }
    const compared = (await compareReport(handId, [id]))!;
    expect(compared).toMatchObject({ adapterId: id, whole: true, current: true, leftOut: [] });
    expect(compared.report.heldOut!.systems.map(({ loss }) => loss.value)).toEqual([report!.base.loss, report!.tuned.loss]);
    expect(compared.report.variety!.own.copied).not.toBeNull();
    expect(await measure(handId, id, () => { throw new Error("measured twice"); })).toBe(true);
  }, 60_000);

  it("goes on where it was stopped, and takes the base from another adapter", async () => {
    const { id } = await adapterOf("a");
    expect(await measure(handId, id, (event) => { if (event.type === "progress" && event.phase === "writing" && event.done > 0) stopWriting(); })).toBe(false);
    const half = await kept(id);
    expect(isWhole(half)).toBe(false);
    expect(half.base.texts.length).toBeGreaterThan(0);
    expect(await compareReport(handId, [id])).toMatchObject({ whole: false, current: true });
    const phases = new Set<string>();
    await measure(handId, id, (event) => { if (event.type === "progress") phases.add(event.phase); });
    expect([...phases]).toEqual(["writing"]);
    const whole = await kept(id);
    expect(whole.base.texts.slice(0, half.base.texts.length)).toEqual(half.base.texts);

    const other = await adapterOf("b");
    const totals: number[] = [];
    await measure(handId, other.id, (event) => { if (event.type === "progress" && event.phase === "scoring") totals.push(event.total); });
    const second = await kept(other.id);
    expect(second.base).toEqual(whole.base);
    expect(totals[0]).toBe(whole.base.scores.passages.length);
    expect(second.tuned.scores.passages).not.toEqual(whole.tuned.scores.passages);
    expect((await compareReport(handId, [id, other.id]))!.report.heldOut!.systems).toHaveLength(3);
  }, 60_000);

  it("is ended by other writing", async () => {
    const { id } = await adapterOf("a");
    const row = { voice: "base" as const, ask: { form: "continue" as const, passage: "Beans rain spade." }, seed: 1 };
    const others: Promise<void>[] = [];
    const ended = await measure(handId, id, (event) => {
      if (event.type === "progress" && event.done > 0 && others.length === 0) others.push(write({ handId, adapterId: id, rows: [row], sampling: { temperature: 1, topP: 1, maxNewTokens: 4 }, device: "auto" }, () => undefined));
    });
    await Promise.all(others);
    expect(ended).toBe(false);
  }, 60_000);

  it("says when the writing is another, and measures that anew", async () => {
    const { id } = await adapterOf("a");
    const { id: earlier } = await adapterOf("b");
    await measure(handId, id, () => undefined);
    const before = (await kept(id)).basis;
    const documents = await listDocuments(handId);
    expect(splitDocuments(documents, 1).rule.byDocument).toBe(true);
    await chooseSplit(handId, { train: 0.6, validation: 0.1, test: 0.3 }, 1);
    expect(await compareReport(handId, [id])).toMatchObject({ current: false });
    await measure(handId, earlier, untilScored);
    const more = await kept(earlier);
    expect(more.base.scores.passages.length).toBeGreaterThan((await kept(id)).base.scores.passages.length);
    await chooseSplit(handId, null, 1);
    expect(await compareReport(handId, [id])).toMatchObject({ current: true });
    await excludeDocuments(handId, new Map([[documents[0]!.id, { reason: "Left out.", by: "person" }]]));
    const stale = (await compareReport(handId, [id, earlier]))!;
    expect(stale).toMatchObject({ current: false, leftOut: [earlier] });
    expect(stale.report.variety!.own.copied).toBeNull();
    await measure(handId, id, untilScored);
    expect((await kept(id)).basis).not.toBe(before);
    expect(await compareReport(handId, ["never measured"])).toBeNull();
  }, 60_000);
});
