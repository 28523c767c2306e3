import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import { deleteAdapter, getAdapter, listAdapters, renameAdapter, replaceAdapterFile, saveAdapter, saveReport } from "./adapters";
import { closeDatabase, DATABASE_NAME } from "./db";
import { getRun } from "./runs";
import { counts, fullHand, newAdapter, score } from "./testing/records";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
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

  it("of another state of a run stand beside the one that it came to", async () => {
    const { hand, run, adapter } = await fullHand("A");
    const other = await saveAdapter({ ...newAdapter(hand.id, 9), runId: run.id }, false);
    expect((await getRun(run.id))?.adapterId).toBe(adapter.id);
    expect(await getAdapter(other.id)).toMatchObject({ runId: run.id });
    await deleteAdapter(other.id);
    expect((await getRun(run.id))?.adapterId).toBe(adapter.id);
  });
});
