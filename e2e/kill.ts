/** Kills the renderer of a page as the system would for want of memory. */
import type { Browser, Page } from "@playwright/test";

/** A busy machine takes its time to notice. */
const DEATH_TIMEOUT_MS = 120_000;

/** Process ids of the browser's renderers. */
export async function renderers(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/** SIGKILL to every renderer; resolves when the page's has died. @param pids of the renderers, where they are known already */
export async function killRenderer(browser: Browser, page: Page, pids?: readonly number[]): Promise<void> {
  const crashed = page.waitForEvent("crash", { timeout: DEATH_TIMEOUT_MS });
  crashed.catch(() => undefined); // awaited below
  for (const pid of pids ?? (await renderers(browser))) process.kill(pid, "SIGKILL");
  await crashed;
}
