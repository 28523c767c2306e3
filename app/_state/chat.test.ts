import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../../lib/core/errors";
import { addTurns, type createConversation, deleteConversation, getConversation, listConversations } from "../../lib/store/conversations";
import { closeDatabase, DATABASE_NAME } from "../../lib/store/db";
import { createHand, deleteEverything } from "../../lib/store/hands";
import type { Hand } from "../../lib/store/types";
import type { WriteEvent, WriteRequest } from "../../workers/protocol";
import { createStore } from "./store";

interface Call {
  request: WriteRequest;
  tell: (event: WriteEvent) => void;
  end: () => void;
  fail: (error: unknown) => void;
}
const calls: Call[] = [];
let stops = 0;
let large = false;
let full = false;

vi.mock("../_engine/writer", () => ({
  write: (request: WriteRequest, tell: Call["tell"]) => new Promise<void>((end, fail) => calls.push({ request, tell, end, fail })),
  stopWriting: () => Promise.resolve(void stops++),
}));
const workspace = createStore<{ hand: Hand | null; adapters: { id: string; modelSha256: string }[] }>({ hand: null, adapters: [] });
vi.mock("./workspace", () => ({ workspace }));
vi.mock("./run", () => ({ isActive: (live: unknown) => live !== null, run: { get: () => ({ live: large ? { large: true } : null }) } }));
vi.mock("../../lib/store/models", () => ({ getModel: (sha256: string) => Promise.resolve(sha256 === "large" ? {} : null) }));
vi.mock("../../lib/store/conversations", async (original) => {
  const real = await original<{ createConversation: typeof createConversation; addTurns: typeof addTurns }>();
  const unlessFull = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => (...args: A): Promise<R> => (full ? Promise.reject(new DuctusError("store/full", "no room")) : work(...args));
  return { ...real, createConversation: unlessFull(real.createConversation), addTurns: unlessFull(real.addTurns) };
});

const { chat, keep } = await import("./chat");
const { answer, revise, say, speakerOf, stopAnswer } = await import("./answering");
const { keepAfterAll, openChat, remove, show, startNew, turnTo } = await import("./conversations");
const { setChatSettings } = await import("./chat-settings");
const { pathTo, versionsOf } = await import("./thread");

const ADAPTERS = [{ id: "first", modelSha256: "small" }, { id: "second", modelSha256: "small" }];
const path = () => pathTo(chat.get().open.thread, chat.get().open.showing);
const texts = (): string[] => path().map(({ text }) => text);
const call = (): Call => calls.at(-1)!;
const done = (text: string, row = 0, more: Partial<Extract<WriteEvent, { type: "done" }>> = {}): WriteEvent => ({ type: "done", row, text, tokens: 3, stop: "end", forgotten: 0, ...more });
const asked = () => expect.poll(() => chat.get().live === null ? 0 : calls.length).toBeGreaterThan(0);

/** What is asked is answered at once. */
async function answered(asking: Promise<void>, ...said: string[]): Promise<void> {
  await asked();
  said.forEach((text, row) => call().tell(done(text, row)));
  call().end();
  await asking;
  calls.length = 0;
}

