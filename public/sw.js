/**
 * Makes the site work without a network after one visit. Built files carry a
 * hash in their name and are served from the cache for good; pages and samples
 * are asked for each time and answered from the cache only when the network
 * does not. A page that names other built files than before comes from a new
 * build: that begins a new cache, and all but the last one before it are deleted,
 * so that a tab still open keeps its files; open tabs are told. Models are kept by the workers
 * themselves, checked by their hashes. Nothing a person writes passes through
 * here: no request of the site has a body.
 */
const PREFIX = "ductus-site-";
const PAGES = ["/", "/writing", "/train", "/models", "/compare", "/chat", "/share", "/settings"];
/** The page for downloads from the model hub (lib/core/hub-hosts.ts). */
const HUB_PAGE = "/hub";
const FILES = ["/manifest.webmanifest", "/app-192.png", "/trusted-types.js", "/theme.js", "/samples/allotment.json", "/samples/letters.json"];

self.addEventListener("install", (event) => {
  event.waitUntil(renew().then(() => self.skipWaiting()));
});

/**
 * From open tabs: "look", now and then, whether there is a new build (what differs is told to all of them); "prepare", once a
 * page has settled, to fetch what the first run needs, so that it can be without a network: the model and the runtime.
 */
self.addEventListener("message", (event) => {
  if (event.data === "look") event.waitUntil(look());
  else if (event.data?.prepare !== undefined) event.waitUntil(prepare(event.data.prepare).catch(() => undefined)); // it is fetched when it is needed
});

async function look() {
  const kept = await match(PAGES[0]);
  const fresh = await fetch(PAGES[0], { cache: "no-cache" }).catch(() => undefined);
  if (kept && fresh?.ok) await compare(kept, fresh);
}

/** Where the workers keep the model's files (workers/model-files.ts), who check them by their hashes. */
const MODELS = "ductus-models", MODEL_LIST = "/models/manifest.json";

async function prepare({ gpu }) {
  const runtime = await (await fetch("/_next/static/runtime.json", { cache: "reload" })).json();
  const site = await currentCache();
  for (const path of runtime.filter((name) => gpu || !/asyncify|webgpu/.test(name))) { // onnxruntime-web's build for graphics processors
    if (await site.match(path)) continue;
    const kept = await match(path);
    if (kept) await site.put(path, kept);
    else await site.add(path);
  }
  const models = await caches.open(MODELS);
  if (await models.match(MODEL_LIST)) return; // from here on the workers see to it
  const list = await fetch(MODEL_LIST);
  const [model] = (await list.clone().json()).models;
  for (const { path } of model.files) await models.add(`/models/${model.id}/${path}`);
  await models.put(MODEL_LIST, list);
}

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

/** What this has asked the network for while it has been awake, for the settings page to list: addresses and sizes, newest last. */
const notes = [];
const MAX_NOTES = 1000;
const listeners = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("ductus-requests");

function note(more) {
  notes.push(...more);
  notes.splice(0, notes.length - MAX_NOTES);
  listeners?.postMessage({ notes: more });
}

if (listeners !== null) {
  listeners.onmessage = ({ data }) => {
    if (data === "tell") listeners.postMessage({ notes });
  };
  new PerformanceObserver((list) => {
    note(list.getEntries().map((entry) => ({
      address: entry.name.split("#", 1)[0], initiator: "service worker", startedAt: performance.timeOrigin + entry.startTime, endedAt: performance.timeOrigin + entry.responseEnd,
      transferBytes: entry.transferSize, bytes: Math.max(entry.decodedBodySize, entry.encodedBodySize), byServiceWorker: false, status: entry.responseStatus ?? 0,
    })));
  }).observe({ type: "resource", buffered: true });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // The site makes no such request; one that were made is to be seen.
  if (request.method !== "GET" && request.method !== "HEAD") note([{ address: request.url.split("#", 1)[0], initiator: request.method, startedAt: Date.now(), endedAt: Date.now(), transferBytes: 0, bytes: 0, byServiceWorker: false, status: 0 }]);
  if (request.method !== "GET" || url.origin !== self.location.origin || url.pathname.startsWith("/models/")) return;
  // It alone may ask the model hub, by the headers that it came with: the browser fetches it itself each time, and no
  // copy of it, or of its headers, is kept. Without a network it could do nothing.
  if (url.pathname === HUB_PAGE) return;
  if (request.headers.has("range")) return;
  event.respondWith(url.pathname.startsWith("/_next/static/") ? fromCache(event) : fromNetwork(event));
});

/** Numbers of our caches, in order; the last is the one in use. */
async function generations() {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX)).map((name) => Number(name.slice(PREFIX.length))).filter(Number.isInteger).sort((a, b) => a - b);
}

