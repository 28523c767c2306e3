import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HeldOutPassage } from "../../lib/data/held-out-passages";
import { currentCard, judgements, type BlindState } from "../../lib/eval/blind";
import { isDraft } from "../../lib/eval/blind-draft";
import { createHand, deleteEverything } from "../../lib/store/hands";
import { listJudgings, saveJudging } from "../../lib/store/judgings";
import type { WriteEvent, WriteRequest } from "../../workers/protocol";
import { beginJudging, endJudging, goOnWriting, judge, judgeNow, judging, openJudgingOf, removeJudging, showJudging, showJudgings, stopPairs, takeBack } from "./judging";

const writer = vi.hoisted(() => ({ write: vi.fn<(request: WriteRequest, onEvent: (event: WriteEvent) => void) => Promise<void>>(), stopWriting: vi.fn(() => Promise.resolve()) }));
vi.mock("../_engine/writer", () => writer);

const passages = Array.from({ length: 5 }, (_, i): HeldOutPassage => ({ documentId: "d", text: `passage ${i}`, next: "next", keyWords: [] }));
let handId: string;

/** Says which voice, passage and seed a text is of. */
const writes = async ({ rows }: WriteRequest, onEvent: (event: WriteEvent) => void, stop: "end" | "stopped" = "end"): Promise<void> =>
  rows.forEach(({ voice, ask, seed }, row) => onEvent({ type: "done", row, text: stop === "end" ? `${voice} ${ask.form === "continue" ? ask.passage : ""} ${seed}` : "", tokens: 3, stop, forgotten: 0 }));

beforeEach(async () => {
  handId = (await createHand({ name: "Ann", source: "own" })).id;
  writer.write.mockImplementation((request, onEvent) => writes(request, onEvent));
  judging.set(judging.initial);
  await showJudgings(handId, "a");
});
afterEach(deleteEverything);

const open = () => openJudgingOf(judging.get())!;
const blind = (): BlindState => {
  const { state } = open();
  if (isDraft(state)) throw new Error("still a draft");
  return state;
};
/** What the store has, once all that was to be stored is. */
const kept = async (): Promise<unknown> => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return (await listJudgings(handId))[0]?.state;
};

describe("a blind judging", () => {
  it("writes its pairs in batches, from other passages and seeds, and stores every choice", async () => {
    await beginJudging(handId, "a", passages, 7, 3);
    expect(writer.write.mock.calls.map(([{ rows }]) => rows.length)).toEqual([8, 6]);
    const asked = writer.write.mock.calls.flatMap(([{ rows }]) => rows.filter(({ voice }) => voice === "tuned").map(({ ask, seed }) => `${ask.form === "continue" ? ask.passage : ""} ${seed}`));
    expect(new Set(asked).size).toBe(7);
    expect(blind().cards).toHaveLength(7);
    expect(judging.get().writing).toBeNull();
    judge("left");
    judge("right");
    judge("cannot tell");
    takeBack();
    expect(blind().choices).toEqual(["left", "right"]);
    expect(await kept()).toEqual(blind());
    endJudging();
    judge("left"); // nothing more
    expect(await kept()).toEqual(blind());
    const made = judgements(blind());
    expect(made).toHaveLength(2);
    for (const { left, card } of made) expect(blind().cards[card - 1]!.left.startsWith(left)).toBe(true);
  });

  it("is found again where it was left", async () => {
    await beginJudging(handId, "a", passages, 4, 3);
    judge("right");
    const before = await kept();
    judging.set(judging.initial);
    await showJudgings(handId, "other");
    expect(judging.get().list).toEqual([]);
    await showJudgings(handId, "a");
    expect(open().state).toEqual(before);
    expect(currentCard(blind())).toEqual(blind().cards[1]);
  });

  it("keeps the pairs of before a stop, to be judged or written to the end", async () => {
    writer.write.mockImplementationOnce((request, onEvent) => writes(request, onEvent)).mockImplementationOnce(async (request, onEvent) => {
      stopPairs();
      await writes(request, onEvent, "stopped");
    });
    await beginJudging(handId, "a", passages, 12, 3);
    expect(writer.stopWriting).toHaveBeenCalled();
    const draft = open();
    expect(draft.state).toMatchObject({ wanted: 12, pairs: [{ id: "1" }, { id: "2" }, { id: "3" }, { id: "4" }] });
    expect(await kept()).toEqual(draft.state);
    await goOnWriting(draft, passages);
    expect(blind().cards).toHaveLength(12);
    expect(new Set(blind().pairIds).size).toBe(12);
    await judgeNow(draft);
    expect(blind().cards).toHaveLength(4);
  });

  it("tells of a fault, and keeps what is written", async () => {
    writer.write.mockImplementationOnce((request, onEvent) => writes(request, onEvent)).mockRejectedValueOnce(new Error("lost"));
    await beginJudging(handId, "a", passages, 8, 3);
    expect(judging.get()).toMatchObject({ writing: null, error: { code: "app/unexpected" } });
    expect(await kept()).toMatchObject({ pairs: [{}, {}, {}, {}] });
  });

  it("passes over what is damaged, and says so; goes when it is deleted", async () => {
    await saveJudging({ handId, adapterId: "a", state: { choices: [] } });
    await showJudgings(handId, "a");
    expect(judging.get()).toMatchObject({ list: [], error: { code: "data/damaged-judging" } });
    await beginJudging(handId, "a", passages, 4, 3);
    await removeJudging(open());
    expect(openJudgingOf(judging.get())).toBeNull();
    expect(await listJudgings(handId)).toHaveLength(1);
    showJudging("gone");
    expect(openJudgingOf(judging.get())).toBeNull();
  });
});
