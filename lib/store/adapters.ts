/**
 * Finished adapters: what is known of each in one store, its file in another, so
 * that lists stay light. The file's format is that of lib/train/adapter; it is
 * kept here as bytes.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { newId, startingWith, type Transaction, transact } from "./db";
import { cleanName, requireHand } from "./hands";
import { adapterFileSchema, type AdapterInfo, adapterInfoSchema, type OnDamaged, readRecord, readRecords, runSchema } from "./schema";
import type { AdapterReport, StoredAdapter } from "./types";

export type { AdapterInfo } from "./schema";

/**
 * Stores an adapter whole, and notes it in its run if it has one.
 * @param isResult false for another state of its run, beside the one that the run came to
 * @throws DuctusError `store/missing` when the hand was deleted, `store/full`
 */
export async function saveAdapter(input: Omit<StoredAdapter, "id" | "createdAt">, isResult = true): Promise<AdapterInfo> {
  const { file, ...rest } = input;
  const info: AdapterInfo = { ...rest, id: newId(), name: cleanName(input.name), createdAt: Date.now(), fileBytes: file.byteLength };
  await transact(["hands", "runs", "adapters", "adapterFiles"], "readwrite", async (tx) => {
    await requireHand(tx, info.handId);
    await tx.objectStore("adapterFiles").add({ adapterId: info.id, file });
    await tx.objectStore("adapters").add(info);
    const run = info.runId === undefined || !isResult ? undefined : await tx.objectStore("runs").get(info.runId);
    if (run !== undefined) await tx.objectStore("runs").put({ ...readRecord(runSchema, run, "A training run"), adapterId: info.id });
  }, "strict");
  announce({ kind: "adapters", handId: info.handId });
  return info;
}

/** With its file; null when it is not there (any more). @throws DuctusError `store/damaged` */
export async function getAdapter(id: string): Promise<StoredAdapter | null> {
  const [value, fileValue] = await transact(["adapters", "adapterFiles"], "readonly", (tx) => Promise.all([tx.objectStore("adapters").get(id), tx.objectStore("adapterFiles").get(id)]));
  if (value === undefined) return null;
  const { fileBytes, ...info } = readRecord(adapterInfoSchema, value, "An adapter");
  const { file } = readRecord(adapterFileSchema, fileValue, "An adapter's file");
  if (file.byteLength !== fileBytes) throw new DuctusError("store/damaged", `The adapter “${info.name}” is stored incompletely.`, "Delete it, and train or import it again.", { details: `${id}: ${file.byteLength} of ${fileBytes} bytes` });
  return { ...info, file };
}

/** Oldest first, without files. */
export async function listAdapters(handId: string, onDamaged?: OnDamaged): Promise<AdapterInfo[]> {
  const values = await transact(["adapters"], "readonly", (tx) => tx.objectStore("adapters").index("byHand").getAll(startingWith(handId)));
  return readRecords(adapterInfoSchema, values, "An adapter", onDamaged);
}

export async function renameAdapter(id: string, name: string): Promise<AdapterInfo> {
  return change(id, { name: cleanName(name) });
}

/** Stores what was measured on the hand's test part. @throws DuctusError `store/missing` */
export async function saveReport(id: string, report: AdapterReport): Promise<AdapterInfo> {
  return change(id, { report });
}

async function change(id: string, patch: Partial<Pick<AdapterInfo, "name" | "report">>): Promise<AdapterInfo> {
  const info = await transact(["adapters"], "readwrite", async (tx) => {
    const changed: AdapterInfo = { ...(await requireAdapter(tx, id)), ...patch };
    await tx.objectStore("adapters").put(changed);
    return changed;
  }, "strict");
  announce({ kind: "adapters", handId: info.handId });
  return info;
}

/** Puts a later state of the same adapter in the place of its file; what was measured of the earlier one goes with it. @throws DuctusError `store/missing`, `store/full` */
export async function replaceAdapterFile(id: string, file: Uint8Array): Promise<AdapterInfo> {
  const info = await transact(["adapters", "adapterFiles", "measurements"], "readwrite", async (tx) => {
    const { report: _, ...rest } = await requireAdapter(tx, id);
    const changed: AdapterInfo = { ...rest, fileBytes: file.byteLength };
    await tx.objectStore("adapterFiles").put({ adapterId: id, file });
    await tx.objectStore("measurements").delete(id);
    await tx.objectStore("adapters").put(changed);
    return changed;
  }, "strict");
  announce({ kind: "adapters", handId: info.handId });
  return info;
}

async function requireAdapter(tx: Transaction<"readwrite">, id: string): Promise<AdapterInfo> {
  const value = await tx.objectStore("adapters").get(id);
  if (value === undefined) throw new DuctusError("store/missing", "This adapter is no longer here: it was deleted, perhaps in another tab.", "Train or import it again.");
  return readRecord(adapterInfoSchema, value, "An adapter");
}

/** Deletes an adapter with its file; its run keeps its curves and no longer points at it. */
export async function deleteAdapter(id: string): Promise<void> {
  const handId = await transact(["runs", "adapters", "adapterFiles", "measurements"], "readwrite", async (tx) => {
    const info = adapterInfoSchema.safeParse(await tx.objectStore("adapters").get(id));
    await tx.objectStore("adapterFiles").delete(id);
    await tx.objectStore("measurements").delete(id);
    await tx.objectStore("adapters").delete(id);
    const run = runSchema.safeParse(info.data?.runId === undefined ? undefined : await tx.objectStore("runs").get(info.data.runId));
    if (run.success && run.data.adapterId === id) {
      const { adapterId: _, ...rest } = run.data;
      await tx.objectStore("runs").put(rest);
    }
    return info.data?.handId;
  }, "strict");
  announce({ kind: "adapters", ...(handId === undefined ? {} : { handId }) });
}
