/**
 * The IndexedDB database: its schema as a list of migrations, its one connection
 * a context, and the translation of the browser's storage faults into plain
 * words. What the stores mean is in types.ts; reading and writing them is in the
 * file of each kind. Runs in pages and workers.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, type StoreNames } from "idb";
import { DuctusError } from "../core/errors";

export const DATABASE_NAME = "ductus";
/** How long an open waits for tabs with an older version to let go. */
const BLOCKED_TIMEOUT_MS = 5000;

/** Values are unknown: every read goes through schema.ts. */
export interface DuctusSchema extends DBSchema {
  hands: { key: string; value: unknown };
  /** Index byHand: [handId, order]. */
  documents: { key: string; value: unknown; indexes: { byHand: [string, number] } };
  /** Index byHand: [handId, createdAt]. */
  runs: { key: string; value: unknown; indexes: { byHand: [string, number] } };
  /** Key: [runId, kind, step]. */
  metrics: { key: [string, string, number]; value: unknown };
  /** Key: [runId, step]. */
  samples: { key: [string, number]; value: unknown };
  /** Without their files, so that a list stays light. Index byHand: [handId, createdAt]. */
  adapters: { key: string; value: unknown; indexes: { byHand: [string, number] } };
  adapterFiles: { key: string; value: unknown };
  /** What a run needs to go on exactly where it was; the last two of each run. Key: [runId, step]. */
  checkpoints: { key: [string, number]; value: unknown };
  /** States of a run to choose from, without their files. Key: [runId, step]. */
  keptStates: { key: [string, number]; value: unknown };
  /** Key: [runId, step]. */
  keptFiles: { key: [string, number]; value: unknown };
  /** What is known of the models that were brought in; their weights lie in the origin private file system (model-files.ts). */
  models: { key: string; value: unknown };
  /** Index byHand: [handId, updatedAt]. */
  conversations: { key: string; value: unknown; indexes: { byHand: [string, number] } };
  /** Blind comparisons. Index byHand: [handId, updatedAt]. */
  judgings: { key: string; value: unknown; indexes: { byHand: [string, number] } };
  /** What was measured of adapters, passage by passage. */
  measurements: { key: string; value: unknown };
  /** Keyed by the setting's name. */
  settings: { key: string; value: unknown };
}

export type StoreName = StoreNames<DuctusSchema>;
export const STORE_NAMES: readonly StoreName[] = ["hands", "documents", "runs", "metrics", "samples", "adapters", "adapterFiles", "checkpoints", "keptStates", "keptFiles", "models", "conversations", "judgings", "measurements", "settings"];

type Database = IDBPDatabase<DuctusSchema>;
export type Transaction<Mode extends "readonly" | "readwrite"> = IDBPTransaction<DuctusSchema, StoreName[], Mode>;

/** Step n brings version n to n + 1. Steps are only ever appended. */
export const MIGRATIONS: readonly ((database: Database) => void)[] = [
  (database) => {
    database.createObjectStore("hands", { keyPath: "id" });
    for (const [name, second] of [["documents", "order"], ["runs", "createdAt"], ["adapters", "createdAt"]] as const) {
      database.createObjectStore(name, { keyPath: "id" }).createIndex("byHand", ["handId", second]);
    }
    database.createObjectStore("metrics", { keyPath: ["runId", "kind", "step"] });
    database.createObjectStore("samples", { keyPath: ["runId", "step"] });
    database.createObjectStore("adapterFiles", { keyPath: "adapterId" });
    database.createObjectStore("settings");
  },
  (database) => {
    database.createObjectStore("checkpoints", { keyPath: ["runId", "step"] });
    database.createObjectStore("models", { keyPath: "id" });
  },
  (database) => {
    for (const name of ["conversations", "judgings"] as const) database.createObjectStore(name, { keyPath: "id" }).createIndex("byHand", ["handId", "updatedAt"]);
  },
  (database) => {
    for (const name of ["keptStates", "keptFiles"] as const) database.createObjectStore(name, { keyPath: ["runId", "step"] });
  },
  (database) => {
    database.createObjectStore("measurements", { keyPath: "adapterId" });
  },
];

let opening: Promise<Database> | null = null;
/** A newer version of the app, in another tab, has asked for the database. */
let outdated = false;

/** The context's connection, opened on first use. @throws DuctusError `store/…` */
export function openDatabase(): Promise<Database> {
  if (outdated) return Promise.reject(newerVersion());
  opening ??= open().catch((error: unknown) => {
    opening = null;
    throw error;
  });
  return opening;
}

