import { describe, expect, it } from "vitest";
import { askFor, canAsk, firstSeen, keyWordsOf } from "./asking";
import type { Placed } from "./thread";

let last: string | null = null;
const next = (turn: Omit<Placed, "id" | "after">): Placed => {
  const placed = { ...turn, id: `${last ?? ""}+`, after: last };
  last = placed.id;
  return placed;
};
const you = (text: string, form: Placed["form"] = "chat"): Placed => next({ role: "user", form, text });
const answer = (text: string, more: Partial<Placed> = {}): Placed => next({ role: "assistant", voice: "tuned", text, ...more });
const both = (base: string, tuned: string): Placed => answer(base, { voice: "base", beside: { voice: "tuned", text: tuned } });
const chat = (...contents: string[]) => ({ form: "chat", messages: contents.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content })) });

describe("what a voice is asked", () => {
  it("is the talk as that voice has had it", () => {
    const path = [you("one"), both("BASE 1", "TUNED 1"), you("two"), answer("TUNED 2"), you("three")];
    expect(askFor(path, "base")).toEqual(chat("one", "BASE 1", "two", "TUNED 2", "three"));
    expect(askFor(path, "tuned")).toEqual(chat("one", "TUNED 1", "two", "TUNED 2", "three"));
  });

  it("joins what was left unanswered, and passes over what is empty", () => {
    expect(askFor([you("one"), you(" two ")], "tuned")).toEqual(chat("one\ntwo"));
    expect(askFor([you("one"), answer(""), you("two")], "tuned")).toEqual(chat("one\ntwo"));
    expect(askFor([you("one"), answer("said"), answer("and more"), you("two")], "tuned")).toEqual(chat("one", "said\nand more", "two"));
  });

  it("is without what was asked for in another form", () => {
    const path = [you("one"), answer("1"), you("It rained.", "continue"), answer("And rained."), you("bread", "keywords"), answer("Bread."), you("two")];
    expect(askFor(path, "tuned")).toEqual(chat("one", "1", "two"));
    expect(askFor(path.slice(0, 3), "tuned")).toEqual({ form: "continue", passage: "It rained." });
    expect(askFor(path.slice(0, 5), "tuned")).toEqual({ form: "keywords", words: ["bread"] });
  });

  it("goes on from what that voice has written itself", () => {
    const path = [you("It rained.", "continue"), both("For days.", "All night.\n"), both("Then not.", "We slept.")];
    expect(askFor(path, "tuned")).toEqual({ form: "continue", passage: "It rained. All night.\nWe slept." });
    expect(askFor(path, "base")).toEqual({ form: "continue", passage: "It rained. For days. Then not." });
  });

  it("reads talk of an earlier version, which knew no forms", () => {
    const first = you("one"), rest = [answer("1"), you("two")];
    const { form: _, ...formless } = first;
    expect(askFor([formless, ...rest], "tuned")).toEqual(chat("one", "1", "two"));
  });
});

describe("what the model no longer saw", () => {
  const path = (forgotten: number, beside = 0): Placed[] => {
    const [one, a1, aside, a2, two, a3, three] = [you("one"), answer("1"), you("Aside.", "continue"), answer("Beside."), you("two"), answer("2"), you("three")];
    const last = answer("3", { ...(forgotten > 0 ? { forgotten } : {}), beside: { voice: "base", text: "3", ...(beside > 0 ? { forgotten: beside } : {}) } });
    return [one, a1, aside, a2, two, a3, three, last];
  };
  const seen = (turns: Placed[]): string | null => firstSeen(turns)?.text ?? null;

  it("ends where the first message stands that it still saw", () => {
    expect(seen(path(0))).toBeNull();
    expect(seen(path(1))).toBe("1");
    expect(seen(path(2))).toBe("two");
    expect(seen(path(4))).toBe("three");
    expect(seen(path(2, 4))).toBe("three"); // by the voice that saw less
    expect(seen(path(4).slice(0, -1))).toBeNull(); // nothing has been answered
  });

  it("counts messages that several turns make as one", () => {
    expect(seen([you("one"), you("more"), answer("1"), you("two"), answer("2", { forgotten: 1 })])).toBe("1");
    expect(seen([you("one"), answer("1"), you("two"), you("more"), answer("2", { forgotten: 2 })])).toBe("two");
  });
});

describe("key words", () => {
  it("stand between commas, or between spaces", () => {
    expect(keyWordsOf(" Bread, night  shift;\nOVEN, bread,, ")).toEqual(["bread", "night shift", "oven"]);
    expect(keyWordsOf("bread Oven  night")).toEqual(["bread", "oven", "night"]);
    expect(keyWordsOf("a b c d e f g h i j")).toHaveLength(8);
    expect(keyWordsOf(" , ")).toEqual([]);
    expect([canAsk("keywords", " , "), canAsk("keywords", "a"), canAsk("chat", " \n"), canAsk("continue", "a")]).toEqual([false, true, false, true]);
  });
});
