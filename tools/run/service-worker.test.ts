/** The service worker, run by itself on a made-up site: what it keeps, and that a new build's files take the place of old ones. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";

const source = readFileSync(new URL("../../public/sw.js", import.meta.url), "utf8");
const ORIGIN = "http://site";

class FakeCache {
  readonly kept = new Map<string, Response>();
  match(request: string, { ignoreSearch = false } = {}): Promise<Response | undefined> {
    const key = (url: string) => (ignoreSearch ? url.split("?")[0] : url);
    const found = [...this.kept].find(([url]) => key(url) === key(absolute(request)));
    return Promise.resolve(found?.[1].clone());
  }
  put(request: string, response: Response): Promise<void> {
    this.kept.set(absolute(request), response);
    return Promise.resolve();
  }
  add: (path: string) => Promise<void> = () => Promise.resolve();
}
const absolute = (url: string): string => new URL(url, ORIGIN).href;

function site() {
  const stores = new Map<string, FakeCache>();
  const listeners = new Map<string, (event: unknown) => void>();
  let build = 1, online = true;
  const answer = (url: string): Response => {
    const { pathname } = new URL(url, ORIGIN);
    const body = pathname.endsWith("/files.json") ? JSON.stringify([`/_next/static/chunks/later-${build}.js`]) : pathname.startsWith("/_next/static/") ? `built by ${pathname}` : `<script src="/_next/static/chunks/build-${build}.js"></script>`;
    const response = new Response(body);
    Object.defineProperty(response, "type", { value: "basic" });
    return response;
  };
  const fetch = (request: string | { url: string }) => (online ? Promise.resolve(answer(typeof request === "string" ? request : request.url)) : Promise.reject(new TypeError("offline")));
  const caches = {
    keys: () => Promise.resolve([...stores.keys()]),
    delete: (name: string) => Promise.resolve(stores.delete(name)),
    open: (name: string) => {
      const cache = stores.get(name) ?? new FakeCache();
      cache.add = async (path) => cache.put(path, await fetch(path));
      stores.set(name, cache);
      return Promise.resolve(cache);
    },
  };
  const self = { addEventListener: (type: string, listener: (event: unknown) => void) => listeners.set(type, listener), skipWaiting: () => Promise.resolve(), clients: { claim: () => Promise.resolve() }, location: { origin: ORIGIN } };
  const said: { notes: { address: string; initiator: string }[] }[] = [];
  let hear: (event: object) => void = () => undefined;
  let observe: (list: object) => void = () => undefined;
  class Channel {
    set onmessage(listener: typeof hear) {
      hear = listener;
    }
    postMessage = (message: (typeof said)[number]) => void said.push(structuredClone(message));
  }
  class Observer {
    constructor(heard: typeof observe) {
      observe = heard;
    }
    observe = () => undefined;
  }
  runInContext(source, createContext({ self, caches, fetch, URL, Response, Promise, Set, Number, Date, Math, performance: { timeOrigin: 1000 }, BroadcastChannel: Channel, PerformanceObserver: Observer }));
  const dispatch = async (type: string, more: object = {}): Promise<Response | undefined> => {
    const waits: Promise<unknown>[] = [];
    let response: Promise<Response> | undefined;
    listeners.get(type)?.({ ...more, waitUntil: (p: Promise<unknown>) => waits.push(p), respondWith: (p: Promise<Response>) => (response = p) });
    const given = await response;
    await Promise.all(waits);
    await new Promise((resolve) => setTimeout(resolve)); // copies are put by beside
    return given;
  };
  return {
    stores,
    install: () => dispatch("install"),
    get: (path: string, mode = "no-cors", method = "GET") => dispatch("fetch", { request: { url: `${ORIGIN}${path}`, method, mode, headers: new Headers() } }),
    said,
    ask: () => hear({ data: "tell" }),
    measured: (...names: string[]) => observe({ getEntries: () => names.map((name) => ({ name, startTime: 5, responseEnd: 7, transferSize: 10, decodedBodySize: 9, encodedBodySize: 8 })) }),
    newBuild: () => build++,
    goOffline: () => (online = false),
  };
}

const built = (number: number) => `/_next/static/chunks/build-${number}.js`;
const holds = (s: ReturnType<typeof site>, number: number) => [...s.stores.values()].some((cache) => cache.kept.has(absolute(built(number))));

describe("service worker", () => {
  it("keeps every page with the files it names, and answers from them without a network", async () => {
    const s = site();
    await s.install();
    s.goOffline();
    expect(await (await s.get("/models", "navigate"))!.text()).toContain("build-1");
    expect(await (await s.get("/train?hand=a", "navigate"))!.text()).toContain("build-1");
    expect(await (await s.get(built(1)))!.text()).toBe(`built by ${built(1)}`);
    const later = "/_next/static/chunks/later-1.js"; // named by no page
    expect(await (await s.get(later))!.text()).toBe(`built by ${later}`);
    expect(await s.get("/models/ductus-base/config.json")).toBeUndefined(); // models are the workers' affair
    expect(await s.get("/", "cors", "POST")).toBeUndefined();
  });

  it("fills its cache again where it was emptied", async () => {
    const s = site();
    await s.install();
    s.stores.clear();
    await s.get("/writing", "navigate");
    s.goOffline();
    expect(await (await s.get("/settings", "navigate"))!.text()).toContain("build-1");
    expect(await (await s.get(built(1)))!.text()).toBe(`built by ${built(1)}`);
  });

  it("tells what it has asked for, and what a page has sent; and tells it again on request", async () => {
    const s = site();
    s.measured(`${ORIGIN}/a.js#params=1`);
    expect(s.said).toEqual([{ notes: [{ address: `${ORIGIN}/a.js`, initiator: "service worker", startedAt: 1005, endedAt: 1007, transferBytes: 10, bytes: 9, byServiceWorker: false, status: 0 }] }]);
    await s.get("/b", "cors", "POST");
    await s.get("/c", "cors", "HEAD");
    await s.get("/d", "cors");
    expect(s.said[1]?.notes).toMatchObject([{ address: `${ORIGIN}/b`, initiator: "POST" }]);
    expect(s.said).toHaveLength(2);
    s.ask();
    expect(s.said[2]?.notes.map(({ address }) => address)).toEqual([`${ORIGIN}/a.js`, `${ORIGIN}/b`]);
    s.measured(...Array.from({ length: 1500 }, (_, i) => `${ORIGIN}/${i}`));
    s.ask();
    expect(s.said.at(-1)?.notes).toHaveLength(1000);
    expect(s.said.at(-1)?.notes.at(-1)?.address).toBe(`${ORIGIN}/1499`);
  });

  it("begins a new cache with each new build, and lets go of all but the last two", async () => {
    const s = site();
    await s.install();
    await s.get("/", "navigate");
    expect(s.stores.size).toBe(1); // the same build again is no new one
    for (let number = 2; number <= 4; number++) {
      s.newBuild();
      await s.get("/writing", "navigate");
      expect(holds(s, number)).toBe(true);
      expect(holds(s, number - 1), "for a tab that is still open").toBe(true);
      if (number > 2) expect(holds(s, number - 2)).toBe(false);
    }
    expect(s.stores.size).toBe(2);
    s.goOffline();
    expect(await (await s.get("/train", "navigate"))!.text()).toContain("build-4");
    expect(await (await s.get(built(3)))!.text()).toBe(`built by ${built(3)}`);
  });
});
