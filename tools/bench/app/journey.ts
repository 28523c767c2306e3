/**
 * A person's way through the page, timed by the page's own clock: nothing is
 * clicked later than it can be, and the numbers come from IndexedDB, not from
 * what the screens say.
 */
import type { Page } from "@playwright/test";
import type { AdapterReport, Metric, Run } from "../../../lib/store/types";

/** A book takes its time on a small machine. */
const RUN_TIMEOUT_MS = 6 * 3_600_000;
const PAGE_TIMEOUT_MS = 120_000;

/** Notes, by the clock that starts with the navigation: usable, given (the click or the file), first point, finished. */
const CLOCK = `
  globalThis.__name ??= (f) => f; // what tsx wraps the named functions of evaluate() in
  const times = globalThis.benchTimes = {};
  const note = (name) => { times[name] ??= performance.now(); };
  const find = (id) => document.querySelector('[data-testid="' + id + '"]');
  const look = () => {
    const button = find("sample-allotment");
    // React marks the nodes that answer to it.
    if (button && !button.disabled && Object.keys(button).some((key) => key.startsWith("__reactProps"))) note("usable");
    if (Number(find("curve")?.dataset.points ?? 0) > 0) note("firstPoint");
    const state = find("run-status")?.dataset.state;
    if (state === "finished" || state === "failed") note(state);
  };
  addEventListener("click", (event) => { if (event.target.closest?.("[data-testid^=sample-]")) note("given"); }, true);
  addEventListener("change", (event) => { if (event.target.matches?.("[data-testid=drop-input]")) note("given"); }, true);
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  setInterval(look, 20); // what React puts on a node is no mutation
`;

interface Times {
  usable: number;
  given: number;
  firstPoint: number;
  finished: number;
}

const timesOf = (page: Page): Promise<Partial<Times>> => page.evaluate(() => (globalThis as unknown as { benchTimes: Partial<Times> }).benchTimes);

/** Waits for a moment, and gives it. */
async function when(page: Page, name: keyof Times, timeoutMs: number): Promise<number> {
  await page.waitForFunction((wanted) => wanted in (globalThis as unknown as { benchTimes: object }).benchTimes, name, { timeout: timeoutMs, polling: 50 });
  return (await timesOf(page))[name] ?? Number.NaN;
}

/** From the start of the navigation until the start page answers to a click on a sample writer. */
export async function interactiveMs(page: Page, address: string): Promise<number> {
  await page.addInitScript(CLOCK);
  await page.goto(address);
  return when(page, "usable", PAGE_TIMEOUT_MS);
}

export interface Finished {
  /** From the click on the sample writer, or the file, to the first point of the curve. */
  firstPointMs: number;
  /** From there to the end of the run. */
  wholeMs: number;
  run: Run;
  metrics: Metric[];
  report: AdapterReport;
  /** The adapter as one file. */
  file: Uint8Array;
}

/** Gives the writing, trains at once, and waits for the end. @throws Error with the page's words where the run fails */
export async function trainOn(page: Page, address: string, writing: { sample: string } | { file: string }): Promise<Finished> {
  await interactiveMs(page, address);
  if ("sample" in writing) await page.getByTestId(`sample-${writing.sample}`).click();
  else await page.getByTestId("drop-input").setInputFiles(writing.file);
  await page.getByTestId("teach").click({ timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("start-training").click({ timeout: PAGE_TIMEOUT_MS });
  await page.locator("[data-testid=run-status]:is([data-state=finished],[data-state=failed])").waitFor({ timeout: RUN_TIMEOUT_MS });
  const times = await timesOf(page);
  if (times.given === undefined || times.firstPoint === undefined || times.finished === undefined) {
    throw new Error(`The run did not finish: ${await page.getByTestId("run-status").innerText()}`);
  }
  return { firstPointMs: times.firstPoint - times.given, wholeMs: times.finished - times.given, ...(await storedRun(page)) };
}

/** The only run that is stored. */
async function storedRun(page: Page): Promise<Pick<Finished, "run" | "metrics" | "report" | "file">> {
  const { run, metrics, adapter, file } = await page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("The database refused."));
      });
    const database = await settled(indexedDB.open("ductus"));
    const stores = database.transaction(["runs", "metrics", "adapters", "adapterFiles"]);
    const all = (name: string) => settled(stores.objectStore(name).getAll() as IDBRequest<unknown[]>);
    const [runs, points, adapters, files] = [await all("runs"), await all("metrics"), await all("adapters"), await all("adapterFiles")];
    database.close();
    const bytes = (files[0] as { file: Uint8Array }).file;
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return { run: runs[0] as Run, metrics: points as Metric[], adapter: adapters[0] as { report?: AdapterReport }, file: btoa(text) };
  });
  if (adapter.report === undefined) throw new Error("The adapter was not measured.");
  return { run, metrics, report: adapter.report, file: new Uint8Array(Buffer.from(file, "base64")) };
}

export interface Excerpt {
  seed: number;
  prompt: string;
  base: string;
  tuned: string;
}

/** After a run: what base and tuned write on from the first passage of the test part, for each seed. */
export async function excerpts(page: Page, seeds: readonly number[]): Promise<Excerpt[]> {
  await page.getByRole("link", { name: "Read before and after" }).click();
  const prompt = await page.getByTestId("prompt-passage").innerText({ timeout: PAGE_TIMEOUT_MS });
  const written: Excerpt[] = [];
  for (const seed of seeds) {
    await page.getByLabel("Seed", { exact: true }).fill(String(seed));
    await page.getByTestId("compare-run").click();
    await page.locator("[data-testid=pages][data-state=done]").waitFor({ timeout: RUN_TIMEOUT_MS });
    written.push({ seed, prompt, base: await page.getByTestId("base-text").innerText(), tuned: await page.getByTestId("tuned-text").innerText() });
  }
  return written;
}
