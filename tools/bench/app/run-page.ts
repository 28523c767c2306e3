/** A training run on the page, begun and waited for by buttons, as often as one likes; with steps cut short where that is asked for. */
import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "@playwright/test";

export const PAGE_TIMEOUT_MS = 120_000;
/** A run takes its time on a machine that others use. */
export const RUN_TIMEOUT_MS = 3_600_000;

/** Some 1,600 words, one piece. */
export const OWN_TEXT = readFileSync(new URL("../../../e2e/fixtures/night-bread.txt", import.meta.url), "utf8");
/** Enough for a run of a few steps. */
export const SHORT_TEXT = OWN_TEXT.split("\n\n").slice(0, 6).join("\n\n");

/** What a person may set beside the dial, by the names that the page remembers it under. */
export interface OwnSettings {
  maxSteps?: number;
  evaluations?: number;
  saveSteps?: number;
  batchSize?: number;
  maxLength?: number;
}

/** For every page of a context, before any of its scripts: settings that the train page finds remembered, and what tsx wraps functions in. */
export async function prepare(context: BrowserContext, changes: OwnSettings = {}): Promise<void> {
  await context.addInitScript(`
    globalThis.__name ??= (f) => f;
    try { localStorage.setItem("ductus-recipe", ${JSON.stringify(JSON.stringify({ position: "quick", changes }))}); } catch { /* a page that may store nothing */ }
  `);
}

const state = (states: readonly string[]): string => `[data-testid=run-status]:is(${states.map((name) => `[data-state=${name}]`).join(",")})`;

/** Waits for one of these states. @throws Error with the page's words where the run fails instead */
export async function untilState(page: Page, states: readonly string[], timeoutMs = PAGE_TIMEOUT_MS): Promise<string> {
  await page.locator(state([...states, "failed"])).waitFor({ timeout: timeoutMs });
  const shown = (await page.getByTestId("run-status").getAttribute("data-state")) ?? "";
  if (shown === "failed" && !states.includes("failed")) throw new Error(`The run failed: ${await page.getByTestId("run-status").innerText()}`);
  return shown;
}

/** From the start page: a new hand of one file, on its writing page. */
export async function beginWith(page: Page, address: string, name: string, text: string | Uint8Array): Promise<void> {
  await page.goto(address, { timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("drop-input").setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
  await page.waitForURL(/\/writing$/, { timeout: PAGE_TIMEOUT_MS });
}

export async function beginWithSample(page: Page, address: string, id: string): Promise<void> {
  await page.goto(address, { timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId(`sample-${id}`).click({ timeout: PAGE_TIMEOUT_MS });
  await page.waitForURL(/\/writing$/, { timeout: PAGE_TIMEOUT_MS });
}

export const startRun = (page: Page): Promise<void> => page.getByTestId("start-training").click({ timeout: PAGE_TIMEOUT_MS });

/** Steps of the run on show that was last of all. */
export const stepsDone = (page: Page): Promise<number> => page.evaluate(async () => {
  const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The database refused."));
  });
  const database = await settled(indexedDB.open("ductus"));
  const runs = (await settled(database.transaction("runs").objectStore("runs").getAll() as IDBRequest<{ createdAt: number; step: number }[]>)).sort((a, b) => a.createdAt - b.createdAt);
  database.close();
  return runs.at(-1)?.step ?? 0;
});
