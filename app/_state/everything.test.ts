import { beforeEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../../lib/core/errors";
import type { Opened, SavedEverything } from "../../workers/keeper-protocol";

const log: string[] = [];
const note = (what: string) => () => void log.push(what);
let runActive = false, adding = false, lockFree = true;
let save: (onProgress: (bytes: number) => void) => Promise<SavedEverything | null>;
let open: (file: Blob, onProgress: (done: number, total: number) => void) => Promise<Opened | null>;

vi.mock("../_engine/keeper", () => ({
  saveEverything: (onProgress: (bytes: number) => void) => save(onProgress),
  openEverything: (file: Blob, onProgress: (done: number, total: number) => void) => open(file, onProgress),
  stopKeeper: () => (log.push("stop"), Promise.resolve()),
}));
vi.mock("../_engine/models", () => ({ closeModels: note("close models") }));
vi.mock("../_engine/trainer", () => ({ closeTrainer: note("close trainer") }));
vi.mock("../_engine/writer", () => ({ closeWriter: note("close writer") }));
vi.mock("../_engine/run-lock", () => ({ ifNoRun: async (work: () => Promise<void>) => (lockFree && (await work()), lockFree) }));
vi.mock("../../lib/store/wipe", () => ({ wipe: () => (log.push("wipe"), Promise.resolve()) }));
vi.mock("./intake", () => ({ clearIntake: note("clear intake") }));
vi.mock("./models", () => ({ models: { get: () => ({ incoming: adding ? { state: "adding" } : null }) } }));
vi.mock("./persist", () => ({ askToKeep: note("ask to keep") }));
vi.mock("./run", () => ({ run: { get: () => ({ live: runActive ? {} : null }) }, isActive: (live: unknown) => live !== null, clearRun: note("clear run") }));
vi.mock("./workspace", () => ({ refresh: () => (log.push("refresh"), Promise.resolve()) }));

const { everything, forgetEverything, openAll, saveAll, savedBytes, savedName, stopAll } = await import("./everything");

const hand = { id: "h", name: "h", source: "own" as const, createdAt: 1, seed: 1 };
const saved: SavedEverything = { file: new Blob(["12345"]), hands: 2, leftOut: [] };
const opened: Opened = { added: [hand], kept: [], needed: [] };

beforeEach(() => {
  log.length = 0;
  runActive = adding = false;
  lockFree = true;
  everything.set({ going: null, ended: null, fault: null });
});

describe("saving everything", () => {
  it("gives the file under the day's name, and follows how far it is", async () => {
    const seen: unknown[] = [];
    save = (onProgress) => {
      onProgress(3);
      seen.push(everything.get().going);
      return Promise.resolve(saved);
    };
    const given: string[] = [];
    await saveAll((file, name) => given.push(`${name} ${file.size}`), 9);
    expect(seen).toEqual([{ what: "saving", bytes: 3, expected: 9, stopping: false }]);
    expect(given).toEqual([`${savedName(new Date())} 5`]);
    expect(everything.get()).toMatchObject({ going: null, ended: { what: "saved", bytes: 5, hands: 2 }, fault: null });
    expect(savedName(new Date(2026, 0, 9))).toBe("ductus-2026-01-09.zip");
    expect(savedBytes({ writing: 1, runs: 2, adapters: 4, checkpoints: 8, models: 16, site: 32 })).toBe(15);
  });

  it("is done one at a time, can be stopped, and tells what went wrong", async () => {
    let end: (result: null) => void = () => undefined;
    save = () => new Promise((resolve) => (end = resolve));
    const going = saveAll(() => log.push("given"), null);
    await openAll(new File([], "x.zip"));
    expect(everything.get().going?.what).toBe("saving");
    stopAll();
    expect(everything.get().going?.stopping).toBe(true);
    end(null);
    await going;
    expect(everything.get().ended).toEqual({ what: "stopped", of: "saving" });
    save = () => Promise.reject(new DuctusError("store/missing", "Something was deleted.", "Save everything again."));
    await saveAll(() => log.push("given"), null);
    expect(everything.get()).toMatchObject({ going: null, ended: null, fault: { of: "saving", error: { code: "store/missing" } } });
    expect(log).not.toContain("given");
  });
});

describe("opening a file of everything", () => {
  it("says which hands came, and reads the workspace anew", async () => {
    open = (_, onProgress) => {
      onProgress(1, 3);
      expect(everything.get().going).toMatchObject({ done: 1, total: 3 });
      return Promise.resolve(opened);
    };
    await openAll(new File([], "backup.zip"));
    expect(everything.get().ended).toMatchObject({ what: "opened", name: "backup.zip", added: [hand] });
    expect(log).toEqual(["ask to keep", "refresh"]);
  });

  it("asks the browser for nothing where nothing came", async () => {
    open = () => Promise.resolve({ ...opened, added: [] });
    await openAll(new File([], "backup.zip"));
    expect(log).toEqual(["refresh"]);
  });
});

describe("deleting everything", () => {
  it("ends what holds it in memory, then wipes, then shows nothing of it", async () => {
    await forgetEverything();
    expect(log).toEqual(["close writer", "close trainer", "close models", "wipe", "clear run", "clear intake", "refresh"]);
  });

  it.each([["a run here", () => (runActive = true)], ["a run in another tab", () => (lockFree = false)], ["a model on its way", () => (adding = true)], ["something being saved", () => everything.set((e) => ({ ...e, going: { what: "saving", bytes: 0, expected: null, stopping: false } }))]])("is refused during %s", async (_, begin) => {
    begin();
    await expect(forgetEverything()).rejects.toMatchObject({ code: "app/busy" });
    expect(log).toEqual([]);
  });
});
