/**
 * `app.script_kb`: the script that a screen asks for before a model is needed,
 * gzip, for somebody who has a hand and visits that screen first; the largest is
 * the figure. Counted is what the page itself loads. What the router fetches
 * ahead for other screens, and the scripts of workers, are told beside it.
 */
import { gzipSync } from "node:zlib";
import type { Browser, Request } from "@playwright/test";
import { aim, type Line } from "../measure";

export const SCRIPT = "app.script_kb";
const TARGET_KB = 250;
const SCREENS = ["/", "/writing", "/train", "/models", "/compare", "/chat", "/share", "/settings"];
const IDLE_MS = 2500;
const PAGE_TIMEOUT_MS = 120_000;

export interface Asked {
  path: string;
  /** By the page, and not by one of its workers. */
  byPage: boolean;
}

export interface ScreenScript {
  screen: string;
  /** Addresses of what the page itself loads, each once. */
  own: string[];
  /** Of what only its workers load. */
  workers: string[];
}

const isScript = (path: string): boolean => /\.m?js$/.test(path);

export function scriptOf(screen: string, asked: readonly Asked[]): ScreenScript {
  const scripts = asked.filter(({ path }) => isScript(path));
  const own = new Set(scripts.filter(({ byPage }) => byPage).map(({ path }) => path));
  return { screen, own: [...own], workers: [...new Set(scripts.map(({ path }) => path))].filter((path) => !own.has(path)) };
}

/** @param kb of a script, by its address */
export function scriptLine(screens: readonly ScreenScript[], aheadByScreen: ReadonlyMap<string, readonly string[]>, kb: (path: string) => number): Line {
  const sum = (paths: readonly string[]): number => paths.reduce((total, path) => total + kb(path), 0);
  const rows = screens.map(({ screen, own, workers }) => ({
    screen, kb: tenths(sum(own)), aheadKb: tenths(sum((aheadByScreen.get(screen) ?? []).filter((path) => !own.includes(path)))), workersKb: tenths(sum(workers)),
  }));
  const value = Math.max(...rows.map((row) => row.kb));
  return {
    name: SCRIPT, value, unit: "KB", n: rows.length, ...aim(value, "≤", TARGET_KB), screens: rows,
    note: "gzip, in thousands of bytes; value: what the largest screen loads itself, with a hand there and no run begun; aheadKb: fetched by the router for other screens while this one is idle; workersKb: of its workers, which are started before they are needed",
  };
}

const tenths = (value: number): number => Math.round(10 * value) / 10;

/** What a screen asks for. @param ahead whether the router may fetch for other screens */
async function ask(browser: Browser, address: string, screen: string, state: string, ahead: boolean): Promise<Asked[]> {
  // The service worker fetches the whole site, to be there without a network; that is no screen's.
  const context = await browser.newContext({ serviceWorkers: "block", storageState: state });
  try {
    const paths: string[] = [];
    const page = await context.newPage();
    if (!ahead) await page.route("**", (route) => ("next-router-prefetch" in route.request().headers() ? route.abort() : route.continue()));
    context.on("request", (request: Request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http")) paths.push(url.pathname);
    });
    await page.goto(address + screen, { timeout: PAGE_TIMEOUT_MS });
    await page.waitForLoadState("networkidle", { timeout: PAGE_TIMEOUT_MS });
    await page.waitForTimeout(IDLE_MS);
    await page.waitForLoadState("networkidle", { timeout: PAGE_TIMEOUT_MS });
    // Of workers, the page's list has the scripts that they are started with, as others than those of its own.
    const listed = await page.evaluate(() => (performance.getEntriesByType("resource") as unknown as { name: string; initiatorType: string }[])
      .flatMap(({ name, initiatorType }) => (["script", "link"].includes(initiatorType) ? [new URL(name).pathname] : [])));
    return paths.map((path) => ({ path, byPage: listed.includes(path) }));
  } finally {
    await context.close();
  }
}

/** A hand of a sample writer, as a state of the browser's that visits can begin with. */
async function withHand(browser: Browser, address: string, path: string): Promise<void> {
  const context = await browser.newContext({ serviceWorkers: "block" });
  try {
    const page = await context.newPage();
    await page.goto(address);
    await page.getByTestId("sample-letters").click({ timeout: PAGE_TIMEOUT_MS });
    await page.waitForURL(/\/writing$/, { timeout: PAGE_TIMEOUT_MS });
    await context.storageState({ path, indexedDB: true });
  } finally {
    await context.close();
  }
}

/** @param statePath of a file to keep the browser's state in */
export async function measureScript(browser: Browser, address: string, statePath: string): Promise<Line> {
  await withHand(browser, address, statePath);
  const screens: ScreenScript[] = [];
  const ahead = new Map<string, string[]>();
  for (const screen of SCREENS) {
    screens.push(scriptOf(screen, await ask(browser, address, screen, statePath, false)));
    ahead.set(screen, scriptOf(screen, await ask(browser, address, screen, statePath, true)).own);
  }
  const sizes = new Map<string, number>();
  for (const path of new Set([...screens.flatMap(({ own, workers }) => [...own, ...workers]), ...[...ahead.values()].flat()])) {
    const answer = await fetch(address + path);
    if (!answer.ok) throw new Error(`${path} is not there: ${answer.status}`);
    sizes.set(path, gzipSync(Buffer.from(await answer.arrayBuffer())).length / 1000);
  }
  return scriptLine(screens, ahead, (path) => sizes.get(path)!);
}
