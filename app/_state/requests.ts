/**
 * What this tab has asked for since it was loaded: the browser's own record of
 * the page, what its workers tell of theirs, and what the service worker asks
 * the network for. Kept beside the store and announced by a number, as it grows
 * with every request. What it means is said by app/settings/request-list.ts.
 */
import { type RefusalNote, type RequestNote, requestNotes, type RequestReport } from "../../lib/core/request-note";
import { listenForRequests, SERVICE_WORKER } from "../_engine/requests";
import { HUB_ASKER, hubRequests } from "./hub-requests";
import { createStore } from "./store";

export const PAGE = "page";

/** `who`: the page, a worker's name, or the service worker's. */
export type Noted = RequestNote & { who: string };
export type Refused = RefusalNote & { who: string };

export const requests = createStore<{ version: number }>({ version: 0 });

const noted: Noted[] = [];
const refused: Refused[] = [];
/** The service worker tells what it told before to every tab that opens. */
const heard = new Set<string>();

/** Of the page for downloads, which this tab showed before it was loaded anew. */
let before: readonly Noted[] = [];

/** In the order they came to be known; not to be changed. The page's own opening is first, but for what the tab asked of the model hub before. */
export const allRequests = (): readonly Noted[] => [...before, ...opening(), ...noted];
export const allRefusals = (): readonly Refused[] => refused;
/** When this tab was loaded, Unix milliseconds. */
export const openedAt = (): number => performance.timeOrigin;
/** Whether the browser keeps such a record at all. */
export const isRecorded = (): boolean => typeof PerformanceObserver !== "undefined";

let watching = false;

/** Calling it again changes nothing. */
export function watchRequests(): void {
  if (watching) return;
  watching = true;
  before = hubRequests().map((note) => ({ ...note, who: HUB_ASKER }));
  addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => take({ who: PAGE, requests: [], refusals: [{ address: blockedURI, directive: effectiveDirective }] }));
  listenForRequests(take);
  if (!isRecorded()) return;
  const observer = new PerformanceObserver((list) => {
    take({ who: PAGE, requests: requestNotes(list.getEntries(), performance.timeOrigin), refusals: [] });
  });
  observer.observe({ type: "resource", buffered: true });
}

/** Exported for its test. */
export function take({ who, requests: more, refusals }: RequestReport): void {
  for (const note of more) {
    if (who === SERVICE_WORKER) {
      const key = `${note.startedAt} ${note.initiator} ${note.address}`;
      if (heard.has(key)) continue;
      heard.add(key);
    }
    noted.push({ ...note, who });
  }
  for (const refusal of refusals) refused.push({ ...refusal, who });
  requests.set(({ version }) => ({ version: version + 1 }));
}

/** Its sizes are known only once it has come whole. */
function opening(): Noted[] {
  return isRecorded() ? requestNotes(performance.getEntriesByType("navigation"), performance.timeOrigin).map((note) => ({ ...note, who: PAGE })) : [];
}
