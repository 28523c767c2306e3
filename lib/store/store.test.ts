import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import { DuctusError, type ErrorCode } from "../core/errors";
import { DEFAULT_SEED } from "../data/split";
import { LARGE_MODEL_DEFAULTS } from "../train/sft/config";
import { deleteAdapter, getAdapter, listAdapters, renameAdapter, replaceAdapterFile, saveAdapter, saveReport } from "./adapters";
import { announce, type Change, subscribe } from "./changes";
import { deleteCheckpoints, listCheckpoints, saveCheckpoint } from "./checkpoints";
import { closeDatabase, DATABASE_NAME, STORE_NAMES, transact } from "./db";
import { addDocuments, listDocuments, removeDocument } from "./documents";
import { forgetModel, getModel, listModels, saveModel } from "./models";
import { chooseModel, createHand, deleteEverything, deleteHand, getHand, getSetting, listHands, MAX_NAME_LENGTH, renameHand, setSetting } from "./hands";
import { addSample, appendMetrics, createRun, deleteRun, getRun, listMetrics, listRuns, listSamples, markInterrupted, updateRun } from "./runs";
import type { Metric, Score, StoredModel } from "./types";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

async function code(promise: Promise<unknown>): Promise<ErrorCode | "nothing"> {
  return promise.then(() => "nothing" as const, (error: unknown) => (error instanceof DuctusError ? error.code : Promise.reject(error as Error)));
}
const newRun = (handId: string) => ({ handId, modelId: "embedded", modelSha256: "ab", config: LARGE_MODEL_DEFAULTS });
const newAdapter = (handId: string, bytes = 100) => ({ handId, name: "First", modelId: "embedded", modelSha256: "ab", file: Uint8Array.from({ length: bytes }, (_, i) => i % 251) });
const point = (runId: string, step: number, kind: Metric["kind"] = "train"): Metric => ({ runId, kind, step, loss: 3 - step / 100, tokens: 50, atMs: step * 10 });
const score: Score = { loss: 3, perplexity: 20.1, bitsPerByte: 1.2, tokens: 1000, bytes: 3600, examples: 30 };
const put = (store: (typeof STORE_NAMES)[number], value: unknown): Promise<unknown> => transact([store], "readwrite", (tx) => tx.objectStore(store).put(value));

const model = (digit: string): StoredModel => ({ id: digit.repeat(64), name: "Qwen2.5-0.5B", family: "qwen2", parameters: 494e6, storage: "q4", fileBytes: 3e8, weightBytes: 3e8, addedAt: 1, folder: digit.repeat(32) });

/** A hand with something in every store. */
async function fullHand(name: string) {
  const hand = await createHand({ name, source: "own" });
  await addDocuments(hand.id, [{ name: "a", text: "words", words: 1 }, { name: "b", text: "more words", words: 2, encoding: "utf-8" }]);
  const run = await createRun(newRun(hand.id));
  await appendMetrics(run.id, [point(run.id, 1), point(run.id, 2), point(run.id, 2, "heldout")]);
  await addSample({ runId: run.id, step: 2, prompt: "p", text: "t" });
  await saveCheckpoint(run.id, 2, Uint8Array.of(1));
  const adapter = await saveAdapter({ ...newAdapter(hand.id), runId: run.id });
  return { hand, run, adapter };
}
async function counts(): Promise<Record<string, number>> {
  return transact(STORE_NAMES, "readonly", async (tx) => Object.fromEntries(await Promise.all(STORE_NAMES.map(async (s) => [s, await tx.objectStore(s).count()] as const))));
}

