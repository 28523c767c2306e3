/**
 * Passes on what workers and the service worker tell of their requests
 * (workers/requests.ts, public/sw.js) to whoever keeps the list. It keeps
 * nothing itself.
 */
import { REPORT_KEY, type RequestNote, type RequestReport } from "../../lib/core/request-note";

type Listener = (report: RequestReport) => void;

let listener: Listener | null = null;
/** What came before anybody listened. */
let early: RequestReport[] = [];

/** The literals of public/sw.js. */
const CHANNEL_NAME = "ductus-requests";
export const SERVICE_WORKER = "ductus-service-worker";

/** There is one list. */
export function listenForRequests(to: Listener): void {
  listener = to;
  early.forEach(to);
  early = [];
  hearServiceWorker(to);
}

/** Listens to a worker from its first message on. */
export function hearWorker(worker: Worker): void {
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const report = typeof data === "object" && data !== null && REPORT_KEY in data ? (data[REPORT_KEY] as RequestReport) : null;
    if (report === null) return;
    if (listener === null) early.push(report);
    else listener(report);
  });
}

/** It serves all tabs, and began before this one. */
function hearServiceWorker(to: Listener): void {
  if (typeof BroadcastChannel === "undefined") return;
  const channel = new BroadcastChannel(CHANNEL_NAME);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    const notes = typeof data === "object" && data !== null && "notes" in data ? (data.notes as RequestNote[]) : null;
    if (notes !== null) to({ who: SERVICE_WORKER, requests: notes, refusals: [] });
  };
  channel.postMessage("tell");
}
