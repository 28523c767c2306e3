/** Kills the renderer of a page as the system would for want of memory. */
import type { Browser, Page } from "@playwright/test";
import { START_TIMEOUT_MS } from "./person";

/** Process ids of the browser's renderers. */
export async function renderers(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/** SIGKILL to every renderer; resolves when the page's has died. */
export async function killRenderer(browser: Browser, page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash", { timeout: START_TIMEOUT_MS });
  for (const pid of await renderers(browser)) process.kill(pid, "SIGKILL");
  await crashed;
}
