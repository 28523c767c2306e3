/**
 * The site as an app: a browser may install it, every screen is reached without
 * loading a page anew (network off, and days later), and a newer build is
 * offered, but not while something goes on. What the service worker keeps is in
 * tools/run/service-worker.test.ts.
 */
import { expect, test, type Page } from "@playwright/test";
import { beginWith, expectState, goTo, OWN_TEXT, RUN_TIMEOUT_MS, SHORT_TEXT, START_TIMEOUT_MS, startTraining } from "./person";
import { watch } from "./watch";

const SCREENS = ["/", "/writing", "/train", "/models", "/compare", "/chat", "/share", "/settings"];
const DAYS_MS = 3 * 24 * 60 * 60_000;

/** Until the service worker has every page and its data, and this page is served by it. */
async function untilKept(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(async () => {
    const kept = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
    return kept.flat().filter((url) => url.includes("/page-data")).length;
  }), { timeout: START_TIMEOUT_MS }).toBe(SCREENS.length);
}

const mark = (page: Page) => page.evaluate(() => void ((window as unknown as { mark: number }).mark = 1));
const isSamePage = (page: Page) => page.evaluate(() => (window as unknown as { mark?: number }).mark === 1);

test("a browser may install it", async ({ page, context }) => {
  await page.goto("/");
  const session = await context.newCDPSession(page);
  const { errors, data } = (await session.send("Page.getAppManifest")) as { errors: unknown[]; data?: string };
  expect(errors).toEqual([]);
  const manifest = JSON.parse(data!) as { name: string; display: string; icons: { src: string; sizes: string }[] };
  expect(manifest).toMatchObject({ name: "Ductus", display: "standalone", start_url: "/" });
  for (const { src, sizes } of manifest.icons) {
    const size = await page.evaluate((address) => new Promise<number>((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image.naturalWidth);
      image.onerror = () => reject(new Error(`${address} is no image`));
      image.src = address;
    }), src);
    if (sizes !== "any") expect(`${size}x${size}`).toBe(sizes);
  }
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
});

test("network off: a run goes on while all screens are looked at, none of them loaded anew", async ({ page, context, baseURL }) => {
  test.setTimeout(2 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await page.goto("/");
  await untilKept(page);
  await expect.poll(() => page.evaluate(async () => (await caches.match("/models/manifest.json")) !== undefined), { timeout: START_TIMEOUT_MS }).toBe(true); // nothing has been asked of the model yet
  await seen.goOffline();
  await page.reload();
  await page.getByTestId("drop-input").setInputFiles({ name: "night-bread.txt", mimeType: "text/plain", buffer: Buffer.from(OWN_TEXT) });
  await expect(page).toHaveURL(/\/writing$/);
  await mark(page);
  await startTraining(page);
  await expectState(page, "training");
  for (const step of ["Writing", "Compare", "Chat", "Take away"] as const) await goTo(page, step);
  await goTo(page, "Train");
  await page.getByTestId("stop-training").click();
  await expectState(page, "stopped", RUN_TIMEOUT_MS);
  expect(await isSamePage(page)).toBe(true);
});

test("days later, with another build on the server: still none loaded anew; the newer one is offered when nothing goes on", async ({ page, context, baseURL }) => {
  test.setTimeout(2 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await page.clock.install();
  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  await untilKept(page);
  await page.clock.runFor(3000); // pages' data is asked for soon after the page
  await page.waitForLoadState("networkidle");
  await mark(page);
  await seen.goOffline();
  await page.evaluate(() => navigator.serviceWorker.getRegistration().then((registration) => registration?.unregister())); // nobody helps from outside the page
  await page.clock.fastForward(DAYS_MS);
  for (const step of ["Train", "Compare", "Chat", "Take away", "Writing"] as const) await goTo(page, step);
  await page.getByTestId("settings-link").click();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  await goTo(page, "Train");
  await page.getByRole("link", { name: "change", exact: true }).click();
  await expect(page).toHaveURL(/\/models$/);
  expect(await isSamePage(page)).toBe(true);

  await page.evaluate(async () => {
    await (await caches.open("ductus-site-1000000")).put("/_next/static/chunks/of-another-build.js", new Response(""));
    navigator.serviceWorker.dispatchEvent(new MessageEvent("message", { data: "renewed" }));
  });
  await expect(page.getByTestId("update")).toContainText("A newer version of Ductus is there");
  await seen.goOnline();
  await goTo(page, "Train");
  await page.getByTestId("start-training").click();
  await expect(page.getByTestId("update")).toHaveCount(0);
  await expectState(page, "training");
  await expect(page.getByTestId("update")).toHaveCount(0);
  await page.getByTestId("stop-training").click();
  await expectState(page, "stopped", RUN_TIMEOUT_MS);
  await Promise.all([page.waitForEvent("load"), page.getByTestId("update").getByRole("button", { name: "Use it now" }).click()]);
  await expectState(page, "stopped");
});
