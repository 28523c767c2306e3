/**
 * Makes the site work without a network after one visit. Built files carry a
 * hash in their name and are served from the cache for good; pages and samples
 * are asked for each time and answered from the cache only when the network
 * does not. Models are kept by the workers themselves, checked by their hashes.
 * Nothing a person writes passes through here: no request of the site has a body.
 */
const CACHE = "ductus-site-1";
const PAGES = ["/", "/writing", "/train", "/compare", "/share"];
const FILES = ["/theme.js", "/samples/allotment.json", "/samples/letters.json"];

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || url.pathname.startsWith("/models/")) return;
  if (request.headers.has("range")) return;
  event.respondWith(url.pathname.startsWith("/_next/static/") ? fromCache(request) : fromNetwork(request));
});

/** Every page, and every built file that a page names. */
async function fill() {
  const cache = await caches.open(CACHE);
  const named = new Set(FILES);
  for (const page of PAGES) {
    const response = await fetch(page);
    if (!response.ok) continue;
    await cache.put(page, response.clone());
    for (const [path] of (await response.text()).matchAll(/\/_next\/static\/[\w./~%[\]()-]+\.(?:js|css|woff2)/g)) named.add(path);
  }
  await Promise.allSettled([...named].map((path) => cache.add(path)));
}

async function fromCache(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.url);
  // Without its address: a kept answer remembers the one it was first asked for by, fragment and all, and
  // the bundler's workers, which share a script, read from theirs which of them they are.
  if (kept) return new Response(kept.body, { status: kept.status, headers: kept.headers });
  const response = await fetch(request);
  keep(cache, request, response);
  return response;
}

async function fromNetwork(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    // Page data asked for by the router has an address and headers of its own; pages are enough to go on offline.
    if (!request.headers.has("rsc")) keep(cache, request, response);
    return response;
  } catch (error) {
    const kept = await cache.match(request.url, { ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw error;
  }
}

/** A copy that breaks off, or finds no room, is not kept, and is no fault. */
function keep(cache, request, response) {
  if (response.ok && response.type === "basic") cache.put(request.url, response.clone()).catch(() => undefined);
}
