import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import { type Change, subscribe } from "./changes";
import { addTurns, createConversation, deleteConversation, getConversation, listConversations } from "./conversations";
import { closeDatabase, DATABASE_NAME } from "./db";
import { createHand, deleteHand } from "./hands";
import { code, put } from "./testing/records";
import type { Turn } from "./types";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

const turn = (id: string, after: string | null, text = id): Turn & { id: string } => ({ id, after, role: "user", text });

describe("conversations", () => {
  it("are kept whole, listed latest first, and deleted one by one", async () => {
    const { id: handId } = await createHand({ name: "A", source: "own" });
    const first = await createConversation(handId, null, [turn("1", null)], { id: "one", showing: "1" });
    await new Promise((resolve) => setTimeout(resolve, 2)); // another millisecond
    const second = await createConversation(handId, "adapter", []);
    expect(await listConversations(handId)).toEqual([second, first]);
    expect(first).toMatchObject({ id: "one", showing: "1" });
    expect("adapterId" in first).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 2));
    await addTurns("one", [turn("2", "1")], "2");
    expect((await listConversations(handId)).map(({ id }) => id)).toEqual(["one", second.id]);
    await deleteConversation(handId, "one");
    expect(await listConversations(handId)).toEqual([second]);
    expect(await getConversation("one")).toBeNull();
    expect(await code(addTurns("one", [turn("3", null)]))).toBe("store/missing");
    await deleteHand(handId);
    expect(await code(createConversation(handId, null, []))).toBe("store/missing");
  });

  it("take in what two tabs add, each turn once, and change none", async () => {
    const { id: handId } = await createHand({ name: "A", source: "own" });
    const { id, updatedAt } = await createConversation(handId, null, [turn("1", null)]);
    // Neither tab knows of the other's turn.
    await Promise.all([addTurns(id, [turn("1", null, "changed"), turn("2", "1")], "2"), addTurns(id, [turn("1", null), turn("3", "1")])]);
    const kept = (await getConversation(id))!;
    expect(kept.turns.map(({ id, text }) => [id, text]).sort()).toEqual([["1", "1"], ["2", "2"], ["3", "3"]]);
    expect(kept.showing).toBe("2");
    // Looking at another version is no change of what was said.
    const shown = await addTurns(id, [], "3");
    expect(shown).toEqual({ ...kept, showing: "3" });
    expect(shown.updatedAt).toBeGreaterThanOrEqual(updatedAt);
  });

  it("of an earlier version are read as they are, and damaged ones are told of", async () => {
    const { id: handId } = await createHand({ name: "A", source: "own" });
    const early = { id: "early", handId, createdAt: 1, updatedAt: 1, turns: [{ role: "user", text: "hello" }, { role: "assistant", text: "hi", voice: "tuned", unfinished: true }] };
    await put("conversations", early);
    await put("conversations", { ...early, id: "bad", turns: [{ role: "user", text: "x", seed: -1 }] });
    const told: string[] = [];
    expect(await listConversations(handId, (error) => told.push(error.code))).toEqual([early]);
    expect(told).toEqual(["store/damaged"]);
    expect(await code(getConversation("bad"))).toBe("store/damaged");
    expect((await addTurns("early", [turn("a", null)])).turns).toHaveLength(3);
  });

  it("are announced, once stored", async () => {
    const { id: handId } = await createHand({ name: "A", source: "own" });
    const heard: Change[] = [];
    const stop = subscribe((change) => heard.push(change));
    const { id } = await createConversation(handId, null, []);
    await addTurns(id, [turn("1", null)]);
    expect(await code(addTurns("gone", []))).toBe("store/missing");
    await deleteConversation(handId, id);
    await expect.poll(() => heard).toEqual(Array.from({ length: 3 }, () => ({ kind: "conversations", handId })));
    stop();
  });
});
