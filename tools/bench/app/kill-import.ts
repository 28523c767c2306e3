/** Kills while an archive is read, stored and looked over. Afterwards what was seen to be stored is there, and dropping the same archive again brings the rest, and nothing twice. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { contentsOf } from "./contents";
import { dropFile, sampleText } from "./import-speed";
import { killAfter, pause } from "./kill-tools";
import type { Kills, Round } from "./kills";
import { mixedArchive } from "./mixed-archive";
import { PAGE_TIMEOUT_MS, prepare, RUN_TIMEOUT_MS } from "./run-page";
import { halves, textsOf } from "./survival";

/** Enough for several batches. */
const ARCHIVE_BYTES = 1_500_000;
/** Between two looks at what is stored. */
const LOOK_MS = 50;

export async function* duringImport({ browser, address, moments, progress }: Kills): AsyncIterable<Round> {
  const folder = mkdtempSync(join(tmpdir(), "ductus-bench-"));
  try {
    const path = join(folder, "everything.zip");
    const archive = mixedArchive(ARCHIVE_BYTES, "kills", sampleText());
    writeFileSync(path, archive.bytes);
    const { ms, texts } = await unbroken(browser, address, path);
    if (texts.length !== archive.pieces) throw new Error(`${archive.pieces} pieces were given, ${texts.length} stored without any kill`);
    progress(`without a kill ${Math.round(ms)} ms, ${texts.length} pieces`);
    for (const moment of moments) yield await round(browser, address, path, texts, moment * ms);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openStart(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address, { timeout: PAGE_TIMEOUT_MS });
  await page.getByTestId("drop-input").waitFor({ state: "attached", timeout: PAGE_TIMEOUT_MS });
  await page.waitForLoadState("networkidle", { timeout: PAGE_TIMEOUT_MS });
  return page;
}

async function unbroken(browser: Browser, address: string, path: string): Promise<{ ms: number; texts: string[] }> {
  const context = await browser.newContext();
  try {
    await prepare(context);
    const page = await openStart(context, address);
    const startedAt = performance.now();
    await dropFile(page, path);
    await page.waitForURL(/\/writing$/, { timeout: RUN_TIMEOUT_MS });
    const ms = performance.now() - startedAt;
    return { ms, texts: textsOf(await contentsOf(context, address)) };
  } finally {
    await context.close();
  }
}

async function round(browser: Browser, address: string, path: string, texts: readonly string[], afterMs: number): Promise<Round> {
  const context = await browser.newContext();
  try {
    await prepare(context);
    const page = await openStart(context, address);
    await dropFile(page, path);
    const seen = watchStored(page);
    await killAfter(browser, page, afterMs);
    const acknowledged = seen();
    const after = await contentsOf(context, address);
    const kept = textsOf(after);
    const wrong = [...halves(after), ...strangers(kept, texts)];
    if (kept.length < acknowledged) wrong.push(`${acknowledged} pieces were seen in the store, ${kept.length} are there`);
    const hand = after["hands"]?.[0];
    if ((after["hands"]?.length ?? 0) > 1) wrong.push("one archive made several hands");
    wrong.push(...(await again(context, address, path, texts, hand !== undefined)));
    return { at: `after ${Math.round(afterMs)} ms with ${kept.length} of ${texts.length} pieces stored`, wrong };
  } finally {
    await context.close();
  }
}

/** Pieces that another connection has seen in the store, again and again until it ends with the page. */
function watchStored(page: Page): () => number {
  let most = 0, over = false;
  const look = async (): Promise<void> => {
    while (!over) {
      const count = await page.evaluate(async () => {
        const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error ?? new Error("The database refused."));
        });
        const database = await settled(indexedDB.open("ductus"));
        const found = await settled(database.transaction("documents").objectStore("documents").count());
        database.close();
        return found;
      });
      most = Math.max(most, count);
      await pause(LOOK_MS);
    }
  };
  look().catch(() => undefined); // the page has died
  return () => {
    over = true;
    return most;
  };
}

/** Pieces that are not, whole, those of the archive, or are there twice. */
function strangers(kept: readonly string[], texts: readonly string[]): string[] {
  const known = new Set(texts);
  const strange = kept.filter((text) => !known.has(text));
  return [
    ...(strange.length > 0 ? [`${strange.length} pieces are not as they were read: “${strange[0]!.slice(0, 80)}”`] : []),
    ...(new Set(kept).size < kept.length ? [`${kept.length - new Set(kept).size} pieces are there twice`] : []),
  ];
}

/** The same archive dropped once more, into the hand where there is one. */
async function again(context: BrowserContext, address: string, path: string, texts: readonly string[], hasHand: boolean): Promise<string[]> {
  const page = hasHand ? await context.newPage() : await openStart(context, address);
  if (hasHand) {
    await page.goto(`${address}/writing`, { timeout: PAGE_TIMEOUT_MS });
    await page.getByTestId("hand-name").waitFor({ timeout: PAGE_TIMEOUT_MS });
  }
  await dropFile(page, path);
  if (hasHand) await untilRead(page);
  else await page.waitForURL(/\/writing$/, { timeout: RUN_TIMEOUT_MS });
  await page.close();
  const contents = await contentsOf(context, address);
  const all = textsOf(contents);
  const missing = texts.length - all.filter((text) => texts.includes(text)).length;
  return [...halves(contents), ...strangers(all, texts), ...(missing > 0 ? [`dropped again, ${missing} of ${texts.length} pieces are still missing`] : [])];
}

/** Until an import into a hand that is open has ended, whatever came of it. */
async function untilRead(page: Page): Promise<void> {
  const progress = page.getByTestId("intake-progress");
  await progress.waitFor({ timeout: PAGE_TIMEOUT_MS });
  await progress.waitFor({ state: "detached", timeout: RUN_TIMEOUT_MS });
}
