/**
 * Registers the service worker that lets the site open without a network
 * (public/sw.js). Not in development, where files keep their names and change.
 */
export async function registerOffline(): Promise<void> {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
  // Some private windows refuse it; the site then needs the network to open, and nothing else changes.
  await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
}
