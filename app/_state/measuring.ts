/**
 * Measuring an adapter, as the screens see it: one at a time, whichever screen
 * is open. The worker stores what it has measured; this knows how far it is.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";
import type { MeasureEvent } from "../../workers/protocol";
import { measure, stopWriting } from "../_engine/writer";
import { createStore } from "./store";
import { refresh } from "./workspace";

export interface Measuring {
  /** What is being measured; null: nothing. */
  adapterId: string | null;
  event: MeasureEvent | null;
  stopping: boolean;
  /** What went wrong the last time, and with which. */
  failed: { adapterId: string; error: SerializedError } | null;
}

export const measuring = createStore<Measuring>({ adapterId: null, event: null, stopping: false, failed: null });

/** Begins, or goes on where it was stopped; nothing while another one is being measured. */
export async function startMeasuring(handId: string, adapterId: string): Promise<void> {
  if (measuring.get().adapterId !== null) return;
  measuring.set({ adapterId, event: null, stopping: false, failed: null });
  let failed: Measuring["failed"] = null;
  try {
    await measure(handId, adapterId, (event) => measuring.set((m) => (m.adapterId === adapterId ? { ...m, event } : m)));
    await refresh();
  } catch (error) {
    failed = { adapterId, error: serializeError(error) };
  }
  measuring.set({ adapterId: null, event: null, stopping: false, failed });
}

/** What is measured by then is kept. */
export function stopMeasuring(): void {
  if (measuring.get().adapterId === null) return;
  measuring.set((m) => ({ ...m, stopping: true }));
  void stopWriting().catch(() => undefined);
}
