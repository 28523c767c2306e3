/**
 * Nothing leaves the site: whatever a page or a worker tries, nothing arrives at
 * a second server that would take it. With the policy switched off all of it
 * does arrive, or this test would show nothing. (A page may still be led to
 * another address by a link; no policy forbids that.)
 */
import { expect, test, type Page, type Worker } from "@playwright/test";
import { startCollector, type Collector } from "./collector";
import { isOurs, watch } from "./watch";
import { tryFromPage, tryFromWorker } from "./ways-out";
import { startWithoutPolicy } from "./without-policy";

/** Run in the service worker, which has no other ways: it was installed long before, so no script can be imported. */
async function tryFromServiceWorker(home: string): Promise<string[]> {
  const to = (name: string): string => `${home}/service/${name}?secret`;
  const settled = (target: EventTarget): Promise<unknown> => new Promise((resolve) => {
    for (const type of ["error", "open", "close", "message"]) target.addEventListener(type, resolve);
    setTimeout(resolve, 4000);
  });
  const ways: Record<string, () => unknown> = {
    fetch: () => fetch(to("fetch"), { method: "POST", body: "secret" }),
    "fetch-no-cors": () => fetch(to("fetch-no-cors"), { method: "POST", body: "secret", mode: "no-cors" }),
    websocket: () => settled(new WebSocket(to("websocket").replace("http", "ws"))),
  };
  await Promise.all(Object.values(ways).map(async (way) => {
    try {
      await way();
    } catch {
      // Refused; whether anything arrived is seen at the other end.
    }
  }));
  return Object.keys(ways).map((name) => `/service/${name}?secret`);
}

const WORKERS = ["ductus-keeper", "ductus-models", "ductus-trainer", "ductus-writer"];

/** The site's workers by their names; the pages have started them. */
async function workersOf(page: Page): Promise<Map<string, Worker>> {
  const workers = new Map<string, Worker>();
  await expect.poll(async () => {
    for (const worker of page.workers()) {
      if (isOurs(worker)) workers.set(await worker.evaluate(() => self.name), worker);
    }
    return [...workers.keys()].sort();
  }, { timeout: 60_000 }).toEqual(WORKERS);
  return workers;
}

/** Tries every way out of a site's page and workers, served by its service worker as on every visit but the first. */
async function tryAll(page: Page, site: string, home: string): Promise<string[]> {
  await page.goto(site);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.goto(`${site}/train`); // starts the trainer and the writer
  await page.getByRole("link", { name: "Settings" }).click(); // the keeper
  await page.getByRole("link", { name: "Which models there are" }).click(); // the models worker
  expect(await page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  const workers = await workersOf(page);
  const tried = await page.evaluate(tryFromPage, home);
  for (const [who, worker] of workers) tried.push(...(await worker.evaluate(tryFromWorker, { home, who })));
  const [service] = page.context().serviceWorkers();
  tried.push(...(await service!.evaluate(tryFromServiceWorker, home)));
  return tried.sort();
}

/** What arrived, each path once; preflights and repetitions count as one. */
const unique = ({ arrived }: Collector): string[] => [...new Set(arrived)].sort();

test("nothing that a page or a worker tries arrives at another server; without the policy all of it does", async ({ browser, baseURL }) => {
  test.setTimeout(300_000);
  const collector = await startCollector();
  const unprotected = await startWithoutPolicy();
  try {
    await test.step("positive control: no policy", async () => {
      const context = await browser.newContext();
      const tried = await tryAll(await context.newPage(), unprotected.address, collector.address);
      await expect.poll(() => unique(collector)).toEqual(tried);
      await context.close();
    });
    collector.arrived.length = 0;
    await test.step("the site as it is", async () => {
      const context = await browser.newContext();
      const seen = await watch(context, baseURL!);
      const page = await context.newPage();
      const tried = await tryAll(page, baseURL!, collector.address);
      expect(tried.length).toBeGreaterThan(25);
      // A beacon, a prefetch and a frame go their way after the page has done with them.
      await page.waitForTimeout(3000);
      await context.close();
      expect(unique(collector)).toEqual([]);
      // What the other tests rely on: refusals are heard, in the page and in each worker.
      for (const who of ["page", ...WORKERS]) {
        expect(seen.faults.filter((fault) => fault.includes("policy: connect-src") && fault.includes(`${collector.address}/${who}/`)).length, `${who} was refused by the policy, and heard`).toBeGreaterThanOrEqual(4);
      }
    });
  } finally {
    unprotected.stop();
    await collector.stop();
  }
});
