/**
 * One run at a time over all tabs, by a Web Lock that the tab holds while its
 * run lasts. The browser frees it when the tab closes or crashes, so a run that
 * IndexedDB calls running while nobody holds the lock was interrupted.
 */
import { DuctusError } from "../../lib/core/errors";

const NAME = "ductus-run";
/** Another tab may hold the lock for a moment, only to look for interrupted runs. */
const PATIENCE_MS = 1500;

/** Runs `work` under the lock. @throws DuctusError `train/other-tab` when another tab is training. */
export async function withRunLock<T>(work: () => Promise<T>): Promise<T> {
  let granted = false;
  try {
    return await navigator.locks.request(NAME, { signal: AbortSignal.timeout(PATIENCE_MS) }, () => {
      granted = true;
      return work();
    });
  } catch (error) {
    if (granted || !(error instanceof DOMException)) throw error;
    throw new DuctusError("train/other-tab", "Training goes on in another tab of this browser. Only one run can use the device at a time.", "Wait for it to end, or stop it in that tab.", { cause: error });
  }
}

/** Runs `work` if no tab is training; answers whether it did. */
export async function ifNoRun(work: () => Promise<unknown>): Promise<boolean> {
  return navigator.locks.request(NAME, { ifAvailable: true }, async (lock) => {
    if (lock === null) return false;
    await work();
    return true;
  });
}

/** Resolves when the lock is free, however long that takes. */
export async function untilRunLockFree(): Promise<void> {
  await navigator.locks.request(NAME, () => Promise.resolve());
}
