/**
 * Tells the page what this worker has asked for, so that the settings page can
 * list it: the browser's own record (W3C Resource Timing), from the worker's
 * first request on, and what the policy refused. Addresses and sizes only; it
 * changes no request. Every worker calls {@link reportRequests} as it begins.
 */

/** One request, as the browser noted it. Times are Unix milliseconds. */
export interface RequestNote {
  /** Whole, without a fragment, which is never sent. */
  address: string;
  /** Who asked in the document's or worker's own words: "script", "fetch", "css", "beacon"… */
  initiator: string;
  startedAt: number;
  endedAt: number;
  /** Bytes over the network, headers included; 0 where it was answered without, or by the service worker. */
  transferBytes: number;
  /** Of the answer, unpacked. */
  bytes: number;
  /** It passed through the service worker. */
  byServiceWorker: boolean;
  /** 0 where it is not known. */
  status: number;
}

/** What the policy stopped before it was sent. */
export interface RefusalNote {
  address: string;
  /** Of the policy, e.g. "connect-src". */
  directive: string;
}

export interface RequestReport {
  /** Name of the worker. */
  who: string;
  requests: readonly RequestNote[];
  refusals: readonly RefusalNote[];
}

/** How a report is told from the messages of calls. */
export const REPORT_KEY = "ductusRequests";

/** What a browser's record has of a request. Also for the page's own record. */
export function noteOf(entry: PerformanceResourceTiming & { responseStatus?: number }, timeOrigin: number): RequestNote {
  return {
    address: entry.name.split("#", 1)[0] ?? "",
    initiator: entry.initiatorType,
    startedAt: timeOrigin + entry.startTime,
    endedAt: timeOrigin + entry.responseEnd,
    transferBytes: entry.transferSize,
    bytes: Math.max(entry.decodedBodySize, entry.encodedBodySize),
    byServiceWorker: entry.workerStart > 0,
    status: entry.responseStatus ?? 0,
  };
}

/** What went no further than this device's memory is no request. */
export const isRequest = (entry: PerformanceEntry): boolean => !/^(blob|data|about):/.test(entry.name);

export function reportRequests(): void {
  const report = (part: Partial<RequestReport>): void => {
    self.postMessage({ [REPORT_KEY]: { who: self.name, requests: [], refusals: [], ...part } satisfies RequestReport });
  };
  self.addEventListener("securitypolicyviolation", (event) => {
    const { blockedURI, effectiveDirective } = event as Event as SecurityPolicyViolationEvent;
    report({ refusals: [{ address: blockedURI, directive: effectiveDirective }] });
  });
  if (typeof PerformanceObserver === "undefined") return;
  const observer = new PerformanceObserver((list) => {
    const requests = list.getEntries().filter(isRequest).map((entry) => noteOf(entry as PerformanceResourceTiming, performance.timeOrigin));
    if (requests.length > 0) report({ requests });
  });
  observer.observe({ type: "resource", buffered: true });
}
