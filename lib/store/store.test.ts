import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import type { DuctusError } from "../core/errors";
import { getAdapter, listAdapters } from "./adapters";
import { announce, type Change, subscribe } from "./changes";
import { closeDatabase, DATABASE_NAME, transact } from "./db";
import { addDocuments, listDocuments } from "./documents";
import { createHand, deleteHand, getSetting, listHands, setSetting } from "./hands";
import { getRun, listMetrics, listRuns, listSamples } from "./runs";
import { code, counts, fullHand, put } from "./testing/records";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
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
    expect(await listMetrics(run.id, tell)).toHaveLength(3);
    expect(await listSamples(run.id, tell)).toHaveLength(1);
    expect(told.splice(2)).toEqual(["store/damaged", "store/damaged"]);
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
