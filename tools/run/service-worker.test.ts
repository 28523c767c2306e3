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
  const answer = (url: string, headers: Record<string, string> = {}): Response => {
    const { pathname } = new URL(url, ORIGIN);
    if (headers["rsc"] === "1") return new Response(`data of ${pathname} in build ${build}`, { headers: { "content-type": "text/x-component" } });
    const body = pathname.endsWith("/runtime.json") ? JSON.stringify(["/_next/static/media/ort.1.wasm", "/_next/static/media/ort.asyncify.1.wasm"]) : pathname === "/models/manifest.json" ? JSON.stringify({ models: [{ id: "small", files: [{ path: "config.json" }, { path: "model.safetensors" }] }] }) : pathname.endsWith("/files.json") ? JSON.stringify([`/_next/static/chunks/later-${build}.js`]) : pathname.startsWith("/_next/static/") ? `built by ${pathname}` : `<script src="/_next/static/chunks/build-${build}.js"></script>`;
    const response = new Response(body);
    Object.defineProperty(response, "type", { value: "basic" });
    return response;
  };
  const fetch = (request: string | { url: string; headers: Headers }, { headers = {} }: { headers?: Record<string, string> } = {}) => (online ? Promise.resolve(typeof request === "string" ? answer(request, headers) : answer(request.url, Object.fromEntries(request.headers))) : Promise.reject(new TypeError("offline")));
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
  const self = { addEventListener: (type: string, listener: (event: unknown) => void) => listeners.set(type, listener), skipWaiting: () => Promise.resolve(), clients: { claim: () => Promise.resolve(), matchAll: () => Promise.resolve([{ postMessage: (message: unknown) => told.push(message) }]) }, location: { origin: ORIGIN } };
  const told: unknown[] = [];
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
    data: (path: string, more: Record<string, string> = {}) => dispatch("fetch", { request: { url: `${ORIGIN}${path}`, method: "GET", mode: "cors", headers: new Headers({ rsc: "1", ...more }) } }),
    prepare: (gpu: boolean) => dispatch("message", { data: { prepare: { gpu } } }),
    look: () => dispatch("message", { data: "look" }),
    told,
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

  it("answers the router without a network, with the page's whole data; what the router only prepares, it leaves", async () => {
    const s = site();
    await s.install();
    s.goOffline();
    expect(await (await s.data("/train?_rsc=abc"))!.text()).toBe("data of /train in build 1");
    expect(await (await s.data("/train.txt?_rsc=abc"))!.text()).toBe("data of /train in build 1"); // a host of files
    expect(await (await s.data("/index.txt?_rsc=abc"))!.text()).toBe("data of / in build 1");
    await expect(s.data("/train?_rsc=abc", { "next-router-segment-prefetch": "/_tree" })).rejects.toThrow("offline");
    await expect(s.data("/elsewhere?_rsc=abc")).rejects.toThrow("offline");
  });

  it("has the model and the runtime ready where asked, the graphics processor's only where there is one", async () => {
    const s = site();
    await s.install();
    await s.prepare(false);
    const holdsPath = (path: string) => [...s.stores.values()].filter((cache) => cache.kept.has(absolute(path))).length;
    const files = ["/models/manifest.json", "/models/small/config.json", "/models/small/model.safetensors", "/_next/static/media/ort.1.wasm"];
    expect(files.map(holdsPath)).toEqual([1, 1, 1, 1]);
    expect(s.stores.get("ductus-models")?.kept.size).toBe(3);
    expect(holdsPath("/_next/static/media/ort.asyncify.1.wasm")).toBe(0);
    await s.prepare(true);
    expect(holdsPath("/_next/static/media/ort.asyncify.1.wasm")).toBe(1);
    s.goOffline();
    await s.prepare(true); // and says nothing
  });

  it("looks for a new build when a tab asks, and tells the tabs of one", async () => {
    const s = site();
    await s.install();
    await s.look();
    expect(s.told).toEqual([]);
    s.newBuild();
    await s.look();
    expect(s.told).toEqual(["renewed"]);
    expect(holds(s, 2)).toBe(true);
    s.goOffline();
    await s.look();
    expect(s.told).toEqual(["renewed"]);
    expect(await (await s.data("/chat?_rsc=abc"))!.text()).toBe("data of /chat in build 2");
  });

  it("leaves the page for downloads from the model hub to the browser, and keeps nothing of it", async () => {
    const s = site();
    await s.install();
    for (const address of ["/hub", "/hub?x=1", "/hub?_rsc=abc"]) expect(await s.get(address, "navigate")).toBeUndefined();
    expect([...s.stores.values()].flatMap((cache) => [...cache.kept.keys()]).filter((url) => url.includes("hub"))).toEqual([]);
    expect(await s.get("/hubs", "navigate")).toBeDefined();
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