async function open(): Promise<Database> {
  if (typeof indexedDB === "undefined") throw unavailable();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abandoned = false;
  let connection: Database | null = null;
  let giveUp: (error: DuctusError) => void = () => undefined;
  const blocked = new Promise<never>((_, reject) => (giveUp = reject));
  const opened = openDB<DuctusSchema>(DATABASE_NAME, MIGRATIONS.length, {
    upgrade(database, oldVersion) {
      for (const migrate of MIGRATIONS.slice(oldVersion)) migrate(database);
    },
    blocked() {
      timer ??= setTimeout(() => {
        giveUp(new DuctusError("store/blocked", "Another tab holds an older version of this app's storage open.", "Close the other Ductus tabs, then reload this one."));
      }, BLOCKED_TIMEOUT_MS);
    },
    blocking(_current, blockedVersion) {
      if (blockedVersion !== null) outdated = true;
      opening = null;
      connection?.close();
    },
    terminated() {
      opening = null;
    },
  });
  opened.then((database) => { if (abandoned) database.close(); }, () => undefined);
  try {
    const database = await Promise.race([opened, blocked]);
    connection = database;
    return database;
  } catch (error) {
    abandoned = true;
    throw storeError(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes the context's connection; the next use opens it again. */
export async function closeDatabase(): Promise<void> {
  const database = await opening?.catch(() => null);
  opening = null;
  outdated = false;
  database?.close();
}

/**
 * Runs `work` in one transaction: all of it is stored, or nothing. `work` may
 * await only requests of its transaction. Throwing in it rolls back.
 * @throws DuctusError `store/full`, `store/outdated`, `store/failed` and what `work` throws
 */
export async function transact<Mode extends "readonly" | "readwrite", T>(stores: readonly StoreName[], mode: Mode, work: (tx: Transaction<Mode>) => Promise<T>, durability: "strict" | "relaxed" = "relaxed"): Promise<T> {
  const tx = await begin(stores, mode, durability);
  tx.done.catch(() => undefined); // awaited below; must not count as unhandled when `work` throws first
  try {
    const result = await work(tx);
    await tx.done;
    return result;
  } catch (error) {
    try {
      tx.abort();
    } catch {
      // it has ended already
    }
    throw storeError(error instanceof DuctusError ? error : (tx.error ?? error));
  }
}

async function begin<Mode extends "readonly" | "readwrite">(stores: readonly StoreName[], mode: Mode, durability: "strict" | "relaxed"): Promise<Transaction<Mode>> {
  for (let attempt = 0; ; attempt++) {
    const database = await openDatabase();
    try {
      return database.transaction([...stores], mode, { durability });
    } catch (error) {
      // The browser may close a connection behind our back; open a new one, once.
      opening = null;
      if (attempt > 0 || errorName(error) !== "InvalidStateError") throw storeError(error);
    }
  }
}

function errorName(error: unknown): string {
  return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}

/** A fault of the browser's storage in plain words; a DuctusError stays as it is. */
export function storeError(error: unknown): DuctusError {
  if (error instanceof DuctusError) return error;
  switch (errorName(error)) {
    case "QuotaExceededError":
      return new DuctusError("store/full", "This browser has no room left for this site, so the last thing was not saved. What was saved before is safe.", "Free some disk space, or delete a hand or an adapter that you no longer need, then try again.", { cause: error });
    case "VersionError":
      return newerVersion(error);
    case "SecurityError":
    case "InvalidAccessError":
      return unavailable(error);
    default:
      return new DuctusError("store/failed", "This browser's storage did not answer, so the last thing was not saved. What was saved before is safe.", "Reload the page and try again.", { cause: error });
  }
}

function newerVersion(cause?: unknown): DuctusError {
  return new DuctusError("store/outdated", "A newer version of this app is open in another tab and has taken over the storage.", "Reload this tab to get the newer version.", cause === undefined ? {} : { cause });
}

function unavailable(cause?: unknown): DuctusError {
  return new DuctusError("store/unavailable", "This browser does not let this site store anything, so nothing could be kept.", "Leave private browsing, or allow this site to store data, then reload.", cause === undefined ? {} : { cause });
}

/** A new random identifier (128 bits, hexadecimal); works without a secure context. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** All keys that begin with `first`, in a store or index whose keys are arrays. */
export function startingWith(first: string): IDBKeyRange {
  return IDBKeyRange.bound([first], [first, []]);
}