describe("hands", () => {
  it("are created, listed in order, renamed", async () => {
    const first = await createHand({ name: "  My   letters ", source: "own" });
    const second = await createHand({ name: "x".repeat(200), source: "sample", sampleId: "letters", seed: 9 });
    expect(first).toMatchObject({ name: "My letters", source: "own", seed: DEFAULT_SEED });
    expect("sampleId" in first).toBe(false);
    expect(second.name).toHaveLength(MAX_NAME_LENGTH);
    expect((await listHands()).map((h) => h.id).sort()).toEqual([first.id, second.id].sort());
    expect((await renameHand(first.id, "Other")).name).toBe("Other");
    expect(await getHand(first.id)).toEqual({ ...first, name: "Other" });
    expect(await getHand("gone")).toBeNull();
    expect(await code(createHand({ name: "  ", source: "own" }))).toBe("store/name");
    expect(await code(renameHand("gone", "x"))).toBe("store/missing");
  });

  it("go with everything under them, and nothing else", async () => {
    const a = await fullHand("A"), b = await fullHand("B");
    await setSetting("currentHandId", a.hand.id);
    await saveModel(model("1"));
    const both = await counts();
    expect(Object.values(both).every((n) => n > 0)).toBe(true);
    await deleteHand(a.hand.id);
    const one = await counts();
    for (const store of STORE_NAMES) expect(one[store], store).toBe(store === "settings" ? 0 : store === "models" ? 1 : (both[store] as number) / 2);
    expect(await getSetting("currentHandId")).toBeNull();
    expect((await listDocuments(b.hand.id)).map((d) => d.name)).toEqual(["a", "b"]);
    expect(await listMetrics(b.run.id)).toHaveLength(3);
    expect((await getAdapter(b.adapter.id))?.file).toHaveLength(100);
    await deleteEverything();
    expect(Object.values(await counts()).every((n) => n === 0)).toBe(true);
  });

  it("cannot be written under once they are deleted", async () => {
    const { hand, run, adapter } = await fullHand("A");
    await deleteHand(hand.id);
    expect(await code(addDocuments(hand.id, [{ name: "c", text: "x", words: 1 }]))).toBe("store/missing");
    expect(await code(createRun(newRun(hand.id)))).toBe("store/missing");
    expect(await code(updateRun(run.id, { step: 3 }))).toBe("store/missing");
    expect(await code(appendMetrics(run.id, [point(run.id, 4)]))).toBe("store/missing");
    expect(await code(addSample({ runId: run.id, step: 4, prompt: "p", text: "t" }))).toBe("store/missing");
    expect(await code(saveAdapter(newAdapter(hand.id)))).toBe("store/missing");
    expect(await code(saveReport(adapter.id, { base: score, tuned: score }))).toBe("store/missing");
    expect(Object.values(await counts()).every((n) => n === 0)).toBe(true);
  });
});

describe("checkpoints", () => {
  it("are the last two of each run, the last noted in it, and go with it", async () => {
    const { id } = await createHand({ name: "A", source: "own" });
    const run = await createRun(newRun(id));
    expect(await listCheckpoints(run.id)).toEqual([]);
    for (const step of [9, 10, 100]) await saveCheckpoint(run.id, step, Uint8Array.of(step));
    expect(await listCheckpoints(run.id)).toMatchObject([{ step: 100, file: Uint8Array.of(100) }, { step: 10 }]);
    expect(await getRun(run.id)).toMatchObject({ checkpointStep: 100 });
    await saveCheckpoint(run.id, 50, Uint8Array.of(50)); // it went on from 10, since 100 could not be read
    expect(await listCheckpoints(run.id)).toMatchObject([{ step: 50 }, { step: 10 }]);
    expect(await getRun(run.id)).toMatchObject({ checkpointStep: 50 });
    await deleteCheckpoints(run.id);
    expect(await listCheckpoints(run.id)).toEqual([]);
    expect(await getRun(run.id)).not.toHaveProperty("checkpointStep");
    await saveCheckpoint(run.id, 7, Uint8Array.of(4));
    await deleteRun(run.id);
    expect((await counts())["checkpoints"]).toBe(0);
    expect(await code(saveCheckpoint(run.id, 8, Uint8Array.of(5)))).toBe("store/missing"); // leaves nothing behind
    expect((await counts())["checkpoints"]).toBe(0);
  });
});

describe("models", () => {
  it("are listed in the order they came; the same weights take the place of what they were held as before", async () => {
    expect(await saveModel({ ...model("1"), addedAt: 5 })).toBeNull();
    await saveModel({ ...model("2"), addedAt: 4, licence: "apache-2.0" });
    expect((await listModels()).map(({ id }) => id[0])).toEqual(["2", "1"]);
    expect(await saveModel({ ...model("1"), storage: "q8", folder: "f".repeat(32) })).toBe("1".repeat(32)); // its files are free
    expect(await getModel("1".repeat(64))).toMatchObject({ storage: "q8", folder: "f".repeat(32) });
    expect(await forgetModel("1".repeat(64))).toBe("f".repeat(32));
    expect(await getModel("1".repeat(64))).toBeNull();
    expect(await forgetModel("1".repeat(64))).toBeNull();
  });

  it("refuse a folder that could lead elsewhere", async () => {
    await put("models", { ...model("1"), folder: "../documents" });
    expect(await code(getModel("1".repeat(64)))).toBe("store/damaged");
    expect(await forgetModel("1".repeat(64))).toBeNull(); // gone, and nothing is deleted for it
  });

  it("are remembered by a hand", async () => {
    const { id } = await createHand({ name: "A", source: "own" });
    const ref = { id: "1".repeat(64), name: "Qwen2.5-0.5B" };
    expect((await chooseModel(id, ref)).model).toEqual(ref);
    expect((await renameHand(id, "B")).model).toEqual(ref);
    expect("model" in (await chooseModel(id, null))).toBe(false);
  });
});

