/**
 * The model hub, by a stand-in that the browser finds under the hub's own names:
 * off, nothing is asked; on, one page by itself may ask it, and no other address.
 * A download breaks off, is gone on with after a reload, and is brought in.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test as base, type Page } from "@playwright/test";
import { contentSecurityPolicy } from "../security-headers";
import { HUB_SOURCES } from "../lib/core/hub-hosts";
import { startCollector } from "./collector";
import { startFakeHub, STORE, STRANGER, type FakeHub } from "./fake-hub";
import { TINY, writeModelFolder } from "./model-folder";
import { bringIn, modelFiles } from "./own-model";
import { isOurs } from "./watch";
import { tryFromPage, tryFromWorker } from "./ways-out";
import { startWithoutPolicy } from "./without-policy";

const KNOWN = "Qwen/Qwen2.5-0.5B-Instruct";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";

const test = base.extend<object, { hub: FakeHub }>({
  hub: [async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "ductus-hub-"));
    writeModelFolder(join(folder, "model"), TINY);
    const hub = await startFakeHub(join(folder, "model"));
    await use(hub);
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }, { scope: "worker" }],
  launchOptions: [async ({ hub, launchOptions }, use) => use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...hub.args] }), { scope: "worker" }],
});
test.use({ ignoreHTTPSErrors: true });
test.beforeEach(({ hub }) => {
  hub.arrived.length = 0;
  hub.told.clear();
  hub.models.clear();
  hub.serve = () => false;
});

async function turnOn(page: Page): Promise<void> {
  await page.goto("/models");
  await page.getByTestId("hub-switch").click();
  await expect(page.getByTestId("hub-switch")).toBeChecked();
  await expect(page.getByTestId("known-models")).toBeVisible();
}

async function lookUp(page: Page, name: string): Promise<void> {
  await page.getByTestId("hub-name").fill(name);
  await page.getByTestId("hub-look").click();
}

const policyOf = async (page: Page): Promise<string> => (await page.goto("/hub"))?.headers()["content-security-policy"] ?? "";

test("off, it is not there, and asks for nothing; on, faults are said in words", async ({ page, context, hub, baseURL }) => {
  const asked: string[] = [];
  context.on("request", (request) => asked.push(request.url()));
  await test.step("off", async () => {
    await page.goto("/models");
    await expect(page.getByTestId("hub-switch")).not.toBeChecked();
    await expect(page.locator("a[href='/hub']")).toHaveCount(0);
    await expect(page.getByTestId("known-models")).toHaveCount(0);
    const policy = await policyOf(page);
    expect(policy.slice(policy.indexOf("connect-src"))).toBe(contentSecurityPolicy(false, HUB_SOURCES).slice(contentSecurityPolicy(false, HUB_SOURCES).indexOf("connect-src")));
    await expect(page.getByTestId("hub-off")).toBeVisible();
    expect(page.workers().filter(isOurs)).toEqual([]);
    expect(asked.filter((address) => !address.startsWith(`${baseURL}/`))).toEqual([]);
    expect(hub.arrived).toEqual([]);
  });

  await turnOn(page);
  await page.getByTestId("hub-other").click();
  await expect(page).toHaveURL(/\/hub$/);
  hub.models.set("gone/model", { status: 404 }).set("busy/model", { status: 429 }).set("broken/model", { status: 503 }).set("moved/model", { host: STRANGER })
    .set("spoilt/model", { change: (name, bytes) => (name === "model-00001-of-00002.safetensors" ? Buffer.from(bytes).fill(7, 5000, 5100) : bytes) })
    .set("other/kind", { change: (name, bytes) => (name === "config.json" ? Buffer.from(bytes.toString().replace("qwen2", "gptxx")) : bytes) });
  const faults: [name: string, code: string, words: RegExp][] = [
    ["a name", "model/repo-name", /owner\/name/], ["closed/model", "model/hub-denied", /sign in/], ["gone/model", "model/hub-missing", /has no model gone\/model/],
    ["busy/model", "model/hub-busy", /in a few minutes/], ["broken/model", "model/hub-fault", /503/],
  ];
  for (const [name, code, words] of faults) {
    await test.step(name, async () => {
      await lookUp(page, name);
      await expect(page.getByTestId("error")).toHaveAttribute("data-code", code);
      await expect(page.getByTestId("error")).toContainText(words);
    });
  }
  await test.step("a file that is not what the list says", async () => {
    await lookUp(page, "other/kind"); // its config.json, of the same length, is another
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/corrupt");
    await lookUp(page, "spoilt/model");
    await page.getByTestId("hub-download").click();
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/corrupt");
    await expect(page.getByTestId("error")).toContainText("model-00001-of-00002.safetensors did not arrive as the hub lists it");
    await page.getByTestId("begun").getByTestId("hub-delete").click();
    await page.getByTestId("confirm").click();
    await expect(page.getByTestId("begun")).toHaveCount(0);
  });
  await test.step("sent on to a host that the site does not know", async () => {
    await lookUp(page, "moved/model");
    await page.getByTestId("hub-download").click();
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/hub-elsewhere");
    expect(hub.arrived.filter((address) => address.startsWith(STRANGER))).toEqual([]);
  });
  await test.step("no room", async () => {
    hub.models.set("moved/model", {}); // and here again
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: baseURL!, quotaSize: 1 });
    await page.getByTestId("hub-go-on").click();
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "store/full");
    await session.send("Storage.overrideQuotaForOrigin", { origin: baseURL! });
  });
  await test.step("no network", async () => {
    await context.setOffline(true);
    await lookUp(page, "gone/model");
    await expect(page.getByTestId("error")).toHaveAttribute("data-code", "model/offline");
    await context.setOffline(false);
  });
});

test("a download breaks off, is gone on with after a reload, and is brought in", async ({ page, hub }) => {
  hub.models.set(KNOWN, {});
  await turnOn(page);
  await expect(page.getByTestId("known-model").first()).toContainText(/494 million parameters · 995 MB to download · licence apache-2\.0 · \d+ MB in memory here/);
  await page.locator(`[data-repo="${KNOWN}"]`).getByTestId("visit-hub").click();
  await expect(page).toHaveURL(/\/hub$/);
  await expect(page.getByTestId("hub-found")).toContainText(/qwen2, 610,\d+ parameters.*apache-2\.0/s);

  let held = 0;
  hub.serve = (name, from, content, response) => {
    if (name !== FIRST) return false;
    if (from > 0) held++;
    else response.write(content.subarray(0, 200_000), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
  await page.getByTestId("hub-download").click();
  await expect.poll(() => held).toBe(1); // the connection broke, and it asked for the rest by itself
  await expect(page.getByTestId("hub-going")).toBeVisible();
  await page.reload();
  await expect(page.getByTestId("begun")).toHaveAttribute("data-whole", "false");
  expect(Number(await page.getByTestId("begun").getAttribute("data-done"))).toBeGreaterThan(200_000);
  hub.serve = () => false;
  hub.arrived.length = 0;
  await page.getByRole("link", { name: "Back to the models" }).click();
  await page.getByTestId("go-on-download").click();
  await expect(page.getByTestId("download-ended")).toHaveAttribute("data-whole", "true");
  expect(hub.arrived).toEqual([`${FIRST} bytes=200000-`, SECOND].flatMap((file) => ["huggingface.co", `${STORE}/large`].map((host) => `${host}/${KNOWN}/resolve/${COMMIT}/${file}`)));
  expect([...hub.told]).toEqual([]);

  await test.step("on the models page, by a load of its own", async () => {
    await page.getByTestId("download-ended").getByRole("link").click();
    await expect(page).toHaveURL(/\/models$/);
    await page.getByTestId("offer-download").click();
    await expect(page.getByTestId("model-offer")).toContainText(/Qwen2\.5-0\.5B-Instruct.*apache-2\.0/s);
    await expect(page.getByRole("heading", { name: "Bring in one of your own" })).toBeFocused(); // and so in sight
    await bringIn(page, "8-bit");
    await expect(page.getByTestId("model")).toContainText(/Qwen2\.5-0\.5B-Instruct.*8-bit.*apache-2\.0/s);
    await expect(page.getByTestId("download")).toHaveCount(0);
    expect((await modelFiles(page)).map(({ name }) => name)).toContain("model.safetensors");
    expect(await page.evaluate(async () => {
      const names: string[] = [];
      for await (const name of (await (await navigator.storage.getDirectory()).getDirectoryHandle("downloads")).keys()) names.push(name);
      return names;
    })).toEqual([]);
  });
  await test.step("the list of requests tells of it, and nothing else left", async () => {
    await page.getByRole("link", { name: "Settings" }).click();
    await expect(page.getByTestId("network-clean")).toContainText(/but for those of the page for downloads/);
    await expect(page.locator("[data-testid=request-group][data-group=hub] [data-testid=request]").first()).toHaveAttribute("data-address", new RegExp(`^https://huggingface\\.co/api/models/${KNOWN}`));
  });
  await test.step("turned off again, it is as it was", async () => {
    await expect(page.getByTestId("network-summary")).toContainText(/, and \d+ that the page for downloads made in it before/);
    await page.getByTestId("hub-switch").click();
    await expect(page.getByTestId("hub-switch")).not.toBeChecked();
    await page.getByRole("link", { name: "Which models there are" }).click();
    await expect(page.getByTestId("known-models")).toHaveCount(0);
    await page.goto("/hub");
    await expect(page.getByTestId("hub-off")).toBeVisible();
  });
});

test("from the page for downloads nothing arrives but at the hub; without the policy all of it does", async ({ browser, hub, baseURL }) => {
  const collector = await startCollector();
  const unprotected = await startWithoutPolicy();
  const HUB = "https://huggingface.co/leak";
  /** Tries every way from the page and from its worker, there and to the hub. */
  const tryAll = async (site: string): Promise<string[]> => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: site });
    const page = await context.newPage();
    await turnOn(page);
    await page.goto("/hub");
    await lookUp(page, "no name"); // starts the worker
    await expect(page.getByTestId("error")).toBeVisible();
    const worker = page.workers().find(isOurs)!;
    expect(await worker.evaluate(() => self.name)).toBe("ductus-hub");
    const tryTo = async (home: string): Promise<string[]> => (await Promise.all([page.evaluate(tryFromPage, home), worker.evaluate(tryFromWorker, { home, who: "hub-worker" })])).flat().sort();
    const [tried] = await Promise.all([tryTo(collector.address), ...(site === baseURL ? [tryTo(HUB)] : [])]);
    await page.waitForTimeout(1000);
    if (site === baseURL) {
      // What the policy allows ends with the page: another page in its place is loaded anew, whatever leads there.
      const loaded = page.waitForEvent("domcontentloaded");
      await page.evaluate(() => (window as unknown as { next: { router: { push: (to: string) => void } } }).next.router.push("/writing"));
      await loaded;
      await expect(page).toHaveURL(/\/writing$/);
      expect(await page.evaluate(() => new URL(performance.getEntriesByType("navigation")[0]!.name).pathname)).toBe("/writing");
    }
    await context.close();
    return tried;
  };
  const leaked = (): string[] => [...new Set(hub.arrived)].filter((address) => address.includes("/leak/")).map((address) => address.replace("huggingface.co/leak", "")).sort();
  try {
    const tried = await tryAll(unprotected.address);
    expect([...new Set(collector.arrived)].sort()).toEqual(tried);
    collector.arrived.length = 0;
    hub.arrived.length = 0;
    expect((await tryAll(baseURL!)).length).toBeGreaterThan(20);
    expect(collector.arrived).toEqual([]);
    // By fetching alone, and from the page alone. (A prefetch may ask what any directive allows.)
    expect(leaked()).toEqual(["beacon", "events", "fetch", "fetch-no-cors", "prefetch", "xhr"].map((way) => `/page/${way}?secret`).sort());
  } finally {
    unprotected.stop();
    await collector.stop();
  }
});
