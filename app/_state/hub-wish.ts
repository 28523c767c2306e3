/** What the person wants of the page for downloads, carried there by the tab's own memory: no address can say it, and so no other site. */
const WISH = "ductus-hub-wish";

/** @param repo `owner/name`; null: they will say so there */
export function setWish(repo: string | null): void {
  try {
    if (repo === null) sessionStorage.removeItem(WISH);
    else sessionStorage.setItem(WISH, repo);
  } catch {
    // Without it, they say there what they want.
  }
}

/** Told once: after a reload the page asks for nothing by itself. */
export function takeWish(): string | null {
  try {
    const wish = sessionStorage.getItem(WISH);
    sessionStorage.removeItem(WISH);
    return wish;
  } catch {
    return null;
  }
}
