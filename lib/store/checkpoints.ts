/**
 * The last two checkpoints of each run: what it needs to go on exactly where it
 * was, as the bytes that lib/train/sft/checkpoint.ts writes and reads. The newer
 * is taken; the one before it is there in case the newer cannot be read. Written
 * in one transaction with the run's note of it. States that are kept to choose
 * from are in kept.ts.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { startingWith, transact } from "./db";
import { checkpointSchema, type OnDamaged, readRecord, readRecords, runSchema } from "./schema";
import type { Run, StoredCheckpoint } from "./types";

/** Of each run. */
const KEPT = 2;

/** Stores a checkpoint, notes its step in the run, and lets go of old ones. @throws DuctusError `store/missing` when the run was deleted, `store/full` */
export async function saveCheckpoint(runId: string, step: number, file: Uint8Array): Promise<void> {
  const checkpoint: StoredCheckpoint = { runId, step, savedAt: Date.now(), file };
  const run = await transact(["runs", "checkpoints"], "readwrite", async (tx) => {
    const value = await tx.objectStore("runs").get(runId);
    if (value === undefined) throw new DuctusError("store/missing", "This training run is no longer here: it was deleted, perhaps in another tab.", "Start a new one.");
    const noted: Run = { ...readRecord(runSchema, value, "A training run"), checkpointStep: step, updatedAt: Date.now() };
    await tx.objectStore("checkpoints").put(checkpoint);
    // A run that went on from an earlier one has left a later behind, which could not be read.
    const keys = await tx.objectStore("checkpoints").getAllKeys(startingWith(runId));
    const earlier = keys.filter(([, at]) => at <= step);
    for (const key of keys) if (!earlier.slice(-KEPT).includes(key)) await tx.objectStore("checkpoints").delete(key);
    await tx.objectStore("runs").put(noted);
    return noted;
  }, "strict");
  announce({ kind: "runs", handId: run.handId, runId });
}

/** Newest first. */
export async function listCheckpoints(runId: string, onDamaged?: OnDamaged): Promise<StoredCheckpoint[]> {
  const values = await transact(["checkpoints"], "readonly", (tx) => tx.objectStore("checkpoints").getAll(startingWith(runId)));
  return readRecords(checkpointSchema, values, "A checkpoint", onDamaged).reverse();
}

/** A run that has come to its end needs them no more, nor do those before it of its hand, which were begun anew with it. */
export async function deleteCheckpoints(runId: string): Promise<void> {
  const handId = await transact(["runs", "checkpoints"], "readwrite", async (tx) => {
    await tx.objectStore("checkpoints").delete(startingWith(runId));
    const ended = runSchema.safeParse(await tx.objectStore("runs").get(runId));
    if (!ended.success) return undefined;
    const upToIt = IDBKeyRange.bound([ended.data.handId], [ended.data.handId, ended.data.createdAt]);
    for (const value of await tx.objectStore("runs").index("byHand").getAll(upToIt)) {
      const run = runSchema.safeParse(value);
      if (!run.success || run.data.checkpointStep === undefined) continue;
      const { checkpointStep: _, ...rest } = run.data;
      await tx.objectStore("checkpoints").delete(startingWith(run.data.id));
      await tx.objectStore("runs").put(rest);
    }
    return ended.data.handId;
  }, "strict");
  announce({ kind: "runs", runId, ...(handId === undefined ? {} : { handId }) });
}
