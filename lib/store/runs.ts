/**
 * Training runs with their curves and samples. A run that says "running" but has
 * been silent was interrupted (its tab was closed, or the browser ended it).
 * What a run points at must exist: writing to a deleted run fails, so that a
 * worker that outlives its hand leaves nothing behind.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { newId, startingWith, type Transaction, transact } from "./db";
import { cleanName, requireHand } from "./hands";
import { metricSchema, type OnDamaged, readRecord, readRecords, runSchema, sampleSchema } from "./schema";
import type { Metric, Run, RunSample } from "./types";

export type NewRun = Pick<Run, "handId" | "modelId" | "modelSha256" | "config"> &
  Partial<Pick<Run, "dataHash" | "device" | "totalSteps" | "trainTokens" | "trainExamples" | "heldOutExamples" | "name" | "writing" | "start">>;

/** What may change in a run; `updatedAt` is set by the store, and the error goes when another status comes. */
export type RunPatch = Partial<Omit<Run, "id" | "handId" | "createdAt" | "updatedAt">>;

/** Stores a new run with status "running". @throws DuctusError `store/missing` */
export async function createRun(input: NewRun): Promise<Run> {
  const now = Date.now();
  const run: Run = {
    id: newId(),
    createdAt: now,
    updatedAt: now,
    status: "running",
    dataHash: "",
    step: 0,
    totalSteps: 0,
    trainTokens: 0,
    trainExamples: 0,
    heldOutExamples: 0,
    elapsedMs: 0,
    ...input,
  };
  await transact(["hands", "runs"], "readwrite", async (tx) => {
    await requireHand(tx, run.handId);
    await tx.objectStore("runs").add(run);
  }, "strict");
  announce({ kind: "runs", handId: run.handId, runId: run.id });
  return run;
}

/** @throws DuctusError `store/missing` when the run was deleted. */
export async function updateRun(id: string, patch: RunPatch): Promise<Run> {
  const run = await transact(["runs"], "readwrite", async (tx) => {
    const { error, ...before } = await requireRun(tx, id);
    const updated: Run = { ...before, ...(error === undefined || patch.status !== undefined ? {} : { error }), ...patch, updatedAt: Date.now() };
    await tx.objectStore("runs").put(updated);
    return updated;
  }, patch.status === undefined ? "relaxed" : "strict");
  announce({ kind: "runs", handId: run.handId, runId: id });
  return run;
}

/** Null: by what it is. @throws DuctusError `store/missing`, `store/name` */
export async function renameRun(id: string, name: string | null): Promise<Run> {
  const clean = name === null ? null : cleanName(name);
  const run = await transact(["runs"], "readwrite", async (tx) => {
    const { name: _, ...rest } = await requireRun(tx, id);
    const renamed: Run = { ...rest, ...(clean === null ? {} : { name: clean }) }; // a name is no sign of life
    await tx.objectStore("runs").put(renamed);
    return renamed;
  }, "strict");
  announce({ kind: "runs", handId: run.handId, runId: id });
  return run;
}

/** With its curve, samples, checkpoints and kept states. Adapters that were learned in it stay, with their files. A damaged run goes, too. */
export async function deleteRun(id: string): Promise<void> {
  const handId = await transact(["runs", "metrics", "samples", "checkpoints", "keptStates", "keptFiles"], "readwrite", async (tx) => {
    const run = runSchema.safeParse(await tx.objectStore("runs").get(id));
    for (const name of ["metrics", "samples", "checkpoints", "keptStates", "keptFiles"] as const) await tx.objectStore(name).delete(startingWith(id));
    await tx.objectStore("runs").delete(id);
    return run.data?.handId;
  }, "strict");
  announce({ kind: "runs", runId: id, ...(handId === undefined ? {} : { handId }) });
}

async function requireRun(tx: Transaction<"readwrite">, id: string): Promise<Run> {
  const value = await tx.objectStore("runs").get(id);
  if (value === undefined) throw new DuctusError("store/missing", "This training run is no longer here: it was deleted, perhaps in another tab.", "Start a new one.");
  return readRecord(runSchema, value, "A training run");
}

export async function getRun(id: string): Promise<Run | null> {
  const value = await transact(["runs"], "readonly", (tx) => tx.objectStore("runs").get(id));
  return value === undefined ? null : readRecord(runSchema, value, "A training run");
}

/** Oldest first. */
export async function listRuns(handId: string, onDamaged?: OnDamaged): Promise<Run[]> {
  const values = await transact(["runs"], "readonly", (tx) => tx.objectStore("runs").index("byHand").getAll(startingWith(handId)));
  return readRecords(runSchema, values, "A training run", onDamaged);
}

/** Adds points to a run's curves; a point of the same kind and step replaces the earlier one. All points are of one run. */
export async function appendMetrics(runId: string, points: readonly Metric[]): Promise<void> {
  if (points.length === 0) return;
  await transact(["runs", "metrics"], "readwrite", async (tx) => {
    const run = await requireRun(tx, runId);
    for (const point of points) await tx.objectStore("metrics").put({ ...point, runId });
    await tx.objectStore("runs").put({ ...run, updatedAt: Date.now() });
  });
  announce({ kind: "metrics", runId });
}

/** Held-out points, then training points, each by step. */
export async function listMetrics(runId: string, onDamaged?: OnDamaged): Promise<Metric[]> {
  const values = await transact(["metrics"], "readonly", (tx) => tx.objectStore("metrics").getAll(startingWith(runId)));
  return readRecords(metricSchema, values, "A point of a curve", onDamaged);
}

/** Adds what the model wrote at a step. */
export async function addSample(sample: RunSample): Promise<void> {
  await transact(["runs", "samples"], "readwrite", async (tx) => {
    const run = await requireRun(tx, sample.runId);
    await tx.objectStore("samples").put(sample);
    await tx.objectStore("runs").put({ ...run, updatedAt: Date.now() });
  });
  announce({ kind: "metrics", runId: sample.runId });
}

/** By step. */
export async function listSamples(runId: string, onDamaged?: OnDamaged): Promise<RunSample[]> {
  const values = await transact(["samples"], "readonly", (tx) => tx.objectStore("samples").getAll(startingWith(runId)));
  return readRecords(sampleSchema, values, "A sample", onDamaged);
}

/** Marks runs as interrupted that say "running" and were not written for `staleMs`, with 0 all of them, whatever the clock says; returns them. Damaged runs are passed over. */
export async function markInterrupted(staleMs: number, now = Date.now()): Promise<Run[]> {
  const marked = await transact(["runs"], "readwrite", async (tx) => {
    const found: Run[] = [];
    for (const value of await tx.objectStore("runs").getAll()) {
      const result = runSchema.safeParse(value);
      if (!result.success || result.data.status !== "running" || (staleMs > 0 && now - result.data.updatedAt <= staleMs)) continue;
      const run: Run = { ...result.data, status: "interrupted" };
      await tx.objectStore("runs").put(run);
      found.push(run);
    }
    return found;
  });
  for (const run of marked) announce({ kind: "runs", handId: run.handId, runId: run.id });
  return marked;
}
