/**
 * Registers the service worker that lets the site open without a network
 * (public/sw.js), and has it fetch what the first run needs. Not in development,
 * where files keep their names and change.
 */
/** By then the page has what it needs itself. */
const PREPARE_AFTER_MS = 6000;

export async function registerOffline(): Promise<void> {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
  // Some private windows refuse it; the site then needs the network to open, and nothing else changes.
  const registration = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
  if (registration === undefined || savesData()) return;
  await new Promise((resolve) => setTimeout(resolve, PREPARE_AFTER_MS));
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage({ prepare: { gpu: await hasGpu() } });
}

/** Whether the person has asked the browser to load little (Save-Data of the Network Information API). */
const savesData = (): boolean => (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData === true;

async function hasGpu(): Promise<boolean> {
  const gpu = navigator.gpu as GPU | undefined;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter != null && !adapter.info.isFallbackAdapter;
}
