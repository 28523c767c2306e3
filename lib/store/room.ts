/**
 * How much room this browser gives the site, and whether it promises to keep
 * what lies there. It stores nothing itself. Terms are those of the Storage
 * Standard (estimate, persist).
 */
import { DuctusError } from "../core/errors";

export interface StorageEstimate {
  usedBytes: number;
  quotaBytes: number;
}

/** Left free beside what is asked for: runs, curves and adapters need room as well. */
const SPARE_BYTES = 64e6;

/** What this site stores and may store; null where the browser does not say. */
export async function storageEstimate(): Promise<StorageEstimate | null> {
  if (typeof navigator === "undefined" || (navigator.storage as StorageManager | undefined) === undefined) return null;
  const { usage, quota } = await navigator.storage.estimate();
  return usage === undefined || quota === undefined ? null : { usedBytes: usage, quotaBytes: quota };
}

/** @throws DuctusError `store/full` where the browser says that so many bytes more have no room. A browser that does not say is believed to have it. */
export async function requireRoom(bytes: number, what: string): Promise<void> {
  const estimate = await storageEstimate().catch(() => null);
  if (estimate === null) return;
  const free = estimate.quotaBytes - estimate.usedBytes;
  if (bytes + SPARE_BYTES <= free) return;
  throw new DuctusError("store/full", `${what} needs ${megabytes(bytes)} in this browser's storage, and this site may use only ${megabytes(Math.max(0, free - SPARE_BYTES))} more. Nothing was changed.`,
    "Free some disk space, delete a model or a hand that you no longer need, or choose a smaller form.", { details: `used ${estimate.usedBytes}, quota ${estimate.quotaBytes}` });
}

/** Whether the browser has promised not to clear this site by itself; null where it does not say. */
export async function isPersistent(): Promise<boolean | null> {
  if (typeof navigator === "undefined" || typeof (navigator.storage as StorageManager | undefined)?.persisted !== "function") return null;
  return navigator.storage.persisted().catch(() => null);
}

/** Asks for that promise; a browser may ask the person, or decide by itself. Pages only: workers cannot ask. */
export async function askToPersist(): Promise<boolean> {
  const storage = (typeof navigator === "undefined" ? undefined : navigator.storage) as { persist?: () => Promise<boolean>; persisted?: () => Promise<boolean> } | undefined;
  if (typeof storage?.persist !== "function") return false;
  try {
    return (await storage.persisted?.()) === true || (await storage.persist());
  } catch {
    return false;
  }
}

const megabytes = (bytes: number): string => (bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);
