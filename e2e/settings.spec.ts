/**
 * The settings as a person uses them: everything saved, deleted, and opened
 * again; the colours without a flash; the device and its self-test; and the list
 * of requests, held against what the browser was seen to ask for.
 */
import { readFileSync } from "node:fs";
import { expect, test, type BrowserContext, type Page } from "@playwright/test";
import { zipSync } from "fflate";
import { contentSecurityPolicy } from "../security-headers";
import { putAdapter } from "./adapter-file";
import { beginWith, download, dropOn, goTo, SHORT_TEXT, START_TIMEOUT_MS } from "./person";
import { watch } from "./watch";

/** Every record of every store, with bytes as numbers: read past the app's own code. */
function records(page: Page): Promise<Record<string, unknown[]>> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("The database refused."));
    });
    const database = await settled(indexedDB.open("ductus"));
    const names = [...database.objectStoreNames];
    const transaction = database.transaction(names);
    const all: Record<string, unknown[]> = {};
    for (const name of names) all[name] = await settled(transaction.objectStore(name).getAll() as IDBRequest<unknown[]>);
    database.close();
    return JSON.parse(JSON.stringify(all, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value))) as Record<string, unknown[]>;
  });
}

/** What lies beside the database. */
function beside(page: Page): Promise<{ caches: Record<string, string[]>; files: string[]; theme: string | null; serviceWorkers: number }> {
  return page.evaluate(async () => {
    const kept: Record<string, string[]> = {};
    for (const name of await caches.keys()) kept[name] = (await (await caches.open(name)).keys()).map(({ url }) => url);
    const files: string[] = [];
    const top = await navigator.storage.getDirectory();
    for await (const name of (top as unknown as { keys(): AsyncIterable<string> }).keys()) files.push(name);
    return { caches: kept, files, theme: localStorage.getItem("ductus-theme"), serviceWorkers: (await navigator.serviceWorker.getRegistrations()).length };
  });
}

