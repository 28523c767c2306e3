/** The Content-Security-Policy that the server sends with the page that is open; with the network off, the one that came with the copy kept here. */
const NAME = "content-security-policy";

/** Null where it cannot be had. */
export async function sentPolicy(): Promise<string | null> {
  try {
    return (await fetch(location.pathname, { method: "HEAD", cache: "no-store" })).headers.get(NAME);
  } catch {
    const kept = typeof caches === "undefined" ? undefined : await caches.match(location.pathname).catch(() => undefined);
    return kept?.headers.get(NAME) ?? null;
  }
}
