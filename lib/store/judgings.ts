/**
 * Blind comparisons, kept after every choice, so that a person can leave one and
 * come back to it. Their state is that of lib/eval/blind.ts, which also says
 * whether it can be read.
 */
import { announce } from "./changes";
import { newId, startingWith, transact } from "./db";
import { requireHand } from "./hands";
import { judgingSchema, type OnDamaged, readRecords } from "./schema";
import type { Judging } from "./types";

/** Stores a new one, or the later state of one that is there. @throws DuctusError `store/missing` when the hand was deleted, `store/full` */
export async function saveJudging(input: Pick<Judging, "handId" | "adapterId" | "state"> & { id?: string; createdAt?: number }): Promise<Judging> {
  const now = Date.now();
  const judging: Judging = { ...input, id: input.id ?? newId(), createdAt: input.createdAt ?? now, updatedAt: now };
  await transact(["hands", "judgings"], "readwrite", async (tx) => {
    await requireHand(tx, judging.handId);
    await tx.objectStore("judgings").put(judging);
  }, "strict");
  announce({ kind: "judgings", handId: judging.handId });
  return judging;
}

/** Latest first. */
export async function listJudgings(handId: string, onDamaged?: OnDamaged): Promise<Judging[]> {
  const values = await transact(["judgings"], "readonly", (tx) => tx.objectStore("judgings").index("byHand").getAll(startingWith(handId)));
  return readRecords(judgingSchema, values, "A blind comparison", onDamaged).reverse();
}

export async function deleteJudging(handId: string, id: string): Promise<void> {
  await transact(["judgings"], "readwrite", (tx) => tx.objectStore("judgings").delete(id), "strict");
  announce({ kind: "judgings", handId });
}
