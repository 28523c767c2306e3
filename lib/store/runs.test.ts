import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import { deleteCheckpoints, listCheckpoints, saveCheckpoint } from "./checkpoints";
import { closeDatabase, DATABASE_NAME } from "./db";
import { createHand, deleteHand } from "./hands";
import { keepState, listKept } from "./kept";
import { getAdapter } from "./adapters";
import { addSample, appendMetrics, createRun, deleteRun, getRun, listMetrics, listRuns, listSamples, markInterrupted, updateRun } from "./runs";
import { code, counts, fullHand, newRun, point, put } from "./testing/records";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
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
    await deleteHand(a.hand.id);
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

describe("a run that is deleted", () => {
  it("goes with all that is its own, and leaves the adapters and the other runs", async () => {
    const { run, adapter } = await fullHand("A");
    const other = await fullHand("B");
    await saveCheckpoint(run.id, 3, Uint8Array.of(1));
    await keepState(run.id, { step: 3, tokens: 5, loss: 2, file: Uint8Array.of(1) });
    const before = await counts();
    await deleteRun(run.id);
    expect(await getRun(run.id)).toBeNull();
    expect([await listMetrics(run.id), await listSamples(run.id), await listCheckpoints(run.id), await listKept(run.id)]).toEqual([[], [], [], []]);
    expect((await getAdapter(adapter.id))?.runId).toBe(run.id);
    expect(await getRun(other.run.id)).not.toBeNull();
    const after = await counts();
    expect(after["metrics"]).toBeGreaterThan(0);
    expect(after["metrics"]).toBeLessThan(before["metrics"]!);
    expect(after["adapterFiles"]).toBe(before["adapterFiles"]);
    await deleteRun(run.id); // as where another tab was quicker
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
    const next = await createRun(newRun(id)); // begun anew
    await put("runs", { ...(await getRun(next.id)), createdAt: run.createdAt + 1 });
    await saveCheckpoint(next.id, 3, Uint8Array.of(4));
    await deleteCheckpoints(run.id);
    expect(await getRun(next.id)).toMatchObject({ checkpointStep: 3 });
    expect(await listCheckpoints(next.id)).toHaveLength(1);
    await saveCheckpoint(run.id, 7, Uint8Array.of(4));
    await deleteCheckpoints(next.id);
    expect((await counts())["checkpoints"]).toBe(0);
    expect(await getRun(run.id)).not.toHaveProperty("checkpointStep");
    await saveCheckpoint(run.id, 7, Uint8Array.of(4));
    await deleteHand(id);
    expect((await counts())["checkpoints"]).toBe(0);
    expect(await code(saveCheckpoint(run.id, 8, Uint8Array.of(5)))).toBe("store/missing"); // leaves nothing behind
    expect((await counts())["checkpoints"]).toBe(0);
  });
});