describe("documents", () => {
  it("keep their order across additions and removals", async () => {
    const { id } = await createHand({ name: "A", source: "own" });
    const doc = (name: string) => ({ name, text: name, words: 1 });
    await addDocuments(id, ["z", "y"].map(doc));
    const [x] = await addDocuments(id, ["x", "w"].map(doc));
    await removeDocument(id, x?.id ?? "");
    await addDocuments(id, [doc("v")]);
    expect((await listDocuments(id)).map((d) => [d.name, d.order])).toEqual([["z", 0], ["y", 1], ["w", 3], ["v", 4]]);
    expect(await listDocuments("gone")).toEqual([]);
  });
});

describe("runs", () => {
  it("are created running, updated, listed", async () => {
    const { id } = await createHand({ name: "A", source: "own" });
    const run = await createRun({ ...newRun(id), totalSteps: 12 });
    expect(run).toMatchObject({ status: "running", step: 0, totalSteps: 12, dataHash: "" });
    const updated = await updateRun(run.id, { step: 5, device: { kind: "wasm", threads: 2, reason: "no WebGPU" } });
    expect(updated.updatedAt).toBeGreaterThanOrEqual(run.updatedAt);
    await updateRun(run.id, { status: "failed", error: { code: "train/diverged", message: "m", next: "" } });
    await updateRun(run.id, { step: 5 });
    expect(await getRun(run.id)).toMatchObject({ step: 5, status: "failed", device: { threads: 2 }, error: { code: "train/diverged" } });
    expect(await updateRun(run.id, { status: "running" })).not.toHaveProperty("error"); // it goes on
    await updateRun(run.id, { status: "failed" });
    const second = await createRun(newRun(id));
    expect((await listRuns(id)).map((r) => r.id)).toContain(second.id);
    expect(await listRuns(id)).toHaveLength(2);
  });

  it("keep curves by kind and step, of their own run only, and replace a repeated point", async () => {
    const a = await fullHand("A"), b = await fullHand("B");
    await appendMetrics(a.run.id, [10, 9, 300].map((s) => point(a.run.id, s)));
    await appendMetrics(a.run.id, [{ ...point(a.run.id, 10), loss: Infinity, gradNorm: NaN }]);
    const metrics = await listMetrics(a.run.id);
    expect(metrics.map((m) => [m.kind, m.step])).toEqual([["heldout", 2], ["train", 1], ["train", 2], ["train", 9], ["train", 10], ["train", 300]]);
    expect(metrics[4]?.loss).toBe(Infinity);
    expect(await listMetrics(b.run.id)).toHaveLength(3);
    expect(await listSamples(a.run.id)).toEqual([{ runId: a.run.id, step: 2, prompt: "p", text: "t" }]);
    await deleteRun(a.run.id);
    expect(await listMetrics(a.run.id)).toEqual([]);
    expect(await listSamples(a.run.id)).toEqual([]);
    expect(await getRun(a.run.id)).toBeNull();
    expect(await listMetrics(b.run.id)).toHaveLength(3);
  });

  it("that were silent for long were interrupted; a beating or ended one was not", async () => {
    const { id } = await createHand({ name: "A", source: "own" });
    const silent = await createRun(newRun(id)), alive = await createRun(newRun(id)), ended = await createRun(newRun(id));
    await updateRun(ended.id, { status: "finished" });
    await put("runs", { ...silent, updatedAt: silent.updatedAt - 60_000 });
    await put("runs", { ...(await getRun(ended.id)), updatedAt: 5 });
    await put("runs", { id: "damaged", handId: id, createdAt: 3, status: "running" });
    expect((await markInterrupted(30_000)).map((r) => r.id)).toEqual([silent.id]);
    expect((await getRun(silent.id))?.status).toBe("interrupted");
    expect((await getRun(alive.id))?.status).toBe("running");
    expect((await getRun(ended.id))?.status).toBe("finished");
    // Where it is known otherwise that nobody trains, a clock that was set back does not matter.
    await put("runs", { ...alive, updatedAt: Date.now() + 3_600_000 });
    expect((await markInterrupted(0)).map((r) => r.id)).toEqual([alive.id]);
  });

  it("beat with every curve point and sample", async () => {
    const { run } = await fullHand("A");
    const old = { ...(await getRun(run.id)), updatedAt: 5 };
    await put("runs", old);
    await appendMetrics(run.id, [point(run.id, 7)]);
    expect((await getRun(run.id))?.updatedAt).toBeGreaterThan(5);
    await put("runs", old);
    await addSample({ runId: run.id, step: 8, prompt: "p", text: "t" });
    expect((await getRun(run.id))?.updatedAt).toBeGreaterThan(5);
  });
});