test("everything saved, deleted, and opened again is what it was", async ({ page, context, baseURL }) => {
  test.setTimeout(4 * START_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);

  await test.step("with nothing there, there is nothing to save", async () => {
    await page.goto("/settings");
    await expect(page.getByTestId("save-everything")).toBeDisabled();
    await expect(page.getByTestId("storage-figures").locator("div[data-kind=writing]")).toContainText("none");
  });

  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  const [first] = (await records(page))["hands"] as { id: string }[];
  await putAdapter(page, first!.id, "Night bread");
  await page.goto("/");
  await page.getByTestId("sample-letters").click();
  await expect(page).toHaveURL(/\/writing$/);
  await page.evaluate(async () => {
    // As a model that was brought in leaves them, and one that was cut off on its way.
    const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models", { create: true });
    await (await models.getDirectoryHandle("half", { create: true })).getFileHandle("model.safetensors", { create: true });
    await (await caches.open("ductus-models")).put("/models/x", new Response("x".repeat(5000)));
  });
  const before = await records(page);
  for (const store of ["hands", "documents", "runs", "metrics", "samples", "adapters", "adapterFiles", "checkpoints"]) expect(before[store]!.length, store).toBeGreaterThan(0);

  await page.goto("/settings");
  await test.step("what is stored is counted by kind", async () => {
    const figures = page.getByTestId("storage-figures");
    const bytesOf = async (kind: string): Promise<number> => Number(await figures.locator(`div[data-kind=${kind}]`).getAttribute("data-bytes"));
    await expect(page.getByTestId("storage-used")).toContainText("in this browser");
    const texts = (before["documents"] as { text: string }[]).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    expect(await bytesOf("writing")).toBeGreaterThanOrEqual(texts);
    expect(await bytesOf("writing")).toBeLessThan(1.2 * texts);
    expect(await bytesOf("adapters")).toBeGreaterThan((before["adapters"] as { fileBytes: number }[])[0]!.fileBytes);
    expect(await bytesOf("models")).toBe(5000);
    expect(await bytesOf("checkpoints")).toBeGreaterThan(2);
    expect(await bytesOf("runs")).toBeGreaterThan(500);
    await expect.poll(async () => (await page.reload(), await expect(page.getByTestId("storage-used")).toContainText("in this browser"), bytesOf("site"))).toBeGreaterThan(500_000);
    await page.getByTestId("ask-to-persist").click();
    await expect(page.getByTestId("persistence")).toHaveText(/^It was asked, and (has promised|did not promise)/);
  });

  const file = await test.step("saved as one file, with the day in its name", async () => {
    const saved = await download(page, page.getByTestId("save-everything"));
    expect(saved.name).toMatch(/^ductus-\d{4}-\d\d-\d\d\.zip$/);
    await expect(page.getByTestId("saved")).toContainText("2 hands");
    return saved.bytes;
  });

  await test.step("asked twice, and then all of it is gone but the colours and what the page needs", async () => {
    await page.getByText("Dark", { exact: true }).click();
    await page.getByTestId("delete-everything").click();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect((await records(page))["hands"]).toHaveLength(2);
    await page.getByTestId("delete-everything").click();
    await page.getByTestId("confirm").click();
    await expect(page).toHaveURL(/:\d+\/$/);
    const after = await records(page);
    for (const [store, left] of Object.entries(after)) expect(left, store).toEqual([]);
    const left = await beside(page);
    expect(left).toMatchObject({ files: [], theme: "dark", serviceWorkers: 1 });
    expect(Object.keys(left.caches).filter((name) => !name.startsWith("ductus-site-"))).toEqual([]);
    // The start page, which is shown now, asks for its files again; they are the site's.
    for (const url of Object.values(left.caches).flat()) expect(new URL(url).pathname).toMatch(/^\/(samples\/|_next\/static\/|icon\.svg)/);
    await expect(page.getByRole("heading", { name: "Here already" })).toHaveCount(0);
  });

  await test.step("opened on the start page by dropping it there: the same hands, writing, runs, adapters", async () => {
    await dropOn(page, "ductus-backup.zip", file);
    await expect(page).toHaveURL(/\/settings$/);
    await expect(page.getByTestId("opened")).toHaveText(/^Added: “night-bread”, “Lavinia Bunt”\.$/, { timeout: START_TIMEOUT_MS });
    const after = await records(page);
    expect({ ...after, settings: [] }).toEqual({ ...before, settings: [] });
    await page.goto("/share");
    await page.getByTestId("hand-name").click();
    await page.locator("#hands").getByText("night-bread").click();
    await page.goto("/share");
    await expect(page.getByTestId("adapter")).toHaveCount(1);
  });

  await test.step("opened once more, it changes nothing; what is no such file is refused", async () => {
    await page.goto("/settings");
    await page.getByTestId("open-everything").setInputFiles({ name: "again.zip", mimeType: "application/zip", buffer: file });
    await expect(page.getByTestId("opened")).toHaveText("Here already, and left as they are: “night-bread”, “Lavinia Bunt”.");
    for (const bad of [Buffer.from(zipSync({ "letter.txt": Buffer.from(SHORT_TEXT) })), file.subarray(0, file.length - 3000), Buffer.from("no zip")]) {
      await page.getByTestId("open-everything").setInputFiles({ name: "bad.zip", mimeType: "application/zip", buffer: bad });
      await expect(page.getByTestId("error")).toHaveAttribute("data-code", "store/archive");
      await expect(page.getByTestId("opened")).toHaveCount(0);
    }
    expect({ ...(await records(page)), settings: [] }).toEqual({ ...before, settings: [] });
  });

  await test.step("one hand is deleted by itself", async () => {
    await page.getByTestId("delete-other-hand").click();
    await page.getByTestId("confirm").click();
    await expect(page).toHaveURL(/:\d+\/$/);
    expect((await records(page))["hands"]).toHaveLength(1);
  });

  await test.step("after everything was deleted, the site still opens without a network", async () => {
    await page.goto("/settings");
    await page.evaluate(() => caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name)))));
    await page.reload();
    await expect.poll(async () => Object.values((await beside(page)).caches).flat().filter((url) => url.endsWith("/train")).length).toBe(1);
    seen.expectClean();
    await seen.goOffline();
    await page.goto("/train");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
});

