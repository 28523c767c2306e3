/**
 * The worker of the page for downloads, seen from that page; and the requests
 * that the page makes for it (workers/hub-protocol.ts). Nothing but the hub's
 * own addresses is asked for, whatever the worker says; the browser holds the
 * page to that, too, by the policy that came with it.
 */
import { proxy, transfer } from "comlink";
import { DuctusError } from "../../lib/core/errors";
import { isHubAddress } from "../../lib/core/hub-hosts";
import type { RequestNote } from "../../lib/core/request-note";
import { offline } from "../../lib/train/model/hub";
import type { DownloadProgress, HubApi, HubConnections, HubOutlook } from "../../workers/hub-protocol";
import { WorkerHost } from "./worker-host";

const host = new WorkerHost<HubApi>(() => new Worker(new URL("../../workers/hub.worker.ts", import.meta.url), { type: "module", name: "ductus-hub" }));

interface Open {
  abort: AbortController;
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null;
  /** Of the answer, so far. */
  bytes: number;
  note: (bytes: number) => void;
}

/** How long the browser may take to tell that it was the policy which stopped a request. */
const VIOLATION_MS = 100;
/** What the worker may ask along: where to go on. */
const HEADERS: ReadonlySet<string> = new Set(["range"]);

/** @param onRequest is told of each request once it has ended */
function connections(onRequest: (note: RequestNote) => void): HubConnections {
  const open = new Map<number, Open>();
  const end = (id: number): void => {
    const request = open.get(id);
    open.delete(id);
    request?.note(request.bytes);
    request?.abort.abort();
  };
  return {
    ask: async (id, url, headers) => {
      if (!isHubAddress(url)) throw new DuctusError("app/invariant", "Internal check failed: an address that is not the hub's.", "Reload the page. If it happens again, report this with its details.", { details: url });
      const request: Open = { abort: new AbortController(), reader: null, bytes: 0, note: noting(url, onRequest) };
      open.set(id, request);
      const stopped = policyStop();
      try {
        const response = await fetch(url, {
          headers: Object.fromEntries(Object.entries(headers).filter(([name]) => HEADERS.has(name.toLowerCase()))),
          credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", signal: request.abort.signal,
        });
        request.reader = response.body?.getReader() ?? null;
        request.note = noting(url, onRequest, response);
        return { status: response.status, url: response.url, headers: [...response.headers] };
      } catch (error) {
        const refusal = request.abort.signal.aborted ? null : await stopped.find();
        end(id);
        throw refusal ?? offline(error);
      } finally {
        stopped.end();
      }
    },
    more: async (id) => {
      const request = open.get(id);
      const step = await request?.reader?.read().catch((error: unknown) => {
        end(id);
        throw error;
      });
      if (request === undefined || step === undefined || step.done) {
        end(id);
        return null;
      }
      request.bytes += step.value.byteLength;
      return transfer(step.value, [step.value.buffer]);
    },
    leave: end,
  };
}

/** Whether the policy stopped a request: the hub may have sent it on to an address that this site does not know. */
function policyStop(): { find: () => Promise<DuctusError | null>; end: () => void } {
  let address: string | null = null;
  const hear = ({ effectiveDirective, blockedURI }: SecurityPolicyViolationEvent): void => {
    if (effectiveDirective === "connect-src") address = blockedURI;
  };
  document.addEventListener("securitypolicyviolation", hear);
  return {
    find: async () => {
      await new Promise((resolve) => setTimeout(resolve, VIOLATION_MS));
      return address === null ? null : new DuctusError(
        "model/hub-elsewhere", "This page may not ask the address where the hub keeps this file, so the browser stopped it.",
        "Reload this page. If it happens again, download the model’s folder yourself and drop it on the Models page.", { details: address },
      );
    },
    end: () => document.removeEventListener("securitypolicyviolation", hear),
  };
}

/** The hub sends on to signed addresses: what follows the path says nothing to a reader. */
const shown = (address: string): string => address.replace(/\?.*$/s, "?…");

function noting(url: string, onRequest: (note: RequestNote) => void, response?: Response): (bytes: number) => void {
  const startedAt = Date.now();
  const note = (address: string, bytes: number): void => onRequest({ address, initiator: "fetch", startedAt, endedAt: Date.now(), transferBytes: bytes, bytes, byServiceWorker: false, status: response?.status ?? 0 });
  return (bytes) => {
    const sentOn = response?.redirected === true;
    note(url, sentOn ? 0 : bytes);
    if (sentOn) note(shown(response.url), bytes);
  };
}

export const lookUpModel = (name: string, onRequest: (note: RequestNote) => void): Promise<HubOutlook> => host.call((hub) => hub.lookUp(name, proxy(connections(onRequest))));

/** @returns whether it is whole; false where it was stopped */
export function downloadModel(repo: string, onProgress: (progress: DownloadProgress) => void, onRequest: (note: RequestNote) => void): Promise<boolean> {
  return host.call((hub) => hub.download(repo, proxy(connections(onRequest)), proxy(onProgress)));
}

export const stopDownload = (): Promise<void> => host.call((hub) => hub.stop());
