import { describe, expect, it } from "vitest";
import { endOf, endUnder, merged, pathTo, type Placed, placed, plainText, titleOf, versionsOf } from "./thread";

const you = (id: string, after: string | null, text = id, form: Placed["form"] = "chat"): Placed => ({ id, after, role: "user", form, text });
const model = (id: string, after: string, text = id): Placed => ({ id, after, role: "assistant", voice: "tuned", text });
const ids = (turns: readonly Placed[]): string => turns.map(({ id }) => id).join(" ");

/** Two answers to the first message, a message edited once, and what followed each. */
const THREAD = [you("u1", null), model("a1", "u1"), you("u2", "a1"), model("a2", "u2"), model("a1b", "u1"), you("u3", "a1b"), you("u2b", "a1"), model("a2b", "u2b")];

describe("a thread", () => {
  it("is read from the beginning to a turn, along one version of each", () => {
    expect(ids(pathTo(THREAD, "a2b"))).toBe("u1 a1 u2b a2b");
    expect(ids(pathTo(THREAD, "u3"))).toBe("u1 a1b u3");
    expect(pathTo(THREAD, null)).toEqual([]);
    expect(pathTo(THREAD, "gone")).toEqual([]);
  });

  it("ends at the newest of what follows", () => {
    expect(endUnder(THREAD, "a1")).toBe("a2b");
    expect(endUnder(THREAD, "u2")).toBe("a2");
    expect(endUnder(THREAD, "a1b")).toBe("u3");
    expect(endUnder(THREAD, "a2")).toBe("a2");
    expect(endOf(THREAD, "u2")).toBe("a2");
    expect(endOf(THREAD, "gone")).toBe("a2b");
    expect(endOf(THREAD, undefined)).toBe("a2b");
    expect(endOf([], undefined)).toBeNull();
  });

  it("has versions of a turn beside it, of its own role, oldest first", () => {
    expect(ids(versionsOf(THREAD, THREAD[4]!))).toBe("a1 a1b");
    expect(ids(versionsOf(THREAD, THREAD[2]!))).toBe("u2 u2b");
    expect(ids(versionsOf(THREAD, THREAD[0]!))).toBe("u1");
    // What goes on from an answer is no version of what is said to it.
    const on = [...THREAD, model("on", "a1")];
    expect(ids(versionsOf(on, on.at(-1)!))).toBe("on");
    expect(ids(versionsOf([you("a", null), you("b", null)], you("b", null)))).toBe("a b");
  });

  it("of an earlier version follows itself as it was listed", () => {
    const turns = placed([{ role: "user", text: "hello" }, { role: "assistant", text: "hi" }, { role: "user", text: "so" }, { id: "x", after: "#0", role: "user", text: "new" }]);
    expect(turns.map(({ id, after }) => [id, after])).toEqual([["#0", null], ["#1", "#0"], ["#2", "#1"], ["x", "#0"]]);
    expect(placed(turns)).toEqual(turns);
  });

  it("comes to an end even where it is damaged", () => {
    const ring = [you("a", "b"), model("b", "a")];
    expect(pathTo(ring, "a").length).toBe(2);
    expect(["a", "b"]).toContain(endUnder(ring, "a"));
  });

  it("takes in what another tab has stored, and keeps what it has not", () => {
    const ours = [you("u1", null), model("a1", "u1"), you("mine", "a1")];
    const stored = [you("u1", null), model("a1", "u1"), you("theirs", "a1")];
    expect(ids(merged(ours, stored))).toBe("u1 a1 theirs mine");
    expect(ids(merged([], stored))).toBe("u1 a1 theirs");
  });
});

describe("words for a thread", () => {
  it("a title is the first line of what was asked first", () => {
    expect(titleOf([])).toBe("New conversation");
    expect(titleOf([you("u", null, "\n  Good   morning\nHow are you?")])).toBe("Good morning");
    expect(titleOf([you("u", null, "Bread, Oven", "keywords")])).toBe("From the words bread, oven");
    const long = titleOf([you("u", null, "I went down to the gate this morning and there was nobody about, not even the dog")]);
    expect(long).toBe("I went down to the gate this morning and there was nobody…");
    expect([...titleOf([you("u", null, "字".repeat(90))])].length).toBe(60);
  });

  it("plain text names who speaks, both voices where both did, and what is unfinished", () => {
    const answer: Placed = { ...model("a", "u", "Well, it was."), beside: { voice: "base", text: "Yes", unfinished: true } };
    expect(plainText([you("u", null, "Was it?\nTell me."), answer])).toBe("You: Was it?\nTell me.\n\nTaught: Well, it was.\n\nAs it came: Yes […]");
  });
});
