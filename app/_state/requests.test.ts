import { describe, expect, it, vi } from "vitest";
import type { RequestNote } from "../../lib/core/request-note";

vi.mock("../_engine/requests", () => ({ listenForRequests: () => undefined, SERVICE_WORKER: "ductus-service-worker" }));
const { allRefusals, allRequests, requests, take } = await import("./requests");

const note = (address: string, startedAt = 1): RequestNote => ({ address, initiator: "fetch", startedAt, endedAt: 2, transferBytes: 1, bytes: 1, byServiceWorker: false, status: 200 });

describe("what this tab has asked for", () => {
  it("is kept with who asked, and announced", () => {
    const before = requests.get().version;
    take({ who: "ductus-writer", requests: [note("http://here/a"), note("http://here/a")], refusals: [] });
    take({ who: "page", requests: [], refusals: [{ address: "http://there/", directive: "connect-src" }] });
    expect(allRequests().map(({ who, address }) => `${who} ${address}`)).toEqual(["ductus-writer http://here/a", "ductus-writer http://here/a"]);
    expect(allRefusals()).toEqual([{ who: "page", address: "http://there/", directive: "connect-src" }]);
    expect(requests.get().version).toBe(before + 2);
  });

  it("has once what the service worker tells again", () => {
    const count = allRequests().length;
    const told = { who: "ductus-service-worker", requests: [note("http://here/b", 5), note("http://here/b", 6)], refusals: [] };
    take(told);
    take({ ...told, requests: [...told.requests, note("http://here/c", 5)] });
    expect(allRequests().slice(count).map(({ address, startedAt }) => `${address} ${startedAt}`)).toEqual(["http://here/b 5", "http://here/b 6", "http://here/c 5"]);
  });
});
