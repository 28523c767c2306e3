/**
 * States of a run that are kept to choose from: the adapter as it was after so
 * many steps, as one file, with its held-out loss. Which of them stay is for
 * lib/train/sft/keep.ts. They outlive the run; what it needs to go on exactly
 * where it was is in checkpoints.ts.
 */
import { DuctusError } from "../core/errors";
import { KEEP_LIMITS, stepsToKeep, type KeepLimits } from "../train/sft/keep";
import { announce } from "./changes";
import { startingWith, transact } from "./db";
import { keptFileSchema, keptSchema, type OnDamaged, readRecord, readRecords, runSchema } from "./schema";
import type { KeptCheckpoint } from "./types";

export interface NewKept extends Pick<KeptCheckpoint, "step" | "tokens" | "loss"> {
  /** The adapter, in its one-file form. */
  file: Uint8Array;
}

const WHAT = "A kept state of a run";

/**
 * Stores a state and lets go of those that have to make room for it, or of itself; one of the same step is replaced, and
 * damaged ones go.
 * @param always steps that stay whatever the limits
 * @returns those that are kept, by step
 * @throws DuctusError `store/missing` when the run was deleted, `store/full`
 */
export async function keepState(runId: string, { file, ...state }: NewKept, limits: KeepLimits = KEEP_LIMITS, always: readonly number[] = []): Promise<KeptCheckpoint[]> {
  const added: KeptCheckpoint = { ...state, runId, savedAt: Date.now(), fileBytes: file.byteLength };
  const { kept, handId } = await transact(["runs", "keptStates", "keptFiles"], "readwrite", async (tx) => {
    const run = await tx.objectStore("runs").get(runId);
    if (run === undefined) throw new DuctusError("store/missing", "This training run is no longer here: it was deleted, perhaps in another tab.", "Start a new one.");
    const values = await tx.objectStore("keptStates").getAll(startingWith(runId));
    const before = readRecords(keptSchema, values, WHAT, () => undefined).filter(({ step }) => step !== state.step);
    const all = [...before, added].sort((a, b) => a.step - b.step);
    const steps = new Set(stepsToKeep(all.map(({ step, loss, fileBytes }) => ({ step, loss, bytes: fileBytes })), limits, always));
    for (const key of await tx.objectStore("keptStates").getAllKeys(startingWith(runId))) {
      if (!steps.has(key[1]) || !all.some(({ step }) => step === key[1])) for (const name of ["keptStates", "keptFiles"] as const) await tx.objectStore(name).delete(key);
    }
    if (steps.has(state.step)) {
      await tx.objectStore("keptStates").put(added);
      await tx.objectStore("keptFiles").put({ runId, step: state.step, file });
    }
    return { kept: all.filter(({ step }) => steps.has(step)), handId: readRecord(runSchema, run, "A training run").handId };
  }, "strict");
  announce({ kind: "runs", handId, runId });
  return kept;
}

/** By step. */
export async function listKept(runId: string, onDamaged?: OnDamaged): Promise<KeptCheckpoint[]> {
  const values = await transact(["keptStates"], "readonly", (tx) => tx.objectStore("keptStates").getAll(startingWith(runId)));
  return readRecords(keptSchema, values, WHAT, onDamaged);
}

/** The adapter's file; null when it is not there (any more). @throws DuctusError `store/damaged` */
export async function keptFile(runId: string, step: number): Promise<Uint8Array | null> {
  const [info, value] = await transact(["keptStates", "keptFiles"], "readonly", (tx) => Promise.all([tx.objectStore("keptStates").get([runId, step]), tx.objectStore("keptFiles").get([runId, step])]));
  if (info === undefined) return null;
  const { fileBytes } = readRecord(keptSchema, info, WHAT);
  const { file } = readRecord(keptFileSchema, value, WHAT);
  if (file.byteLength !== fileBytes) throw new DuctusError("store/damaged", `The state after ${step} steps is stored incompletely.`, "Choose another one.", { details: `${runId}: ${file.byteLength} of ${fileBytes} bytes` });
  return file;
}

/** Where a run goes on from an earlier step, what was kept of later ones is not its own any more. */
export async function dropKeptAfter(runId: string, step: number): Promise<void> {
  await transact(["keptStates", "keptFiles"], "readwrite", async (tx) => {
    const later = IDBKeyRange.bound([runId, step], [runId, []], true);
    for (const name of ["keptStates", "keptFiles"] as const) await tx.objectStore(name).delete(later);
  }, "strict");
  announce({ kind: "runs", runId });
}

/** All of a run's. */
export async function deleteKept(runId: string): Promise<void> {
  await transact(["keptStates", "keptFiles"], "readwrite", async (tx) => {
    for (const name of ["keptStates", "keptFiles"] as const) await tx.objectStore(name).delete(startingWith(runId));
  }, "strict");
  announce({ kind: "runs", runId });
}
