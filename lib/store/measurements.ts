/**
 * What was measured of adapters on writing kept aside, with what they wrote for
 * it: one record an adapter, apart from what lists show of it. Its content is
 * that of lib/eval/measurement.ts, which also says whether it can be read. It
 * goes with its adapter, and with another state of its file.
 */
import { DuctusError } from "../core/errors";
import { announce } from "./changes";
import { transact } from "./db";
import { measurementSchema, type OnDamaged, readRecords } from "./schema";
import type { AdapterReport, StoredMeasurement } from "./types";

/** In the place of an earlier one, together with the adapter's report where there is one. @throws DuctusError `store/missing` when the adapter was deleted, `store/full` */
export async function saveMeasurement(input: Omit<StoredMeasurement, "measuredAt">, report?: AdapterReport): Promise<void> {
  await transact(["adapters", "measurements"], "readwrite", async (tx) => {
    const adapter = await tx.objectStore("adapters").get(input.adapterId);
    if (adapter === undefined) throw new DuctusError("store/missing", "This adapter is no longer here: it was deleted, perhaps in another tab.", "Train or import it again.");
    await tx.objectStore("measurements").put({ ...input, measuredAt: Date.now() } satisfies StoredMeasurement);
    if (report !== undefined) await tx.objectStore("adapters").put({ ...(adapter as object), report });
  }, "strict");
  announce({ kind: "adapters", handId: input.handId });
}

/** Null where it was never measured. @throws DuctusError `store/damaged` where `onDamaged` is not given */
export async function getMeasurement(adapterId: string, onDamaged?: OnDamaged): Promise<StoredMeasurement | null> {
  const value = await transact(["measurements"], "readonly", (tx) => tx.objectStore("measurements").get(adapterId));
  return value === undefined ? null : (readRecords(measurementSchema, [value], "What was measured", onDamaged)[0] ?? null);
}

/** Which of some adapters have been measured. */
export async function measuredAmong(adapterIds: readonly string[]): Promise<string[]> {
  const keys = await transact(["measurements"], "readonly", (tx) => tx.objectStore("measurements").getAllKeys());
  const measured = new Set(keys);
  return adapterIds.filter((id) => measured.has(id));
}
