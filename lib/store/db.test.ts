import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { deleteDB, openDB } from "idb";
import { DuctusError, serializeError } from "../core/errors";
import { closeDatabase, DATABASE_NAME, MIGRATIONS, newId, openDatabase, STORE_NAMES, storeError, transact } from "./db";

async function fault(promise: Promise<unknown>): Promise<DuctusError> {
  const error: unknown = await promise.then(() => "nothing", (e: unknown) => e);
  if (error instanceof DuctusError) return error;
  throw new Error(`expected a DuctusError, got ${JSON.stringify(serializeError(error))}`);
}

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

describe("openDatabase", () => {
  it("makes every store of the schema, once", async () => {
    const database = await openDatabase();
    expect(database.version).toBe(MIGRATIONS.length);
    expect([...database.objectStoreNames].sort()).toEqual([...STORE_NAMES].sort());
    expect(await openDatabase()).toBe(database);
  });

  it("keeps what is there when it is opened again", async () => {
    await transact(["settings"], "readwrite", (tx) => tx.objectStore("settings").put("x", "k"));
    await closeDatabase();
    expect(await transact(["settings"], "readonly", (tx) => tx.objectStore("settings").get("k"))).toBe("x");
  });

  it("takes over what every earlier version has stored", async () => {
    for (let version = 1; version < MIGRATIONS.length; version++) {
      const old = await openDB(DATABASE_NAME, version, { upgrade: (database) => MIGRATIONS.slice(0, version).forEach((migrate) => migrate(database as never)) });
      await old.put("hands", { id: "a", name: `of version ${version}` });
      old.close();
      const database = await openDatabase();
      expect([...database.objectStoreNames].sort()).toEqual([...STORE_NAMES].sort());
      expect(await database.getAll("hands")).toEqual([{ id: "a", name: `of version ${version}` }]);
      await closeDatabase();
      await deleteDB(DATABASE_NAME);
    }
  });

  it("says so when a newer version has been here", async () => {
    (await openDB(DATABASE_NAME, MIGRATIONS.length + 1)).close();
    const error = await fault(openDatabase());
    expect(error.code).toBe("store/outdated");
    expect(error.next).toMatch(/[Rr]eload/);
  });

  it("lets a newer version in another tab through and refuses from then on", async () => {
    await openDatabase();
    const newer = await openDB(DATABASE_NAME, MIGRATIONS.length + 1); // would wait for ever if we did not let go
    expect((await fault(transact(["hands"], "readonly", (tx) => tx.objectStore("hands").getAll()))).code).toBe("store/outdated");
    newer.close();
  });

  it("says so when a tab with an older version does not let go, and opens once it does", async () => {
    const old = await openDB(DATABASE_NAME, MIGRATIONS.length); // listens to no request to close
    const steps = MIGRATIONS as unknown[];
    steps.push(() => undefined);
    try {
      const error = await fault(openDatabase());
      expect(error.code).toBe("store/blocked");
      expect(error.next).toMatch(/[Cc]lose the other/);
      old.close();
      expect((await openDatabase()).version).toBe(steps.length);
    } finally {
      steps.pop();
    }
  });

  it("opens again when the browser has closed the connection", async () => {
    (await openDatabase()).close();
    expect(await transact(["hands"], "readonly", (tx) => tx.objectStore("hands").getAll())).toEqual([]);
  });

  it("says so where there is no storage", async () => {
    vi.stubGlobal("indexedDB", undefined);
    expect((await fault(openDatabase())).code).toBe("store/unavailable");
    vi.unstubAllGlobals();
    expect((await openDatabase()).version).toBe(MIGRATIONS.length); // and is not stuck
  });
});

describe("transact", () => {
  it("stores all or nothing", async () => {
    const broken = transact(["settings"], "readwrite", async (tx) => {
      await tx.objectStore("settings").put(1, "a");
      throw new DuctusError("data/too-little", "stop");
    });
    expect((await fault(broken)).code).toBe("data/too-little");
    expect(await transact(["settings"], "readonly", (tx) => tx.objectStore("settings").getAllKeys())).toEqual([]);
  });

  it("rolls back and speaks plainly when there is no room", async () => {
    const full = transact(["settings"], "readwrite", async (tx) => {
      await tx.objectStore("settings").put(1, "a");
      throw new DOMException("no room", "QuotaExceededError");
    });
    const error = await fault(full);
    expect(error.code).toBe("store/full");
    expect(error.message).toMatch(/no room/);
    expect(error.next).toMatch(/delete/);
    expect(await transact(["settings"], "readonly", (tx) => tx.objectStore("settings").getAllKeys())).toEqual([]);
  });

  it("gives every other fault a plain form", () => {
    expect(storeError(new DOMException("x", "UnknownError"))).toMatchObject({ code: "store/failed", details: "UnknownError: x" });
    expect(storeError(new DOMException("x", "SecurityError")).code).toBe("store/unavailable");
    const own = new DuctusError("store/missing", "m");
    expect(storeError(own)).toBe(own);
  });
});

it("newId gives 32 hexadecimal digits, never the same", () => {
  const ids = Array.from({ length: 1000 }, newId);
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
