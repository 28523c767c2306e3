/** The count of threads that was measured to be quickest on this device, as the settings remember it. */
import { getSetting } from "./hands";

/** Null where it was not measured, was measured on another device, or cannot be used because the page is not isolated. */
export async function measuredThreads(): Promise<number | null> {
  const measured = await getSetting("threads").catch(() => null);
  return globalThis.crossOriginIsolated && measured?.cores === navigator.hardwareConcurrency ? measured.threads : null;
}
