/**
 * One run at a time over all tabs, by a lock that the tab holds while its run
 * lasts (tab-lock.ts). It is free when the tab closes or crashes, so a run that
 * IndexedDB calls running while nobody holds the lock was interrupted.
 */
import { DuctusError } from "../../lib/core/errors";
import { openTabLock, type TabLock } from "./tab-lock";

/** Another tab may hold the lock for a moment, only to look for interrupted runs. */
const PATIENCE_MS = 1500;

let opened: TabLock | null = null;
/** At first use: pages are prerendered where there are no locks. */
const lock = (): TabLock => (opened ??= openTabLock("ductus-run"));

/** Runs `work` under the lock. @throws DuctusError `train/other-tab` when another tab is training. */
export async function withRunLock<T>(work: () => Promise<T>): Promise<T> {
  const held = await lock().hold(work, PATIENCE_MS);
  if (held === null) {
    throw new DuctusError("train/other-tab", "Training goes on in another tab of this browser. Only one run can use the device at a time.", "Wait for it to end, or stop it in that tab.");
  }
  return held.result;
}

/** Runs `work` if no tab is training; answers whether it did. */
export async function ifNoRun(work: () => Promise<unknown>): Promise<boolean> {
  return (await lock().hold(work, 0)) !== null;
}

/** Resolves when the lock is free, however long that takes. */
export const untilRunLockFree = (): Promise<void> => lock().untilFree();
