import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { setSetting } from "./hands";
import { code, counts, fullHand, model, put } from "./testing/records";
import { wipe } from "./wipe";

afterEach(() => vi.unstubAllGlobals());

function fakeBrowser(): { names: Set<string>; files: Set<string>; stuck: boolean } {
  const browser = { names: new Set(["ductus-models", "ductus-site-4", "not-ours"]), files: new Set(["models", "left-over"]), stuck: false };
  vi.stubGlobal("caches", { keys: () => Promise.resolve([...browser.names]), delete: (name: string) => Promise.resolve(browser.names.delete(name)) });
  const top = {
    keys: async function* () {
      yield* [...browser.files];
    },
    removeEntry: (name: string, { recursive }: { recursive: boolean }) => {
      if (browser.stuck || !recursive) return Promise.reject(new DOMException("in use", "NoModificationAllowedError"));
      browser.files.delete(name);
      return Promise.resolve();
    },
  };
  vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve(top) } });
  return browser;
}

const left = async (): Promise<number> => Object.values(await counts()).reduce((a, b) => a + b);

describe("deleting all that is kept", () => {
  it("empties the database, the files and our caches", async () => {
    const browser = fakeBrowser();
    await fullHand("a");
    await put("models", model("a"));
    await setSetting("device", "wasm");
    expect(await left()).toBeGreaterThan(8);
    await wipe();
    expect(await left()).toBe(0);
    expect([[...browser.names], [...browser.files]]).toEqual([["not-ours"], []]);
  });

  it("tells what is in use, and leaves the lists as they are", async () => {
    const browser = fakeBrowser();
    browser.stuck = true;
    await fullHand("a");
    const before = await left();
    expect(await code(wipe())).toMatch(/^store\//);
    expect(await left()).toBe(before);
    browser.stuck = false;
    await wipe();
  });

  it("needs neither files nor caches to be there", async () => {
    await fullHand("a");
    vi.stubGlobal("caches", undefined);
    await wipe();
    vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.reject(new DOMException("no", "SecurityError")) } });
    vi.stubGlobal("caches", { keys: () => Promise.reject(new DOMException("no", "SecurityError")) });
    await wipe();
    expect(await left()).toBe(0);
  });
});
