import "fake-indexeddb/auto";
import { afterEach, describe, expect, it } from "vitest";
import { deleteAdapter, listAdapters, replaceAdapterFile } from "./adapters";
import { deleteEverything, deleteHand } from "./hands";
import { getMeasurement, measuredAmong, saveMeasurement } from "./measurements";
import { code, counts, fullHand, put, score } from "./testing/records";

afterEach(deleteEverything);

describe("measurements", () => {
  it("are kept one an adapter, the report with its adapter", async () => {
    const { hand, adapter } = await fullHand("A");
    await saveMeasurement({ handId: hand.id, adapterId: adapter.id, content: { scores: [1] } }, { base: score, tuned: { ...score, loss: 2 } });
    expect(await getMeasurement(adapter.id)).toMatchObject({ handId: hand.id, content: { scores: [1] } });
    expect(await counts()).toMatchObject({ measurements: 1 });
    expect((await listAdapters(hand.id))[0]).toMatchObject({ name: adapter.name, report: { tuned: { loss: 2 } } });
    await saveMeasurement({ handId: hand.id, adapterId: adapter.id, content: {} });
    expect((await listAdapters(hand.id))[0]).toMatchObject({ report: { tuned: { loss: 2 } } });
    expect(await measuredAmong(["other", adapter.id])).toEqual([adapter.id]);
  });

  it("go with another state of the adapter, with the adapter, and with the hand", async () => {
    const { hand, adapter } = await fullHand("A");
    const other = await fullHand("B");
    await replaceAdapterFile(adapter.id, new Uint8Array(5));
    expect(await getMeasurement(adapter.id)).toBeNull();
    await saveMeasurement({ handId: hand.id, adapterId: adapter.id, content: {} });
    await deleteAdapter(adapter.id);
    expect(await getMeasurement(adapter.id)).toBeNull();
    expect(await code(saveMeasurement({ handId: hand.id, adapterId: adapter.id, content: {} }))).toBe("store/missing");
    expect(await getMeasurement(other.adapter.id)).not.toBeNull();
    await deleteHand(other.hand.id);
    expect(await counts()).toMatchObject({ measurements: 0 });
  });

  it("that are damaged are told of", async () => {
    await put("measurements", { adapterId: "a" });
    expect(await code(getMeasurement("a"))).toBe("store/damaged");
    expect(await getMeasurement("a", () => undefined)).toBeNull();
  });
});
