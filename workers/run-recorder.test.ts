import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deleteAdapter, getAdapter, listAdapters } from "../lib/store/adapters";
import { listCheckpoints } from "../lib/store/checkpoints";
import { closeDatabase, DATABASE_NAME } from "../lib/store/db";
import { createHand, deleteHand } from "../lib/store/hands";
import { keptFile, listKept } from "../lib/store/kept";
import { createRun, getRun, listMetrics, listSamples } from "../lib/store/runs";
import type { Run, Score } from "../lib/store/types";
import { openAdapter } from "../lib/train/adapter/file";
import { RunControl } from "../lib/train/loop";
import { initialAdapter } from "../lib/train/model/lora";
import type { SftCheckpoint } from "../lib/train/sft/checkpoint";
import type { SftRunResult } from "../lib/train/sft/run";
import { tinyModel } from "../lib/train/testing/hand";
import { settings } from "../lib/train/testing/tiny";
import type { RunEvent } from "./protocol";
import { RunRecorder } from "./run-recorder";

const model = tinyModel();
const config = settings({ evaluations: 2 });
const adapter = initialAdapter(model.config, config.lora, 1);
const score = (loss: number): Score => ({ loss, perplexity: Math.exp(loss), bitsPerByte: 1, tokens: 10, bytes: 40, examples: 2 });
const report = { base: score(4), tuned: score(3) };
const step = (loss: number) => ({ loss, gradNorm: 1, tokens: 100, completionTokens: 50, learningRate: 0.01 });
const prepared = { split: { parts: [], rule: {} as never }, epochs: [[]], validation: [], test: [], dataHash: "ab" };

let run: Run;
let control: RunControl;
let events: RunEvent[];
let recorder: RunRecorder;

beforeEach(async () => {
  const hand = await createHand({ name: "Ann", source: "own" });
  run = await createRun({ handId: hand.id, modelId: model.entry.id, modelSha256: model.entry.sha256, config });
  control = new RunControl();
  events = [];
  recorder = new RunRecorder(run, hand.name, model, control, (event) => events.push(event));
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

/** From now on every write to these stores fails for want of room. */
function noRoom(...stores: string[]): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the store below
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, ...args) {
    if (stores.includes(this.name)) throw new DOMException("no room", "QuotaExceededError");
    return put.apply(this, args);
  });
}

const result = (): SftRunResult => ({ adapter, bestStep: 1, steps: 2, stopped: false, endedEarly: false, tokens: 200, report });

/** A run of two steps, the first of them the best. */
async function wholeRun(): Promise<void> {
  await recorder.prepared(prepared, 2);
  await recorder.heldOut(0, score(4), adapter, true);
  await recorder.sample(0, "go on", "before");
  await recorder.step(1, step(3.9));
  await recorder.heldOut(1, score(3), adapter, true);
  await recorder.sample(1, "go on", "after");
  await recorder.step(2, step(3.8));
  await recorder.heldOut(2, score(3.5), adapter, false);
}

