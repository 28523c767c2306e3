/**
 * Hands (a writer's project) and the few settings, and deleting: a hand goes
 * with everything under it in one transaction, so that nothing of a person's
 * stays behind half deleted.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { DEFAULT_SEED, shareFault, type Shares, type SplitOptions } from "../data/split";
import { announce } from "./changes";
import { newId, startingWith, STORE_NAMES, type Transaction, transact } from "./db";
import { handSchema, type OnDamaged, readRecord, readRecords } from "./schema";
import type { Hand, ModelRef } from "./types";

export const MAX_NAME_LENGTH = 80;

/** @throws DuctusError `store/name` when there is no name left after trimming. */
export function cleanName(name: string): string {
  const clean = [...name.replace(/\s+/g, " ").trim()].slice(0, MAX_NAME_LENGTH).join("").trim();
  if (clean === "") throw new DuctusError("store/name", "A name needs at least one letter.", "Type a name.");
  return clean;
}

export async function createHand(input: { name: string; source: Hand["source"]; sampleId?: string; seed?: number }): Promise<Hand> {
  const hand: Hand = {
    id: newId(),
    name: cleanName(input.name),
    source: input.source,
    ...(input.sampleId === undefined ? {} : { sampleId: input.sampleId }),
    createdAt: Date.now(),
    seed: input.seed ?? DEFAULT_SEED,
  };
  await transact(["hands"], "readwrite", (tx) => tx.objectStore("hands").add(hand), "strict");
  announce({ kind: "hands", handId: hand.id });
  return hand;
}

/** Oldest first. */
export async function listHands(onDamaged?: OnDamaged): Promise<Hand[]> {
  const values = await transact(["hands"], "readonly", (tx) => tx.objectStore("hands").getAll());
  return readRecords(handSchema, values, "A hand", onDamaged).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

/** Null when it is not there (any more). */
export async function getHand(id: string): Promise<Hand | null> {
  const value = await transact(["hands"], "readonly", (tx) => tx.objectStore("hands").get(id));
  return value === undefined ? null : readRecord(handSchema, value, "A hand");
}

/** The hand, for writes that need it. @throws DuctusError `store/missing` */
export async function requireHand(tx: Transaction<"readonly"> | Transaction<"readwrite">, id: string): Promise<void> {
  if ((await tx.objectStore("hands").count(id)) === 0) throw new DuctusError("store/missing", "This hand is no longer here: it was deleted, perhaps in another tab.", "Start a new one.");
}

export const renameHand = (id: string, name: string): Promise<Hand> => change(id, (hand) => ({ ...hand, name: cleanName(name) }));

/** Which model the hand is taught to from now on; null: the one that comes with the site. */
export const chooseModel = (id: string, model: ModelRef | null): Promise<Hand> => change(id, ({ model: _, ...hand }) => (model === null ? hand : { ...hand, model }));

/**
 * How the hand's writing is divided from now on.
 * @param shares null: the usual ones
 * @throws DuctusError `data/shares`
 */
export async function chooseSplit(id: string, shares: Shares | null, seed: number): Promise<Hand> {
  const fault = shares === null ? null : shareFault(shares);
  if (fault !== null) throw new DuctusError("data/shares", fault, "Change the shares.");
  return change(id, ({ shares: _, ...hand }) => ({ ...hand, seed, ...(shares === null ? {} : { shares }) }));
}

/** Which of the hand's documents repeat one another, as a look at them has found. */
export const keepGroups = (id: string, groups: string[][]): Promise<Hand> => change(id, ({ groups: _, ...hand }) => (groups.length === 0 ? hand : { ...hand, groups }));

/** What splitDocuments is to be given with the hand's documents and seed. */
export const splitOptions = ({ shares, groups }: Pick<Hand, "shares" | "groups">): SplitOptions => ({ ...(shares === undefined ? {} : { shares }), ...(groups === undefined ? {} : { groups }) });

async function change(id: string, alter: (hand: Hand) => Hand): Promise<Hand> {
  const hand = await transact(["hands"], "readwrite", async (tx) => {
    await requireHand(tx, id);
    const changed = alter(readRecord(handSchema, await tx.objectStore("hands").get(id), "A hand"));
    await tx.objectStore("hands").put(changed);
    return changed;
  });
  announce({ kind: "hands", handId: id });
  return hand;
}

/** Deletes a hand, its documents, runs with their curves and samples, and adapters. Damaged records go too. */
export async function deleteHand(id: string): Promise<void> {
  await transact(STORE_NAMES, "readwrite", async (tx) => {
    const under = startingWith(id);
    for (const documentId of await tx.objectStore("documents").index("byHand").getAllKeys(under)) await tx.objectStore("documents").delete(documentId);
    for (const runId of await tx.objectStore("runs").index("byHand").getAllKeys(under)) {
      await tx.objectStore("metrics").delete(startingWith(runId));
      await tx.objectStore("samples").delete(startingWith(runId));
      for (const name of ["checkpoints", "keptStates", "keptFiles"] as const) await tx.objectStore(name).delete(startingWith(runId));
      await tx.objectStore("runs").delete(runId);
    }
    for (const adapterId of await tx.objectStore("adapters").index("byHand").getAllKeys(under)) {
      await tx.objectStore("adapterFiles").delete(adapterId);
      await tx.objectStore("measurements").delete(adapterId);
      await tx.objectStore("adapters").delete(adapterId);
    }
    for (const name of ["conversations", "judgings"] as const) {
      for (const key of await tx.objectStore(name).index("byHand").getAllKeys(under)) await tx.objectStore(name).delete(key);
    }
    if ((await tx.objectStore("settings").get("currentHandId")) === id) await tx.objectStore("settings").delete("currentHandId");
    await tx.objectStore("hands").delete(id);
  }, "strict");
  announce({ kind: "hands", handId: id });
}

/** Empties every store in one transaction. */
export async function deleteEverything(): Promise<void> {
  await transact(STORE_NAMES, "readwrite", async (tx) => {
    for (const name of STORE_NAMES) await tx.objectStore(name).clear();
  }, "strict");
  announce({ kind: "everything" });
}

const settingSchemas = {
  currentHandId: z.string(),
  /** The quickest count of threads on a device of so many cores, as measured. */
  threads: z.object({
    cores: z.int().positive(), threads: z.int().positive().max(64),
    /** What the short sum took with them; earlier versions did not keep it. */
    ms: z.number().positive().exactOptional(),
  }),
  /** Where the person wants the work done; never set: "auto". */
  device: z.enum(["auto", "webgpu", "wasm"]),
  /** Whether the page for downloads may ask the model hub; never set: it may not. */
  hub: z.boolean(),
} as const;
export type SettingName = keyof typeof settingSchemas;
export type Setting<Name extends SettingName> = z.infer<(typeof settingSchemas)[Name]>;

/** Null where it was never set; a damaged setting counts as never set. */
export async function getSetting<Name extends SettingName>(name: Name): Promise<Setting<Name> | null> {
  const value = await transact(["settings"], "readonly", (tx) => tx.objectStore("settings").get(name));
  const result = settingSchemas[name].safeParse(value);
  return result.success ? (result.data as Setting<Name>) : null;
}

/** Null removes it. */
export async function setSetting<Name extends SettingName>(name: Name, value: Setting<Name> | null): Promise<void> {
  await transact(["settings"], "readwrite", async (tx) => {
    if (value === null) await tx.objectStore("settings").delete(name);
    else await tx.objectStore("settings").put(value, name);
  });
  announce({ kind: "settings" });
}
