import { beforeEach, describe, expect, it, vi } from "vitest";
import type { WriteEvent, WriteRequest } from "../../workers/protocol";
import { clearEarlier, leaveReading, reading, readOn, setDraft } from "./reading";

const writer = vi.hoisted(() => ({ write: vi.fn<(request: WriteRequest, onEvent: (event: WriteEvent) => void) => Promise<void>>(), stopWriting: vi.fn(() => Promise.resolve()) }));
vi.mock("../_engine/writer", () => writer);

const asked = (passage: string, handId = "h") => ({ handId, adapterId: "a", adapterName: "Ann", prompt: { form: "continue" as const, passage }, next: null, sampling: { temperature: 0.7, maxNewTokens: 10, seed: 4 } });

beforeEach(() => {
  reading.set(reading.initial);
  writer.stopWriting.mockClear();
  writer.write.mockReset().mockImplementation(async ({ rows }, onEvent) => {
    onEvent({ type: "loading", done: 1, total: 2 });
    onEvent({ type: "device", device: { kind: "wasm", threads: 2, reason: "" } });
    rows.forEach(({ voice }, row) => onEvent({ type: "text", row, text: voice, tokens: 1 }));
    rows.forEach(({ voice }, row) => onEvent({ type: "done", row, text: `${voice}, whole`, tokens: 2, stop: "end", forgotten: 0 }));
  });
});

describe("texts side by side", () => {
  it("are asked for with one seed, and kept one after another", async () => {
    await readOn(asked("one"));
    await readOn(asked("two"));
    expect(writer.write.mock.calls[0]![0].rows.map(({ voice, seed }) => [voice, seed])).toEqual([["base", 4], ["tuned", 4]]);
    const { entries, device } = reading.get();
    expect(entries.map(({ prompt, state, base, tuned }) => [prompt, state, base?.text, tuned?.text])).toEqual([
      [{ form: "continue", passage: "two" }, "done", "base, whole", "tuned, whole"],
      [{ form: "continue", passage: "one" }, "done", "base, whole", "tuned, whole"],
    ]);
    expect(device?.kind).toBe("wasm");
  });

  it("of which one failed are told of, until the next", async () => {
    writer.write.mockRejectedValueOnce(new Error("lost"));
    await readOn(asked("one"));
    expect(reading.get().entries).toMatchObject([{ state: "failed", error: { code: "app/unexpected" } }]);
    await readOn(asked("two"));
    expect(reading.get().entries).toMatchObject([{ state: "done" }]);
  });

  it("end when the page is left, and only what is being written", async () => {
    await readOn(asked("one"));
    leaveReading();
    expect(writer.stopWriting).not.toHaveBeenCalled();
    let end: () => void = () => undefined;
    writer.write.mockImplementationOnce(() => new Promise((resolve) => { end = resolve; }));
    const writing = readOn(asked("two"));
    leaveReading();
    expect(writer.stopWriting).toHaveBeenCalledOnce();
    end();
    await writing;
  });

  it("of before can be taken away, one hand's alone; a draft is kept", async () => {
    await readOn(asked("one"));
    await readOn(asked("other", "g"));
    await readOn(asked("two"));
    await readOn(asked("three"));
    clearEarlier("h");
    expect(reading.get().entries.map(({ prompt }) => (prompt.form === "continue" ? prompt.passage : ""))).toEqual(["three", "other"]);
    setDraft("h", { form: "own", at: 0, own: "lines", words: "" });
    expect(reading.get().draft).toMatchObject({ handId: "h", draft: { own: "lines" } });
  });
});
