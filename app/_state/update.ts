/**
 * Whether a newer build of the site is there than the one that this tab runs,
 * as the service worker (public/sw.js) tells. It is used by loading the page
 * anew, which only the person decides, and is not offered while anything goes on.
 */
import { createStore } from "./store";

export interface Update {
  ready: boolean;
  /** The person wants it later: not offered again in this tab. */
  putOff: boolean;
}

export const update = createStore<Update>({ ready: false, putOff: false });

export const putOffUpdate = (): void => update.set((u) => ({ ...u, putOff: true }));

/** Some built file that this page runs is not among the newest kept ones. */
export function isOutdated(own: readonly string[], newest: readonly string[]): boolean {
  const kept = new Set(newest);
  return newest.length > 0 && own.some((path) => !kept.has(path));
}

/** Looking costs one page. */
const LOOK_EVERY_MS = 30 * 60_000;
const PREFIX = "ductus-site-";

/** @returns stops it */
export function watchForUpdate(): () => void {
  if (!("serviceWorker" in navigator)) return () => undefined;
  let lookedAt = Date.now();
  const look = (): void => {
    if (document.visibilityState !== "visible" || !navigator.onLine || Date.now() - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = Date.now();
    navigator.serviceWorker.controller?.postMessage("look");
  };
  const hear = ({ data }: MessageEvent<unknown>): void => {
    if (data !== "renewed") return;
    newestFiles().then((newest) => {
      if (isOutdated(ownFiles(), newest)) update.set((u) => ({ ...u, ready: true }));
    }, () => undefined); // the next load brings it all the same
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", look);
  navigator.serviceWorker.addEventListener("message", hear);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
    navigator.serviceWorker.removeEventListener("message", hear);
  };
}

const ownFiles = (): string[] => [...document.querySelectorAll<HTMLScriptElement>('script[src*="/_next/static/"]')].map(({ src }) => new URL(src).pathname);

async function newestFiles(): Promise<string[]> {
  const numbers = (await caches.keys()).filter((name) => name.startsWith(PREFIX)).map((name) => Number(name.slice(PREFIX.length)));
  if (numbers.length === 0) return [];
  const requests = await (await caches.open(`${PREFIX}${Math.max(...numbers)}`)).keys();
  return requests.map(({ url }) => new URL(url).pathname);
}
