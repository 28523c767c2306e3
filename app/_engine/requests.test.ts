import { describe, expect, it, vi } from "vitest";
import { REPORT_KEY, type RequestReport } from "../../lib/core/request-note";

const sent: unknown[] = [];
let channel: { onmessage?: (event: object) => void } = {};
vi.stubGlobal("BroadcastChannel", class {
  onmessage?: (event: object) => void;
  constructor() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the test plays the service worker's end
    channel = this;
  }
  postMessage(message: unknown): void {
    sent.push(message);
  }
});
const { hearWorker, listenForRequests, SERVICE_WORKER } = await import("./requests");

const report = (who: string): RequestReport => ({ who, requests: [], refusals: [] });

describe("reports of requests", () => {
  it("come from workers, those before anybody listened too, and from the service worker; calls are passed over", () => {
    const worker = new EventTarget();
    hearWorker(worker as Worker);
    const say = (data: unknown) => worker.dispatchEvent(new MessageEvent("message", { data }));
    say({ [REPORT_KEY]: report("first") });
    say({ id: "1", type: "RETURN" });
    say("tell");
    say(null);
    const heard: RequestReport[] = [];
    listenForRequests((one) => heard.push(one));
    say({ [REPORT_KEY]: report("second") });
    expect(sent).toEqual(["tell"]);
    channel.onmessage?.({ data: { notes: [{ address: "http://here/" }] } });
    channel.onmessage?.({ data: "tell" }); // another tab asks
    expect(heard.map(({ who }) => who)).toEqual(["first", "second", SERVICE_WORKER]);
    expect(heard[2]?.requests).toEqual([{ address: "http://here/" }]);
  });
});
