import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_SEED } from "../data/split";
import { getAdapter, saveAdapter, saveReport } from "./adapters";
import { closeDatabase, DATABASE_NAME, STORE_NAMES } from "./db";
import { addDocuments, listDocuments, removeDocument } from "./documents";
import { createHand, deleteEverything, deleteHand, getHand, getSetting, listHands, MAX_NAME_LENGTH, renameHand, setSetting } from "./hands";
import { saveModel } from "./models";
import { addSample, appendMetrics, createRun, listMetrics, updateRun } from "./runs";
import { code, counts, fullHand, model, newAdapter, newRun, point, score } from "./testing/records";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

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
