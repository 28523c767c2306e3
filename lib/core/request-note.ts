/**
 * A request as the browser's own record has it (W3C Resource Timing): address
 * and sizes, never contents. Shared by the page and its workers, which each have
 * a record of their own; what a request was for is not known here.
 */

/** Times are Unix milliseconds. */
export interface RequestNote {
  /** Whole, without a fragment, which is never sent. */
  address: string;
  /** Who asked, as the browser has it: "script", "fetch", "css", "beacon"… */
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

/** What one context has asked for since its last report. */
export interface RequestReport {
  who: string;
  requests: readonly RequestNote[];
  refusals: readonly RefusalNote[];
}

/** By this a worker's report is told from the messages of calls. */
export const REPORT_KEY = "ductusRequests";

/** Entries of the record, without those that went no further than this device's memory. */
export function requestNotes(entries: readonly PerformanceEntry[], timeOrigin: number): RequestNote[] {
  return entries.filter(({ name }) => !/^(blob|data|about):/.test(name)).map((entry) => {
    const { name, initiatorType, startTime, responseEnd, transferSize, decodedBodySize, encodedBodySize, workerStart, responseStatus } = entry as Omit<PerformanceResourceTiming, "responseStatus"> & { responseStatus?: number };
    return {
      address: name.split("#", 1)[0] ?? "",
      initiator: initiatorType,
      startedAt: timeOrigin + startTime,
      endedAt: timeOrigin + responseEnd,
      transferBytes: transferSize,
      bytes: Math.max(decodedBodySize, encodedBodySize),
      byServiceWorker: workerStart > 0,
      status: responseStatus ?? 0,
    };
  });
}