describe("adapters", () => {
  it("are stored whole, listed without files, reported on, renamed, deleted", async () => {
    const { hand, run, adapter } = await fullHand("A");
    expect((await getRun(run.id))?.adapterId).toBe(adapter.id);
    expect(await listAdapters(hand.id)).toEqual([adapter]);
    expect("file" in adapter).toBe(false);
    expect(adapter.fileBytes).toBe(100);
    await saveReport(adapter.id, { base: score, tuned: { ...score, loss: 2 } });
    await renameAdapter(adapter.id, "Second");
    const stored = await getAdapter(adapter.id);
    expect(stored).toMatchObject({ name: "Second", report: { tuned: { loss: 2 } } });
    expect(stored?.file).toEqual(newAdapter("").file);
    expect(stored && "fileBytes" in stored).toBe(false);
    // Another state of it has not been measured yet.
    await replaceAdapterFile(adapter.id, new Uint8Array(5));
    expect(await getAdapter(adapter.id)).toEqual({ ...stored, report: undefined, file: new Uint8Array(5) });
    const imported = await saveAdapter(newAdapter(hand.id, 7));
    await deleteAdapter(adapter.id);
    expect((await listAdapters(hand.id)).map((a) => a.id)).toEqual([imported.id]);
    expect(await getAdapter(adapter.id)).toBeNull();
    expect((await getRun(run.id))?.adapterId).toBeUndefined();
    expect(await counts()).toMatchObject({ adapters: 1, adapterFiles: 1 });
  });
});

describe("damaged records", () => {
  it("give a plain error with the record's name, and can still be deleted", async () => {
    const { hand, run, adapter } = await fullHand("A");
    await put("documents", { id: "d", handId: hand.id, order: 7, name: "x", text: 5, words: 1, addedAt: 1 });
    await put("runs", { ...run, config: { ...run.config, lora: null } });
    await put("metrics", { runId: run.id, kind: "train", step: 99, loss: "low" });
    await put("samples", { runId: run.id, step: 99 });
    await put("adapterFiles", { adapterId: adapter.id, file: new Uint8Array(99) });
    expect(await code(listDocuments(hand.id))).toBe("store/damaged");
    expect(await code(getRun(run.id))).toBe("store/damaged");
    expect(await code(listRuns(hand.id))).toBe("store/damaged");
    expect(await code(listMetrics(run.id))).toBe("store/damaged");
    expect(await code(listSamples(run.id))).toBe("store/damaged");
    expect(await code(getAdapter(adapter.id))).toBe("store/damaged");
    // A list passes them over where somebody is told.
    const told: string[] = [];
    const tell = (error: DuctusError): void => void told.push(error.code);
    expect((await listDocuments(hand.id, tell)).map((d) => d.id)).not.toContain("d");
    expect(await listRuns(hand.id, tell)).toEqual([]);
    expect(await listAdapters(hand.id, tell)).toHaveLength(1);
    expect(told).toEqual(["store/damaged", "store/damaged"]);
    await put("adapterFiles", { adapterId: adapter.id });
    expect(await code(getAdapter(adapter.id))).toBe("store/damaged");
    await put("adapters", { ...adapter, report: {} });
    expect(await code(listAdapters(hand.id))).toBe("store/damaged");
    await put("hands", { ...hand, source: "elsewhere" });
    expect(await listHands(tell)).toEqual([]);
    expect(told).toHaveLength(3);
    const error: unknown = await listHands().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "store/damaged", details: expect.stringContaining(hand.id) as string });
    await transact(["settings"], "readwrite", (tx) => tx.objectStore("settings").put(42, "currentHandId"));
    expect(await getSetting("currentHandId")).toBeNull();
    await deleteHand(hand.id);
    expect(await counts()).toMatchObject({ hands: 0, documents: 0, runs: 0, metrics: 0, samples: 0, adapters: 0, adapterFiles: 0 });
  });
});

describe("changes", () => {
  it("are heard by those who listen, after the writing, and only known ones", async () => {
    const heard: Change[] = [];
    const stop = subscribe((change) => heard.push(change));
    const { id } = await createHand({ name: "A", source: "own" });
    await addDocuments(id, [{ name: "a", text: "b", words: 1 }]);
    const stranger = new BroadcastChannel("ductus-store");
    stranger.postMessage({ kind: "unknown" });
    stranger.postMessage("text");
    stranger.postMessage({ kind: "runs", handId: 5 });
    await expect.poll(() => heard).toEqual([{ kind: "hands", handId: id }, { kind: "documents", handId: id }, { kind: "runs" }]);
    stranger.close();
    stop();
    announce({ kind: "everything" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toHaveLength(3);
  });

  it("are not announced when nothing was stored", async () => {
    const heard: Change[] = [];
    const stop = subscribe((change) => heard.push(change));
    expect(await code(addDocuments("gone", [{ name: "a", text: "b", words: 1 }]))).toBe("store/missing");
    await setSetting("currentHandId", "x");
    await expect.poll(() => heard).toEqual([{ kind: "settings" }]);
    stop();
  });
});