test("the colours that were chosen are there before the first paint, after a reload and in another tab", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  // What the page looks like when its body begins, and at each frame from then on.
  await context.addInitScript(() => {
    const looks: string[] = [];
    (window as unknown as { looks: string[] }).looks = looks;
    const note = () => looks.push(getComputedStyle(document.documentElement).backgroundColor);
    new MutationObserver((_, observer) => {
      if (document.body as HTMLElement | null === null) return;
      observer.disconnect();
      note();
      const frame = () => {
        note();
        if (looks.length < 60) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }).observe(document, { childList: true, subtree: true });
  });
  const looks = (of: Page): Promise<string[]> => of.evaluate(() => [...new Set((window as unknown as { looks: string[] }).looks)]);
  const PAPER = "rgb(250, 247, 241)", DARK = "rgb(23, 21, 18)";
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/settings");
  await expect(page.getByRole("radio", { name: "As the system has it" })).toBeChecked();
  expect(await looks(page)).toEqual([PAPER]);
  await page.getByText("Dark", { exact: true }).click();
  await page.reload();
  await expect(page.getByRole("radio", { name: "Dark" })).toBeChecked();
  expect(await looks(page), "dark from the first on").toEqual([DARK]);
  const other = await context.newPage();
  await other.emulateMedia({ colorScheme: "light" });
  await other.goto("/");
  await expect(other.getByRole("heading", { level: 1 })).toBeVisible();
  expect(await looks(other)).toEqual([DARK]);
  await page.getByText("Light", { exact: true }).click();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await expect(page.getByRole("radio", { name: "Light", exact: true })).toBeChecked();
  expect(await looks(page)).toEqual([PAPER]);
  seen.expectClean();
});

test("the device: what will be used, the choice remembered, the self-test's result", async ({ page, context, baseURL }) => {
  const seen = await watch(context, baseURL!);
  await page.goto("/settings");
  await expect(page.getByTestId("device-headline")).toHaveText(/^Processor, /);
  await expect(page.getByText("yes: several threads may share memory")).toBeVisible();
  await page.getByRole("radio", { name: "Processor", exact: true }).check({ force: true });
  await expect(page.getByText("You chose the processor in the settings.")).toBeVisible();
  await page.reload();
  await expect(page.getByRole("radio", { name: "Processor", exact: true })).toBeChecked();
  await expect(page.getByText("You chose the processor in the settings.")).toBeVisible();
  expect((await records(page))["settings"]).toContain("wasm");
  await page.getByTestId("self-test").click();
  await expect(page.getByTestId("test-wasm")).toHaveAttribute("data-result", "passed", { timeout: START_TIMEOUT_MS });
  await expect(page.getByTestId("test-wasm")).toHaveText(/^The processor, with \d+ threads?, calculates correctly \([\d.]+ ms for a short sum\)\.$/);
  await expect(page.getByTestId("test-webgpu")).toHaveAttribute("data-result", "absent", { timeout: START_TIMEOUT_MS });
  await page.locator("#device").getByText("Details", { exact: true }).click();
  await expect(page.locator("#device code")).toContainText("wasm: passed");
  // Its worker is gone again.
  await expect.poll(async () => (await Promise.all(page.workers().map((worker) => Promise.race([worker.evaluate(() => self.name), new Promise<string>((resolve) => setTimeout(resolve, 500, "deaf"))]).catch(() => "gone")))).includes("ductus-self-test")).toBe(false);
  seen.expectClean();
});

/** What the page, its workers and its service worker were seen to ask for, each as often as it was. */
function listen(context: BrowserContext): { own: string[]; kept: string[] } {
  const heard = { own: [] as string[], kept: [] as string[] };
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (!/^https?:$/.test(url.protocol)) return;
    (request.serviceWorker() === null ? heard.own : heard.kept).push(`${url.pathname}${url.search}`);
  });
  return heard;
}

