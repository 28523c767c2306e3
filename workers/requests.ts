/**
 * Tells the page what this worker has asked for, so that the settings page can
 * list it: the browser's own record, from the worker's first request on, and
 * what the policy refused. It changes no request. Every worker calls
 * {@link reportRequests} as it begins.
 */
import { REPORT_KEY, requestNotes, type RequestReport } from "../lib/core/request-note";

export function reportRequests(): void {
  const report = (part: Partial<RequestReport>): void => {
    self.postMessage({ [REPORT_KEY]: { who: self.name, requests: [], refusals: [], ...part } satisfies RequestReport });
  };
  self.addEventListener("securitypolicyviolation", (event) => {
    const { blockedURI, effectiveDirective } = event as SecurityPolicyViolationEvent;
    report({ refusals: [{ address: blockedURI, directive: effectiveDirective }] });
  });
  if (typeof PerformanceObserver === "undefined") return;
  const observer = new PerformanceObserver((list) => {
    const requests = requestNotes(list.getEntries(), performance.timeOrigin);
    if (requests.length > 0) report({ requests });
  });
  observer.observe({ type: "resource", buffered: true });
}