let handId = "";
beforeEach(async () => {
  await deleteEverything();
  calls.length = stops = 0;
  large = full = false;
  setChatSettings({ who: "tuned", seed: 100 });
  const hand = await createHand({ name: "A", source: "own" });
  handId = hand.id;
  openChat();
  workspace.set({ hand, adapters: ADAPTERS });
  await expect.poll(() => chat.get().list).toEqual([]);
});
afterAll(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

describe("an answer", () => {
  it("streams, and is stored when it has ended, after what it answers", async () => {
    const asking = say("chat", " hello ");
    await asked();
    // The person's own words need not wait for it.
    await expect.poll(async () => (await listConversations(handId))[0]?.turns.map(({ text }) => text)).toEqual(["hello"]);
    expect(call().request).toMatchObject({ handId, adapterId: "second", rows: [{ voice: "tuned", seed: 100, ask: { form: "chat", messages: [{ role: "user", content: "hello" }] } }], sampling: { maxNewTokens: 120 } });
    call().tell({ type: "loading", done: 1, total: 2 });
    expect(chat.get().live).toMatchObject({ loading: { done: 1 }, rows: [{ text: "" }] });
    call().tell({ type: "text", row: 0, text: "he", tokens: 1 });
    expect(chat.get().live).toMatchObject({ loading: null, rows: [{ text: "he", stop: null }] });
    call().end(); // the last words may come after
    call().tell(done("hello yourself", 0, { stop: "length", forgotten: 2 }));
    await asking;
    expect(chat.get().live).toBeNull();
    await keep();
    const [stored] = await listConversations(handId);
    expect(stored).toMatchObject({ adapterId: "second", turns: [{ text: "hello", form: "chat" }, { text: "hello yourself", voice: "tuned", unfinished: true, stop: "length", forgotten: 2, adapterId: "second", seed: 100 }] });
    expect(stored!.turns[1]!.after).toBe(stored!.turns[0]!.id);
    expect(chat.get().open).toMatchObject({ id: stored!.id, showing: stored!.turns[1]!.id });
  });

  it("is by both voices side by side, from one seed, and each goes on from its own", async () => {
    setChatSettings({ who: "both" });
    await answered(say("chat", "one"), "BASE", "TUNED");
    expect(path()[1]).toMatchObject({ text: "BASE", voice: "base", beside: { text: "TUNED", voice: "tuned" } });
    const asking = say("chat", "two");
    await asked();
    const [base, tuned] = call().request.rows;
    expect([base!.seed, base!.ask]).toEqual([tuned!.seed, { form: "chat", messages: [{ role: "user", content: "one" }, { role: "assistant", content: "BASE" }, { role: "user", content: "two" }] }]);
    expect(tuned!.ask).toMatchObject({ messages: [{}, { content: "TUNED" }, {}] });
    await answered(asking, "B", "T");
  });

  it("is written again from another seed, beside those before", async () => {
    await answered(say("chat", "one"), "first");
    await answered(say("chat", "two"), "more");
    const one = path()[0]!;
    const asking = answer(one.id);
    await asked();
    expect(call().request.rows).toMatchObject([{ seed: 101, ask: { messages: [{ content: "one" }] } }]);
    expect(texts()).toEqual(["one"]);
    await answered(asking, "second");
    expect(texts()).toEqual(["one", "second"]);
    const versions = versionsOf(chat.get().open.thread, path()[1]!);
    expect(versions.map(({ text }) => text)).toEqual(["first", "second"]);
    turnTo(versions[0]!); // with what followed it
    expect(texts()).toEqual(["one", "first", "two", "more"]);
    await keep();
    expect((await listConversations(handId))[0]!.showing).toBe(path().at(-1)!.id);
  });

  it("may be asked for with other words; those before and what followed stay", async () => {
    await answered(say("keywords", "bread, oven"), "first");
    const before = path()[0]!;
    await answered(revise(before, "salt"), "other");
    expect(texts()).toEqual(["salt", "other"]);
    expect(path()[0]).toMatchObject({ form: "keywords", after: null });
    turnTo(before);
    expect(texts()).toEqual(["bread, oven", "first"]);
  });

  it("goes on with a text that goes on", async () => {
    await answered(say("continue", "It rained."), "All day.");
    const asking = answer(path()[1]!.id);
    await asked();
    expect(call().request.rows[0]!.ask).toEqual({ form: "continue", passage: "It rained. All day." });
    await answered(asking, "And the next.");
    expect(texts()).toEqual(["It rained.", "All day.", "And the next."]);
  });

  it("by the model as it came needs no adapter", async () => {
    workspace.set((w) => ({ ...w, adapters: [] }));
    const asking = say("chat", "hello");
    await asked();
    expect(call().request).toMatchObject({ adapterId: null, rows: [{ voice: "base" }] });
    await answered(asking, "hi");
    expect("adapterId" in path()[1]!).toBe(false);
  });

  it("is one at a time, and none is asked for without words", async () => {
    const asking = say("chat", "one");
    await asked();
    await say("chat", "two");
    await revise(path()[0]!, "three");
    turnTo(path()[0]!);
    expect([calls.length, texts()]).toEqual([1, ["one"]]);
    await answered(asking, "1");
    await say("chat", " \n ");
    await say("keywords", ",");
    expect([calls.length, texts()]).toEqual([0, ["one", "1"]]);
  });
});

describe("an answer that breaks off", () => {
  it("stays as far as it has come when it is stopped, with its last words", async () => {
    const asking = say("chat", "one");
    await asked();
    call().tell({ type: "text", row: 0, text: "It was", tokens: 2 });
    stopAnswer();
    stopAnswer();
    expect([stops, chat.get().live?.stopping]).toEqual([1, true]);
    call().tell(done("It was the", 0, { stop: "stopped" }));
    call().end();
    await asking;
    expect(path()[1]).toMatchObject({ text: "It was the", unfinished: true, stop: "stopped" });
  });

  it("is none when it is stopped before its first word, and what comes late is not heard", async () => {
    const asking = say("chat", "one");
    await asked();
    stopAnswer();
    expect(chat.get().live).toBeNull();
    const late = call();
    const again = answer(path()[0]!.id);
    await asked();
    late.tell(done("late"));
    late.end();
    await asking;
    expect(chat.get().live).toMatchObject({ rows: [{ text: "" }] });
    await answered(again, "");
    expect(path()[1]).toMatchObject({ text: "" }); // it ended by itself
    const third = answer(path()[0]!.id);
    await asked();
    expect(texts()).toEqual(["one"]);
    stopAnswer();
    call().end();
    await third;
    expect(texts()).toEqual(["one", ""]); // the answer before is there again
  });

  it("stays when the writer dies, and the fault is told", async () => {
    const asking = say("chat", "one");
    await asked();
    call().tell({ type: "text", row: 0, text: "It was", tokens: 2 });
    call().fail(new DuctusError("app/worker-died", "dead"));
    await asking;
    expect(path()[1]).toMatchObject({ text: "It was", unfinished: true, stop: "stopped" });
    expect(chat.get()).toMatchObject({ live: null, fault: { after: path()[0]!.id, error: { code: "app/worker-died" } } });
    await answered(answer(path()[0]!.id), "better");
    expect(chat.get().fault).toBeNull();
  });

  it("is not begun where a large model that is being taught leaves no room", async () => {
    large = true;
    workspace.set((w) => ({ ...w, adapters: [{ id: "big", modelSha256: "large" }] }));
    await say("chat", "one");
    expect([calls.length, chat.get().fault?.error.code, texts()]).toEqual([0, "app/busy", ["one"]]);
    await answered(answer(path()[0]!.id, true), "by the embedded one");
    workspace.set((w) => ({ ...w, hand: { ...w.hand!, model: { id: "large", name: "L" } } }));
    await answer(path()[0]!.id, true);
    expect(chat.get().fault?.error.code).toBe("app/busy");
  });

  it("is stopped and kept when another conversation is opened", async () => {
    const asking = say("chat", "one");
    await asked();
    call().tell({ type: "text", row: 0, text: "It was", tokens: 2 });
    const { id } = chat.get().open;
    await startNew();
    expect([stops, texts()]).toEqual([1, []]);
    expect((await getConversation(id))!.turns).toMatchObject([{ text: "one" }, { text: "It was", stop: "stopped" }]);
    call().end();
    await asking;
    expect(texts()).toEqual([]);
  });
});

describe("conversations", () => {
  it("are gone back to where they were left", async () => {
    await answered(say("chat", "one"), "1");
    await answered(answer(path()[0]!.id), "1b");
    turnTo(versionsOf(chat.get().open.thread, path()[1]!)[0]!);
    const first = chat.get().open.id;
    await startNew();
    await answered(say("chat", "other"), "o");
    await expect.poll(() => chat.get().list?.length).toBe(2);
    await show(first);
    expect(texts()).toEqual(["one", "1"]);
    await answered(say("chat", "two"), "2");
    await keep();
    expect((await getConversation(first))!.turns.map(({ text }) => text)).toEqual(["one", "1", "1b", "two", "2"]);
    await remove(first);
    expect([texts(), await getConversation(first)]).toEqual([[], null]);
    await expect.poll(() => chat.get().list?.length).toBe(1);
  });

  it("follow another tab: its turns are shown, its deletions told and can be undone", async () => {
    await answered(say("chat", "one"), "1");
    await keep();
    const { id, showing } = chat.get().open;
    await addTurns(id, [{ id: "theirs", after: showing, role: "user", form: "chat", text: "from there" }]);
    await expect.poll(texts).toEqual(["one", "1", "from there"]);
    await deleteConversation(handId, id);
    await expect.poll(() => chat.get().open.gone).toBe(true);
    await answered(say("chat", "more"), "2");
    await keep();
    expect(await getConversation(id)).toBeNull();
    await keepAfterAll();
    expect((await getConversation(id))!.turns.map(({ text }) => text)).toEqual(["one", "1", "from there", "more", "2"]);
  });

  it("are not left while they cannot be stored", async () => {
    full = true;
    await answered(say("chat", "one"), "1");
    await keep();
    expect(chat.get().unkept?.code).toBe("store/full");
    await startNew();
    expect(texts()).toEqual(["one", "1"]);
    full = false;
    await keep();
    expect(chat.get().unkept).toBeNull();
    expect((await listConversations(handId))[0]!.turns).toHaveLength(2);
    await startNew();
    expect(texts()).toEqual([]);
  });

  it("belong to a hand: the latest is open when it comes back", async () => {
    await answered(say("chat", "one"), "1");
    await keep();
    const { hand } = workspace.get();
    workspace.set((w) => ({ ...w, hand: null }));
    expect(texts()).toEqual([]);
    workspace.set((w) => ({ ...w, hand }));
    await expect.poll(texts).toEqual(["one", "1"]);
  });
});

describe("whom is asked", () => {
  it("is as chosen, as on show, as begun, or the latest; one that is gone is told of", () => {
    const adapters = ADAPTERS as never as Parameters<typeof speakerOf>[2];
    const thread = [{ id: "u", after: null, role: "user", text: "x" }, { id: "a", after: "u", role: "assistant", text: "y", adapterId: "first" }] as const;
    const who = (...args: Parameters<typeof speakerOf>): unknown[] => [speakerOf(...args).adapter?.id, speakerOf(...args).gone];
    expect(who("second", { thread, showing: "a", adapterId: null }, adapters)).toEqual(["second", false]);
    expect(who(null, { thread, showing: "a", adapterId: "second" }, adapters)).toEqual(["first", false]);
    expect(who(null, { thread, showing: "u", adapterId: "first" }, adapters)).toEqual(["first", false]);
    expect(who(null, { thread: [], showing: null, adapterId: null }, adapters)).toEqual(["second", false]);
    expect(who(null, { thread, showing: "a", adapterId: null }, adapters.slice(1))).toEqual(["second", true]);
    expect(who(null, { thread, showing: "a", adapterId: null }, [])).toEqual([undefined, true]);
  });
});
