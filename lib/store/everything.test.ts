import "fake-indexeddb/auto";
import { afterEach, describe, expect, it } from "vitest";
import { unzipSync, zipSync } from "fflate";
import { getAdapter, listAdapters } from "./adapters";
import { listCheckpoints } from "./checkpoints";
import { openDatabase, STORE_NAMES, transact } from "./db";
import { exportEverything, takeEverything } from "./everything";
import { deleteEverything, listHands, setSetting } from "./hands";
import { appendMetrics, listRuns, updateRun } from "./runs";
import { code, counts, fullHand, point, put } from "./testing/records";

afterEach(deleteEverything);

const never = new AbortController().signal;

async function exported(damaged: unknown[] = []): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of exportEverything((error) => damaged.push(error))) pieces.push(piece);
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
  return whole;
}

/** All records of all stores, in a form that can be compared. */
const everything = () => transact(STORE_NAMES, "readonly", async (tx) => Object.fromEntries(await Promise.all(STORE_NAMES.map(async (name) => [name, await tx.objectStore(name).getAll()] as const))));

describe("everything as one file", () => {
  it("comes back as it was, on another device", async () => {
    const { run } = await fullHand("a");
    const other = await fullHand("b");
    await updateRun(other.run.id, { status: "stopped" });
    await appendMetrics(run.id, [{ ...point(run.id, 3), loss: NaN, gradNorm: -Infinity }]);
    await updateRun(run.id, { status: "interrupted" });
    const before = await everything();
    const file = await exported();
    await deleteEverything();
    const { added, kept } = await takeEverything(file, never);
    expect([added.length, kept.length]).toEqual([2, 0]);
    expect(await everything()).toEqual({ ...before, models: [], settings: [] });
    expect(before["metrics"]?.some((metric) => Number.isNaN((metric as { loss: number }).loss))).toBe(true);
  });

  it("leaves what is here as it is", async () => {
    const { hand } = await fullHand("a");
    const file = await exported();
    await deleteEverything();
    await takeEverything(file, never);
    await put("hands", { ...hand, name: "renamed since" });
    const { added, kept } = await takeEverything(file, never);
    expect([added.length, kept.map(({ id }) => id)]).toEqual([0, [hand.id]]);
    expect((await listHands())[0]?.name).toBe("renamed since");
    expect((await counts())["documents"]).toBe(2);
  });

  it("a run that was going on is one that was cut off", async () => {
    const { hand, run } = await fullHand("a");
    await updateRun(run.id, { status: "running" });
    const file = await exported();
    await deleteEverything();
    await takeEverything(file, never);
    expect((await listRuns(hand.id))[0]?.status).toBe("interrupted");
    expect((await listCheckpoints(run.id)).length).toBe(1);
  });

  it("leaves out what is damaged, and says so", async () => {
    const { hand } = await fullHand("a");
    await put("documents", { id: "x", handId: hand.id, order: 9 });
    const adapter = (await listAdapters(hand.id))[0]!;
    await put("adapterFiles", { adapterId: adapter.id, file: Uint8Array.of(1) });
    const damaged: unknown[] = [];
    const file = await exported(damaged);
    expect(damaged.length).toBe(2);
    expect(Object.keys(unzipSync(file)).some((path) => path.endsWith(adapter.id))).toBe(false);
  });

  it("an adapter without its file costs no other hand", async () => {
    const { hand } = await fullHand("a");
    const adapter = (await listAdapters(hand.id))[0]!;
    await put("adapterFiles", { adapterId: adapter.id, file: Uint8Array.of(1) });
    const file = await exported([]);
    await deleteEverything();
    await takeEverything(file, never);
    expect((await listHands()).length).toBe(1);
    expect((await listAdapters(hand.id)).length).toBe(0);
  });

  it("keeps nothing of a hand whose records are wrong", async () => {
    const { hand, adapter } = await fullHand("a");
    const entries = unzipSync(await exported());
    await deleteEverything();
    await setSetting("currentHandId", null);
    const spoil = (path: string, change: (text: string) => string) => zipSync({ ...entries, [path]: new TextEncoder().encode(change(new TextDecoder().decode(entries[path]))) });
    const folder = `hands/${hand.id}/`;
    const spoiled = [
      spoil(`${folder}documents.jsonl`, (text) => text.replace(hand.id, "0".repeat(32))),
      spoil(`${folder}metrics.jsonl`, (text) => text.replace(/"runId":"\w+"/, '"runId":"other"')),
      spoil(`${folder}runs.jsonl`, (text) => text.replace('"status"', '"stat"')),
      spoil(`${folder}adapters/${adapter.id}`, (text) => text.slice(1)),
      spoil("ductus.json", (text) => text.replace("ductus-everything", "else")),
      spoil("ductus.json", (text) => text.replace('"version":1', '"version":2')),
      spoil(`${folder}hand.json`, (text) => text.slice(5)),
      zipSync(entries).slice(0, -30),
      new Uint8Array(0),
    ];
    for (const file of spoiled) expect(await code(takeEverything(file, never))).toBe("store/archive");
    expect(Object.values(await counts()).every((n) => n === 0)).toBe(true);
    expect(await getAdapter(adapter.id)).toBeNull();
    await takeEverything(zipSync(entries), never); // and unspoiled it is taken
    expect((await listHands()).length).toBe(1);
    await openDatabase();
  });
});