async function currentCache() {
  return caches.open(PREFIX + ((await generations()).at(-1) ?? 1));
}

let renewing = null;

/** A new cache with every page, and every built file that a page names; the one before it stays, older ones go. */
function renew() {
  renewing ??= (async () => {
    const before = await generations();
    const number = (before.at(-1) ?? 0) + 1;
    await fill(await caches.open(PREFIX + number));
    for (const old of before.slice(0, -1)) await caches.delete(PREFIX + old);
    if (before.length > 0) for (const client of await self.clients.matchAll({ type: "window" })) client.postMessage("renewed");
  })().finally(() => (renewing = null));
  return renewing;
}

async function fill(cache) {
  const named = new Set(FILES);
  for (const page of PAGES) {
    const response = await fetch(page);
    if (!response.ok) continue;
    await cache.put(page, response.clone());
    for (const path of builtFiles(await response.text())) named.add(path);
    await keepData(cache, page);
  }
  for (const path of await loadedLater()) named.add(path);
  await Promise.allSettled([...named].map((path) => cache.add(path)));
}

/**
 * A page's data, by which the router changes to it without loading it: without a network that would otherwise be a load of
 * the whole page, which ends what goes on in it. Next.js answers at the page's address, a host of files has a file for it.
 */
async function keepData(cache, page) {
  for (const [address, headers] of [[`${page}?_rsc`, { rsc: "1" }], [page === "/" ? "/index.txt" : `${page}.txt`, {}]]) {
    const response = await fetch(address, { headers, cache: "no-cache" }).catch(() => undefined);
    const type = response?.headers.get("content-type") ?? "";
    if (!response?.ok || !/text\/(?:x-component|plain)/.test(type)) continue;
    // Made anew: an answer that was redirected would lead the router on.
    return cache.put(dataKey(page), new Response(await response.blob(), { headers: { "content-type": type } }));
  }
}

const dataKey = (page) => `/page-data?of=${encodeURIComponent(page)}`;

/** Built files that no page names, since they are loaded when they are needed: readers of formats, workers. The build writes the list. */
async function loadedLater() {
  try {
    const response = await fetch("/_next/static/files.json", { cache: "reload" }); // hosts have what is under it kept for good
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

const builtFiles = (html) => [...new Set([...html.matchAll(/\/_next\/static\/[\w./~%[\]()-]+\.(?:js|css|woff2)/g)].map(([path]) => path))].sort();

async function fromCache(event) {
  const { request } = event;
  const kept = await match(request.url);
  // Without its address: a kept answer remembers the one it was first asked for by, fragment and all, and
  // the bundler's workers, which share a script, read from theirs which of them they are.
  if (kept) return new Response(kept.body, { status: kept.status, headers: kept.headers });
  const response = await fetch(request);
  keep(await currentCache(), request, response);
  return response;
}

async function fromNetwork(event) {
  const { request } = event;
  try {
    const response = await fetch(request);
    // Pages' data is kept with the pages, whole.
    if (request.headers.has("rsc")) return response;
    const cache = await currentCache();
    if (request.mode === "navigate" && response.ok) {
      const kept = await cache.match(request.url, { ignoreSearch: true });
      if (kept) event.waitUntil(compare(kept, response.clone()));
      // All that was kept has been deleted by the person, or cleared by the browser.
      else if (!(await cache.match(PAGES[0]))) event.waitUntil(renew());
    }
    keep(cache, request, response);
    return response;
  } catch (error) {
    // Of the router's requests the whole page's data answers the one that it makes when nothing was prepared.
    const isData = request.headers.has("rsc");
    if (isData && request.headers.has("next-router-segment-prefetch")) throw error;
    const page = new URL(request.url).pathname.replace(/\.txt$/, "").replace(/^\/index$/, "/");
    const kept = isData ? await match(dataKey(page)) : await match(request.url, { ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw error;
  }
}

/** Begins a new cache where a page that has just come names other files than the one that was kept. */
async function compare(kept, fresh) {
  const [before, after] = await Promise.all([kept.text(), fresh.text()]);
  if (builtFiles(before).join() !== builtFiles(after).join()) await renew();
}

/** The newest cache's answer. */
async function match(url, options) {
  for (const number of (await generations()).reverse()) {
    const found = await (await caches.open(PREFIX + number)).match(url, options);
    if (found) return found;
  }
  return undefined;
}

/** A copy that breaks off, or finds no room, is not kept, and is no fault. */
function keep(cache, request, response) {
  if (response.ok && response.type === "basic") cache.put(request.url, response.clone()).catch(() => undefined);
}