describe("RunRecorder", () => {
  it("stores the curve, the samples and the best adapter with the tokens that made it", async () => {
    await wholeRun();
    await recorder.finished(result());
    expect((await listMetrics(run.id)).map(({ kind, step: at, loss }) => [kind, at, loss])).toEqual([["heldout", 0, 4], ["heldout", 1, 3], ["heldout", 2, 3.5], ["train", 1, 3.9], ["train", 2, 3.8]]);
    expect((await listSamples(run.id)).map(({ text }) => text)).toEqual(["before", "after"]);
    const stored = await getRun(run.id);
    expect(stored).toMatchObject({ status: "finished", step: 2, totalSteps: 2, trainTokens: 200, dataHash: "ab" });
    const kept = await getAdapter(stored!.adapterId!);
    expect(kept!.report).toEqual(report);
    const { entry, config: modelConfig } = model;
    expect(openAdapter(kept!.file, { id: entry.id, name: entry.name, sha256: entry.sha256, config: modelConfig }).info).toMatchObject({ name: "Ann", steps: 1, trainTokens: 100, report });
    expect(events.filter(({ type }) => type === "finished")).toHaveLength(1);
  });

  it("goes on while there is no room, and stores all of it once there is", async () => {
    noRoom("metrics", "samples", "adapterFiles");
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(() => { throw new DOMException("no room", "QuotaExceededError"); });
    await wholeRun();
    expect(await listMetrics(run.id)).toEqual([]);
    expect(events.flatMap((event) => (event.type === "metrics" ? event.points : []))).toHaveLength(5); // the page has them all the same
    vi.restoreAllMocks();
    await recorder.sample(2, "go on", "at last");
    await recorder.finished(result());
    expect(await listMetrics(run.id)).toHaveLength(5);
    expect((await listSamples(run.id)).map(({ text }) => text)).toEqual(["before", "after", "at last"]);
    expect(await getRun(run.id)).toMatchObject({ status: "finished" });
  });

  it("goes on without checkpoints while there is no room, keeps the last one, and says so once, and once when there is room again", async () => {
    const said = () => events.flatMap((event) => (event.type === "unguarded" ? [event.error?.code ?? null] : []));
    const stored = async () => (await listCheckpoints(run.id)).map(({ step: at }) => at);
    await recorder.checkpoint(Uint8Array.of(1), 3);
    noRoom("checkpoints");
    await recorder.checkpoint(Uint8Array.of(2), 6);
    await recorder.checkpoint(Uint8Array.of(3), 9);
    expect(said()).toEqual(["store/full"]);
    expect(await stored()).toEqual([3]);
    vi.restoreAllMocks();
    await recorder.checkpoint(Uint8Array.of(4), 12);
    await recorder.checkpoint(Uint8Array.of(5), 15);
    expect(said()).toEqual(["store/full", null]);
    expect(await stored()).toEqual([15, 12]);
  });

  it("keeps the states of the checks with their losses, which outlive the run, and lets go of later ones where it goes on from an earlier", async () => {
    await wholeRun();
    await recorder.finished(result());
    expect((await listKept(run.id)).map(({ step: at, tokens, loss }) => [at, tokens, loss])).toEqual([[1, 100, 3], [2, 200, 3.5]]);
    const { entry, config: modelConfig } = model;
    const file = (await keptFile(run.id, 2))!;
    expect(openAdapter(file, { id: entry.id, name: entry.name, sha256: entry.sha256, config: modelConfig }).info).toMatchObject({ steps: 2, trainTokens: 200 });
    recorder = new RunRecorder(run, "Ann", model, control, (event) => events.push(event));
    await recorder.resumed({ evaluated: 1, tokens: 100, elapsedMs: 1, trainer: { steps: 1 }, best: null } as unknown as SftCheckpoint, false, []);
    expect((await listKept(run.id)).map(({ step: at }) => at)).toEqual([1]);
  });

  it("notes on how many examples a check was made, how sure its change is, and which writing it was", async () => {
    run = await createRun({ handId: run.handId, modelId: model.entry.id, modelSha256: model.entry.sha256, config, writing: { words: 7 } });
    recorder = new RunRecorder(run, "Ann", model, control, (event) => events.push(event), [{ id: 3, content: "<x>" }]);
    await recorder.prepared(prepared, 2, "cd");
    await recorder.heldOut(0, score(4), adapter, true);
    await recorder.step(1, step(3.9));
    await recorder.heldOut(1, score(3), adapter, true, 0.25);
    const [first, second] = (await listMetrics(run.id)).filter(({ kind }) => kind === "heldout");
    expect(first).toMatchObject({ examples: 2 });
    expect(first).not.toHaveProperty("changeError");
    expect(second).toMatchObject({ examples: 2, changeError: 0.25 });
    expect((await getRun(run.id))!.writing).toEqual({ words: 7, hash: "cd" });
  });

  it("says so where even the finished adapter finds no room", async () => {
    await wholeRun();
    noRoom("adapterFiles");
    await expect(recorder.finished(result())).rejects.toMatchObject({ code: "store/full" });
    expect((await getRun(run.id))?.adapterId).toBeDefined(); // what was kept at the check is still there
  });

  it("can be stored later, and is a file meanwhile, where the finished adapter finds no room", async () => {
    noRoom("metrics", "samples", "adapterFiles");
    await wholeRun();
    await expect(recorder.finished(result())).rejects.toMatchObject({ code: "store/full" });
    const { entry, config: modelConfig } = model;
    const packed = recorder.pack(adapter, 1, undefined, report);
    expect(openAdapter(packed, { id: entry.id, name: entry.name, sha256: entry.sha256, config: modelConfig }).info).toMatchObject({ name: "Ann", steps: 1, report });
    vi.restoreAllMocks();
    await recorder.finished(result());
    const stored = await getRun(run.id);
    expect(stored).toMatchObject({ status: "finished" });
    expect((await getAdapter(stored!.adapterId!))!.report).toEqual(report);
    expect(await listMetrics(run.id)).toHaveLength(5);
    expect(await listSamples(run.id)).toHaveLength(2);
  });

  it("goes on where a checkpoint was made: counts, time, and the adapter that was kept", async () => {
    await wholeRun();
    const kept = (await getRun(run.id))!;
    recorder = new RunRecorder(kept, "Ann", model, control, (event) => events.push(event));
    await recorder.prepared(prepared, 12);
    events.length = 0;
    await recorder.resumed({ evaluated: 6, tokens: 500, elapsedMs: 60_000, trainer: { steps: 7 }, best: { tokens: 300 } } as SftCheckpoint, true, ["a difference"]);
    expect(events).toMatchObject([
      { type: "resumed", step: 7, afterLoss: true, differences: ["a difference"] },
      { type: "phase", phase: "training", done: 7, total: 12 },
      { type: "metrics", points: [], progress: { step: 7, totalSteps: 12, tokens: 500 } },
    ]);
    await recorder.step(8, step(3));
    await recorder.step(9, step(3));
    await recorder.flush();
    const stored = await getRun(run.id);
    expect(stored).toMatchObject({ step: 9, trainTokens: 700, adapterId: kept.adapterId });
    expect(stored!.elapsedMs).toBeGreaterThanOrEqual(60_000);
    await recorder.finished({ ...result(), steps: 9, tokens: 700 });
    expect((await getRun(run.id))!.adapterId).toBe(kept.adapterId); // in its place, not beside it
  });

  it("stores the adapter anew where it was deleted while the run went on", async () => {
    await wholeRun();
    await deleteAdapter((await getRun(run.id))!.adapterId!);
    await recorder.finished(result());
    const { adapterId } = (await getRun(run.id))!;
    expect((await listAdapters(run.handId)).map(({ id }) => id)).toEqual([adapterId]);
    expect((await getAdapter(adapterId!))!.report).toEqual(report);
  });

  it("ends when the hand has been deleted", async () => {
    await recorder.prepared(prepared, 2);
    await deleteHand(run.handId);
    await expect(recorder.heldOut(0, score(4), adapter, true)).rejects.toMatchObject({ code: "store/missing" });
    await expect(recorder.checkpoint(Uint8Array.of(1), 1)).rejects.toMatchObject({ code: "store/missing" });
  });

  it("leaves pauses out of the time that it says is left, and of that which has passed", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    recorder = new RunRecorder(run, "Ann", model, control, (event) => events.push(event)); // begun on the same clock
    await recorder.prepared(prepared, 12);
    for (let done = 1; done <= 2; done++) {
      vi.advanceTimersByTime(1000);
      await recorder.step(done, step(4));
    }
    control.pause();
    const waiting = control.whileRunning();
    vi.advanceTimersByTime(3_600_000);
    control.resume();
    await waiting;
    vi.advanceTimersByTime(1000);
    await recorder.step(3, step(4));
    const last = events.findLast((event) => event.type === "metrics");
    expect(last?.progress).toMatchObject({ step: 3, remainingMs: 9000, tokensPerSecond: 100, elapsedMs: 3000 });
    expect(last?.points.at(-1)).toMatchObject({ step: 3, atMs: 3000 });
  });

  it("lets no time run backwards where it goes on from a checkpoint with an earlier clock", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    recorder = new RunRecorder(run, "Ann", model, control, (event) => events.push(event));
    vi.advanceTimersByTime(5000); // until the checkpoints' clock began
    await recorder.prepared(prepared, 12);
    vi.advanceTimersByTime(1000);
    await recorder.step(1, step(4));
    vi.advanceTimersByTime(60_000);
    await recorder.step(2, step(4)); // comes again
    recorder = new RunRecorder((await getRun(run.id))!, "Ann", model, control, (event) => events.push(event));
    await recorder.resumed({ evaluated: 0, tokens: 100, elapsedMs: 1000, trainer: { steps: 1 }, best: null } as SftCheckpoint, false, []);
    vi.advanceTimersByTime(1000);
    await recorder.step(2, step(4));
    await recorder.flush();
    expect((await listMetrics(run.id)).map(({ atMs }) => atMs)).toEqual([6000, 7000]);
  });
});
