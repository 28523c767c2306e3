/**
 * One run at a time over all tabs, by a Web Lock that the tab holds while its
 * run lasts. The browser frees it when the tab closes or crashes, so a run that
 * IndexedDB calls running while nobody holds the lock was interrupted.
 */
import { DuctusError } from "../../lib/core/errors";

const NAME = "ductus-run";

/** Runs `work` under the lock. @throws DuctusError `train/other-tab` at once when another tab holds it. */
export function withRunLock<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks.request(NAME, { ifAvailable: true }, async (lock) => {
    if (lock === null) {
      throw new DuctusError("train/other-tab", "Training goes on in another tab of this browser. Only one run can use the device at a time.", "Wait for it to end, or stop it in that tab.");
    }
    return work();
  }) as Promise<T>;
}

/** Whether any tab, this one included, is training. */
export async function isRunLockHeld(): Promise<boolean> {
  const { held } = await navigator.locks.query();
  return held?.some((lock) => lock.name === NAME) ?? false;
}

/** Resolves when the lock is free, however long that takes. */
export function untilRunLockFree(): Promise<void> {
  return navigator.locks.request(NAME, () => Promise.resolve());
}
