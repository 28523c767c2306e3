import { beforeEach, expect, it, vi } from "vitest";

const went: string[] = [];
let busy = false, adding = false, saving = false, onLine = true;
vi.mock("./run", () => ({ run: { get: () => ({ live: busy ? {} : null }) }, isBusy: (live: unknown) => live !== null }));
vi.mock("./models", () => ({ models: { get: () => ({ incoming: adding ? { state: "adding" } : { state: "asking" } }) } }));
vi.mock("./everything", () => ({ everything: { get: () => ({ going: saving ? {} : null }) } }));

const memory = new Map<string, string>();
vi.stubGlobal("sessionStorage", { getItem: (key: string) => memory.get(key) ?? null, setItem: (key: string, value: string) => void memory.set(key, value), removeItem: (key: string) => void memory.delete(key) });
vi.stubGlobal("location", { assign: (to: string) => void went.push(to) });
vi.stubGlobal("navigator", { get onLine() { return onLine; } });

const { visitHub } = await import("./hub-visit");
const { takeWish } = await import("./hub-wish");

beforeEach(() => {
  went.length = 0;
  memory.clear();
  [busy, adding, saving, onLine] = [false, false, false, true];
});

it("leaves nothing that goes on, and says what it is", () => {
  const refusals: [spoil: () => void, code: string, words: RegExp][] = [
    [() => (busy = true), "app/busy", /training run/], [() => (adding = true), "app/busy", /being brought in/],
    [() => (saving = true), "app/busy", /saved or opened/], [() => (onLine = false), "model/offline", /no connection/],
  ];
  for (const [spoil, code, words] of refusals) {
    [busy, adding, saving, onLine] = [false, false, false, true];
    spoil();
    expect(() => visitHub("a/b")).toThrow(expect.objectContaining({ code, message: expect.stringMatching(words) as string }) as Error);
  }
  expect(went).toEqual([]);
  expect(takeWish()).toBeNull();
});

it("goes there by a load, with the wish in the tab's memory, told once", () => {
  visitHub("a/b");
  expect(went).toEqual(["/hub"]);
  expect(takeWish()).toBe("a/b");
  expect(takeWish()).toBeNull();
  visitHub("a/b");
  visitHub(null);
  expect(takeWish()).toBeNull();
});
