import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdapterInfo } from "../../lib/store/adapters";
import { getAdapter, listAdapters } from "../../lib/store/adapters";
import { closeDatabase, DATABASE_NAME } from "../../lib/store/db";
import { keepState } from "../../lib/store/kept";
import { addSample, getRun, renameRun, updateRun } from "../../lib/store/runs";
import { fullHand } from "../../lib/store/testing/records";
import type { Hand, Run } from "../../lib/store/types";

let shown: { adapters: AdapterInfo[] } = { adapters: [] };
const cleared: string[] = [];
vi.mock("./workspace", () => ({ workspace: { get: () => shown }, refresh: () => Promise.resolve() }));
vi.mock("./models", () => ({ models: { get: () => ({ stored: [] }) } }));
vi.mock("./run", () => ({ run: { get: () => ({ live: { runId: "live" } }) }, clearRun: () => cleared.push("cleared") }));
const { adapterOfState, keepAsAdapter, namesOf, remove, rename, runFile } = await import("./run-records");

let hand: Hand, run: Run;
beforeEach(async () => {
  const full = await fullHand("A hand with a name");
  hand = full.hand;
  run = (await getRun(full.run.id))!;
  shown = { adapters: [full.adapter] };
});
afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

describe("another state", () => {
  it("becomes an adapter of its own, and is known again", async () => {
    await keepState(run.id, { step: 12, tokens: 9, loss: 2, file: Uint8Array.of(7, 8) });
    expect(adapterOfState(run, 12, await listAdapters(hand.id))).toBeUndefined();
    await keepAsAdapter(hand, run, 12);
    const made = adapterOfState(run, 12, await listAdapters(hand.id))!;
    expect(made).toMatchObject({ name: "A hand with a name, step 12", runId: run.id, modelSha256: run.modelSha256 });
    expect((await getAdapter(made.id))!.file).toEqual(Uint8Array.of(7, 8));
    expect((await getRun(run.id))!.adapterId).toBe(run.adapterId);
    expect(adapterOfState(run, 2, await listAdapters(hand.id))).toBeUndefined();
    await expect(keepAsAdapter(hand, run, 99)).rejects.toMatchObject({ code: "store/missing" });
  });

  it("keeps its step in the longest name", async () => {
    await keepState(run.id, { step: 12, tokens: 9, loss: 2, file: Uint8Array.of(7) });
    await keepAsAdapter({ ...hand, name: "x".repeat(80) }, run, 12);
    expect((await listAdapters(hand.id)).map(({ name }) => name)).toContain(`${"x".repeat(71)}, step 12`);
  });
});

describe("a run", () => {
  it("is renamed, and named by what it is again", async () => {
    await rename(run, " Second  look ");
    expect((await getRun(run.id))!.name).toBe("Second look");
    await rename(run, " ");
    expect(await getRun(run.id)).not.toHaveProperty("name");
    expect(namesOf([run, { ...run, name: "Mine" }], Date.now())[1]).toBe("Mine");
  });

  it("is deleted once it is over", async () => {
    await expect(remove(run)).rejects.toMatchObject({ code: "app/busy" });
    await updateRun(run.id, { status: "finished" });
    await remove(run);
    expect(await getRun(run.id)).toBeNull();
  });

  it("is saved as data, with no writing unless that is asked for", async () => {
    await addSample({ runId: run.id, step: 3, prompt: "A passage of mine", text: "t" });
    await renameRun(run.id, "For Ann");
    const named = (await getRun(run.id))!;
    const text = async (form: "json" | "csv", withWriting: boolean) => new TextDecoder().decode(await runFile(named, "For Ann", form, withWriting));
    const bare = await text("json", false);
    expect(bare).not.toMatch(/A passage of mine|For Ann/);
    expect(JSON.parse(bare)).toMatchObject({ format: "ductus-run", versions: { ductus: expect.stringMatching(/^\d+\./) as string } });
    expect(await text("json", true)).toMatch(/A passage of mine/);
    expect((await text("csv", false)).split("\r\n")).toHaveLength(1 + 3 + 1);
  });
});
