import { readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { REPORT_KEY, requestNotes, type RequestReport } from "../lib/core/request-note";
import { reportRequests } from "./requests";

const entry = (more: object = {}) => ({ name: "http://here/a.js#params=1", initiatorType: "script", startTime: 5, responseEnd: 9, transferSize: 300, encodedBodySize: 100, decodedBodySize: 250, workerStart: 0, ...more }) as PerformanceResourceTiming;

afterEach(() => vi.unstubAllGlobals());

describe("what a worker has asked for", () => {
  it("is told by every worker as it begins", () => {
    const workers = readdirSync(new URL(".", import.meta.url)).filter((name) => name.endsWith(".worker.ts"));
    expect(workers.length).toBeGreaterThanOrEqual(6);
    for (const name of workers) expect(readFileSync(new URL(name, import.meta.url), "utf8"), name).toMatch(/^reportRequests\(\);$/m);
  });

  it("is the browser's own record, without fragments, in the clock's time", () => {
    expect(requestNotes([entry()], 1000)[0]).toEqual({ address: "http://here/a.js", initiator: "script", startedAt: 1005, endedAt: 1009, transferBytes: 300, bytes: 250, byServiceWorker: false, status: 0 });
    expect(requestNotes([entry({ workerStart: 3, responseStatus: 404 })], 0)).toMatchObject([{ byServiceWorker: true, status: 404 }]);
    expect(requestNotes(["blob:http://here/1", "data:text/plain,x", "http://here/"].map((name) => entry({ name })), 0).map(({ address }) => address)).toEqual(["http://here/"]);
  });

  it("goes to the page from the first request on, and so does what the policy refused", () => {
    const sent: unknown[] = [];
    let refuse: (event: object) => void = () => undefined;
    let observe: (entries: object[]) => void = () => undefined;
    let options: unknown;
    vi.stubGlobal("self", { name: "ductus-writer", postMessage: (message: unknown) => sent.push(message), addEventListener: (_: string, listener: typeof refuse) => (refuse = listener) });
    vi.stubGlobal("PerformanceObserver", class {
      constructor(heard: (list: object) => void) {
        observe = (entries) => heard({ getEntries: () => entries });
      }
      observe(asked: unknown) {
        options = asked;
      }
    });
    reportRequests();
    expect(options).toEqual({ type: "resource", buffered: true });
    observe([entry({ name: "blob:http://here/1" })]);
    expect(sent).toEqual([]);
    observe([entry()]);
    refuse({ blockedURI: "http://elsewhere/", effectiveDirective: "connect-src" });
    const reports = sent.map((message) => (message as Record<string, RequestReport>)[REPORT_KEY]!);
    expect(reports.map(({ who, requests, refusals }) => [who, requests.length, refusals])).toEqual([["ductus-writer", 1, []], ["ductus-writer", 0, [{ address: "http://elsewhere/", directive: "connect-src" }]]]);
  });
});