test("the list of requests is what the browser asked for, and nothing else", async ({ page, context, baseURL }) => {
  test.setTimeout(3 * START_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  const heard = listen(context);
  const shown = async (): Promise<{ own: string[]; kept: string[] }> => {
    const rows = await page.getByTestId("request").evaluateAll((all) => all.map((row) => ({ address: row.getAttribute("data-address") ?? "", kept: row.closest("[data-group=offline]") !== null })));
    const of = (kept: boolean) => rows.filter((row) => row.kept === kept).map(({ address }) => address).sort();
    return { own: of(false), kept: of(true) };
  };
  /** Waits until the list has caught up, and holds it against what was heard. */
  const compare = async (): Promise<void> => {
    await expect.poll(async () => (await shown()).own, { timeout: 20_000 }).toEqual([...heard.own].sort());
  };

  await test.step("on the first visit, the service worker's own requests too", async () => {
    await page.goto("/settings");
    await page.evaluate(() => navigator.serviceWorker.ready);
    await compare();
    // The browser looks for the service worker's script by itself.
    await expect.poll(async () => (await shown()).kept, { timeout: 20_000 }).toEqual(heard.kept.filter((path) => path !== "/sw.js").sort());
    expect(heard.kept.length).toBeGreaterThan(10);
    await expect(page.getByTestId("network-clean")).toBeVisible();
  });

  await test.step("served by the service worker, with workers, the model's list and the runtime", async () => {
    heard.own.length = heard.kept.length = 0;
    await page.goto("/settings");
    await expect(page.getByTestId("storage-used")).toContainText("in this browser");
    await page.getByTestId("self-test").click();
    await expect(page.getByTestId("test-webgpu")).toBeVisible({ timeout: START_TIMEOUT_MS });
    // Two more workers, and back without loading the page anew.
    await goTo(page, "Train");
    await expect.poll(() => heard.own.filter((path) => path.includes("turbopack-worker")).length).toBeGreaterThanOrEqual(5);
    await page.goBack();
    await page.getByTestId("policy").getByText("The policy, as this site sent it").click();
    await expect(page.getByTestId("policy-text")).toContainText("connect-src 'self'");
    await compare();
    const { own } = await shown();
    expect(own.some((path) => path.endsWith(".wasm")), "what a worker asked for is there").toBe(true);
    expect(own.filter((path) => path === "/settings"), "the page, and the policy").toHaveLength(2);
    const who = await page.getByTestId("request").evaluateAll((rows) => rows.map((row) => row.children[1]?.textContent ?? ""));
    expect([...new Set(who)]).toEqual(expect.arrayContaining(["the page", "training", "writing", "the self-test", "saving and opening"]));
    const ways = await page.getByTestId("request").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-way")));
    // Whether anything is left for the browser's own cache depends on what the service worker had kept by then.
    expect([...new Set(ways)].filter((way) => way !== "browser").sort()).toEqual(["kept", "network"]);
    await expect(page.getByTestId("network-clean")).toBeVisible();
    for (const group of ["sent", "elsewhere", "unknown"]) await expect(page.locator(`[data-group=${group}]`)).toHaveCount(0);
  });

  await test.step("the policy shown is the one that was sent", async () => {
    const sent = (await page.request.head("/settings")).headers()["content-security-policy"];
    expect((await page.getByTestId("policy-text").innerText()).replaceAll(";\n", "; ")).toBe(sent);
    expect(sent?.startsWith(contentSecurityPolicy(false).split("'sha256-")[0]!)).toBe(true);
  });
  seen.expectClean();

  await test.step("what is no file of the site's, and what carries something, is told", async () => {
    await page.evaluate(async () => (await fetch("/nowhere?dear=diary")).text());
    await expect(page.getByTestId("network-unclean")).toBeVisible();
    await expect(page.locator("[data-group=unknown]")).toContainText("/nowhere?dear=diary");
    await page.evaluate(() => fetch("/theme.js", { method: "POST", body: "dear diary" }).then((answer) => answer.text()));
    await expect(page.locator("[data-group=sent]")).toContainText("POST /theme.js");
    await page.evaluate(() => fetch("http://localhost:9/elsewhere").catch(() => undefined));
    await expect(page.getByTestId("refusals")).toContainText("http://localhost:9/elsewhere");
  });
});

test("the version is the package's, and every package has its licence", async ({ page }) => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  await page.goto("/settings");
  await expect(page.getByTestId("version")).toHaveText(version);
  await page.getByText("All of them, by licence").click();
  await expect(page.locator(".licences")).toContainText("onnxruntime-web");
});
