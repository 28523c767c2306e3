import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { deleteEverything } from "./hands";
import { fullHand, model, put } from "./testing/records";
import { sizeOf, storageUsage, USAGE_KINDS } from "./usage";

afterEach(async () => {
  vi.unstubAllGlobals();
  await deleteEverything();
});

const never = new AbortController().signal;

/** Caches by name, with answers by address. */
function fakeCaches(all: Record<string, Record<string, Response>>): void {
  vi.stubGlobal("caches", {
    keys: () => Promise.resolve(Object.keys(all)),
    open: (name: string) => Promise.resolve({ keys: () => Promise.resolve(Object.keys(all[name]!)), match: (address: string) => Promise.resolve(all[name]![address]?.clone()) }),
  });
}

describe("what is stored, by kind", () => {
  it("is nothing where there is nothing", async () => {
    expect(await storageUsage(never)).toEqual(Object.fromEntries(USAGE_KINDS.map((kind) => [kind, 0])));
  });

  it("counts every record of every store once, however many there are", async () => {
    const { hand, run } = await fullHand("a");
    const before = await storageUsage(never);
    expect(before.adapters).toBeGreaterThan(100);
    expect(before.checkpoints).toBeGreaterThan(0);
    const text = "Zoë’s façade";
    for (let i = 0; i < 450; i++) await put("documents", { id: `d${i}`, handId: hand.id, order: 10 + i, text });
    await put("checkpoints", { runId: run.id, step: 7, file: new Uint8Array(5000) });
    await put("adapterFiles", { adapterId: "x", file: new Uint8Array(300) });
    await put("models", model("a"));
    const after = await storageUsage(never);
    const bytesOfDocument = (i: number) => sizeOf({ id: `d${i}`, handId: hand.id, order: 10 + i, text });
    expect(after.writing - before.writing).toBe(Array.from({ length: 450 }, (_, i) => bytesOfDocument(i)).reduce((a, b) => a + b));
    expect(after.checkpoints - before.checkpoints).toBe(sizeOf({ runId: run.id, step: 7, file: new Uint8Array(5000) }));
    expect(after.adapters - before.adapters).toBe(301);
    expect(after.models - before.models).toBe(model("a").fileBytes + sizeOf(model("a")));
    expect(after.runs).toBe(before.runs);
  });

  it("counts the caches, by what the answers say or by what they hold", async () => {
    fakeCaches({
      "ductus-models": { "/models/a": new Response("12345") },
      "ductus-site-3": { "/": new Response("12", { headers: { "content-length": "2" } }), "/b": new Response("unpacked", { headers: { "content-length": "3", "content-encoding": "gzip" } }) },
      "another site's": { "/x": new Response("1") },
    });
    expect(await storageUsage(never)).toMatchObject({ models: 5, site: 10 });
  });

  it("ends when it is told to", async () => {
    await expect(storageUsage(AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  });

  it("texts are as long as their UTF-8", () => {
    expect([sizeOf("Zoë’s"), sizeOf(new Uint8Array(9)), sizeOf([1, 2]), sizeOf({ a: "b", c: { d: 1 } }), sizeOf(null), sizeOf(true), sizeOf(undefined)]).toEqual([8, 9, 16, 9, 1, 1, 1]);
  });
});
