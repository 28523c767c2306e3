/** What every kind of kill does: the kill itself, and the tabs around it. */
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { killRenderer, renderers } from "../../../e2e/kill";

/** Kills after so many milliseconds; which processes is asked beforehand. */
export async function killAfter(browser: Browser, page: Page, ms: number): Promise<void> {
  const pids = await renderers(browser);
  await pause(ms);
  await kill(browser, page, pids);
}

/** At once. What is left of the page is put away. @param pids of the renderers, where they are known */
export async function kill(browser: Browser, page: Page, pids?: readonly number[]): Promise<void> {
  await killRenderer(browser, page, pids);
  await page.close().catch(() => undefined); // it has crashed
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A tab that may be left whatever it asks. */
export async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
  return page;
}
