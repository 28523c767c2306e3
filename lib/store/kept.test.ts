import "fake-indexeddb/auto";
import { deleteDB, openDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import type { DuctusError } from "../core/errors";
import { deleteCheckpoints, listCheckpoints, saveCheckpoint } from "./checkpoints";
import { closeDatabase, DATABASE_NAME, MIGRATIONS } from "./db";
import { createHand, deleteHand } from "./hands";
import { deleteKept, dropKeptAfter, keepState, keptFile, listKept } from "./kept";
import { createRun, getRun, listMetrics, listRuns, renameRun } from "./runs";
import { code, counts, newRun, put } from "./testing/records";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

async function freshRun(name = "A") {
  const hand = await createHand({ name, source: "own" });
  return { hand, run: await createRun(newRun(hand.id)) };
}
const state = (step: number, loss: number | null, bytes = 8) => ({ step, loss, tokens: 100 * step, file: new Uint8Array(bytes).fill(step) });
const steps = async (runId: string) => (await listKept(runId)).map(({ step }) => step);

describe("kept states", () => {
  it("stay by the policy, with their files, beside the checkpoints to go on from", async () => {
    const { run } = await freshRun();
    await saveCheckpoint(run.id, 1, Uint8Array.of(1));
    for (const [step, loss] of [[0, 5], [10, 3], [20, 3.5], [30, 3.6], [40, 3.7]] as const) await keepState(run.id, state(step, loss), { maxCount: 3, maxBytes: 1e6 });
    expect(await steps(run.id)).toEqual([0, 10, 40]);
    expect(await keptFile(run.id, 10)).toEqual(new Uint8Array(8).fill(10));
    expect(await keptFile(run.id, 20)).toBeNull();
    expect(await counts()).toMatchObject({ keptStates: 3, keptFiles: 3 });
    expect((await listKept(run.id))[1]).toMatchObject({ runId: run.id, step: 10, loss: 3, tokens: 1000, fileBytes: 8 });
    expect(await listCheckpoints(run.id)).toHaveLength(1);
    await deleteCheckpoints(run.id); // the run has come to its end
    expect(await steps(run.id)).toEqual([0, 10, 40]);
  });

  it("are bounded in bytes, replaced by step, and hold what is looked at", async () => {
    const { run } = await freshRun();
    for (const step of [0, 10, 20]) await keepState(run.id, state(step, 5 - step / 10, 100), { maxCount: 9, maxBytes: 250 }, [0]);
    expect(await steps(run.id)).toEqual([0, 20]);
    await keepState(run.id, state(20, 9, 50), { maxCount: 9, maxBytes: 250 });
    expect((await listKept(run.id)).map(({ step, loss, fileBytes }) => [step, loss, fileBytes])).toEqual([[0, 5, 100], [20, 9, 50]]);
    expect((await keptFile(run.id, 20))?.length).toBe(50);
    const kept = await keepState(run.id, state(30, 9, 500), { maxCount: 9, maxBytes: 250 }); // too large itself
    expect(kept.map(({ step }) => step)).toEqual(await steps(run.id));
    expect(await steps(run.id)).not.toContain(30);
  });

  it("go with their hand, with what a run went back behind, and when told", async () => {
    const { hand, run } = await freshRun();
    const other = await freshRun("B");
    for (const { run: { id } } of [{ run }, other]) for (const step of [0, 10, 20]) await keepState(id, state(step, 1));
    await dropKeptAfter(run.id, 10);
    expect(await steps(run.id)).toEqual([0, 10]);
    await deleteHand(hand.id);
    expect(await counts()).toMatchObject({ keptStates: 3, keptFiles: 3 });
    await deleteKept(other.run.id);
    expect(await counts()).toMatchObject({ keptStates: 0, keptFiles: 0 });
    expect(await code(keepState(run.id, state(1, 1)))).toBe("store/missing");
    expect(await counts()).toMatchObject({ keptStates: 0, keptFiles: 0 });
  });

  it("that are damaged are told of, and let go by the next", async () => {
    const { run } = await freshRun();
    await keepState(run.id, state(10, 3));
    await put("keptStates", { runId: run.id, step: 5, loss: "low" });
    await put("keptFiles", { runId: run.id, step: 10, file: new Uint8Array(3) });
    expect(await code(keptFile(run.id, 10))).toBe("store/damaged");
    expect(await code(listKept(run.id))).toBe("store/damaged");
    const told: DuctusError[] = [];
    expect(await listKept(run.id, (error) => told.push(error))).toHaveLength(1);
    expect(told).toHaveLength(1);
    await keepState(run.id, state(20, 2));
    expect(await steps(run.id)).toEqual([10, 20]);
  });
});

describe("runs of earlier versions", () => {
  it("are read after the migration, without name, writing or start, and can be named", async () => {
    const { hand, run } = await freshRun();
    const point = { runId: run.id, kind: "heldout", step: 1, loss: 3, tokens: 5, atMs: 1 };
    await closeDatabase();
    await deleteDB(DATABASE_NAME);
    const version = MIGRATIONS.length - 1;
    const old = await openDB(DATABASE_NAME, version, { upgrade: (database) => MIGRATIONS.slice(0, version).forEach((migrate) => migrate(database as never)) });
    for (const [store, value] of [["hands", hand], ["runs", run], ["metrics", point]] as const) await old.put(store, value);
    old.close();
    expect(await listRuns(hand.id)).toEqual([run]);
    expect(await listMetrics(run.id)).toEqual([point]);
    await keepState(run.id, state(1, 3));
    expect(await steps(run.id)).toEqual([1]);
    const silent = { ...run, updatedAt: 5 };
    await put("runs", silent);
    expect(await renameRun(run.id, "  With  the letters ")).toEqual({ ...silent, name: "With the letters" });
    expect(await code(renameRun(run.id, " "))).toBe("store/name");
    await renameRun(run.id, null);
    expect(await getRun(run.id)).toEqual(silent);
    expect(await code(renameRun("nobody", "x"))).toBe("store/missing");
  });
});
