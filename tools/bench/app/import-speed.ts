/**
 * `app.import_mb_s`: a .zip of mixed files, dropped on the start page, until all
 * that is in it is stored and has been looked over; megabytes of the archive a
 * second, and how long the page did not answer meanwhile. That all of it is there
 * is read past the app's own code.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import { root } from "../../run/deps.mjs";
import type { Line } from "../measure";
import { BLOCK_TARGET_MS, blockFigures, watchBlocks } from "./blocking";
import { contentsOf } from "./contents";
import { mixedArchive, type MixedArchive } from "./mixed-archive";
import { PAGE_TIMEOUT_MS, prepare } from "./run-page";

export const IMPORT = "app.import_mb_s";
const IMPORT_TIMEOUT_MS = 3_600_000;

/** What the words are drawn from: the sample writers. */
export function sampleText(): string {
  return ["allotment", "letters"].flatMap((id) => (JSON.parse(readFileSync(join(root, "public/samples", `${id}.json`), "utf8")) as { pieces: { text: string }[] }).pieces.map(({ text }) => text)).join("\n\n");
}

/** Drops a file of this machine on the window, as from the desktop. */
export async function dropFile(page: Page, path: string): Promise<void> {
  await page.evaluate(`{ const input = document.createElement("input"); input.type = "file"; input.id = "bench-file"; document.body.append(input); }`);
  await page.locator("#bench-file").setInputFiles(path);
  await page.evaluate(`{
    const input = document.querySelector("#bench-file");
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(input.files[0]);
    input.remove();
    for (const type of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }`);
}

/** @param mb of the archive, in millions of bytes */
export async function measureImport(browser: Browser, address: string, mb: number): Promise<Line> {
  const folder = mkdtempSync(join(tmpdir(), "ductus-bench-"));
  const context = await browser.newContext();
  try {
    const archive = mixedArchive(1e6 * mb, "import", sampleText());
    const path = join(folder, "everything.zip");
    writeFileSync(path, archive.bytes);
    await prepare(context);
    const page = await context.newPage();
    await page.goto(address, { timeout: PAGE_TIMEOUT_MS });
    await page.getByTestId("drop-input").waitFor({ state: "attached", timeout: PAGE_TIMEOUT_MS });
    await page.waitForLoadState("networkidle");
    const watch = await watchBlocks(browser, page);
    const startedAt = performance.now();
    await dropFile(page, path);
    await page.waitForURL(/\/writing$/, { timeout: IMPORT_TIMEOUT_MS });
    const seconds = (performance.now() - startedAt) / 1000;
    const blocks = blockFigures(await watch.end());
    await page.close(); // a hundred megabytes of writing in two tabs are of no use
    const contents = await contentsOf(context, address);
    const documents = (contents["documents"] ?? []).map(({ value }) => value);
    const missing = [
      ...(documents.length === archive.pieces ? [] : [`${archive.pieces} pieces were given, ${documents.length} are stored`]),
      ...(documents.every((document) => "look" in document) ? [] : ["some were not looked over"]),
    ];
    return importLine(archive, seconds, blocks, missing);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param missing what is not as it should be, in words */
export function importLine({ bytes, files, pieces, chars }: Pick<MixedArchive, "bytes" | "files" | "pieces" | "chars">, seconds: number, blocks: ReturnType<typeof blockFigures>, missing: readonly string[]): Line {
  const line = {
    name: IMPORT, unit: "MB/s", mb: Math.round(bytes.length / 1e5) / 10, textMb: Math.round(chars / 1e5) / 10, files, pieces, seconds: Math.round(10 * seconds) / 10,
    ...blocks, target: `≤ ${BLOCK_TARGET_MS} ms blocked`, met: blocks.longestBlockMs <= BLOCK_TARGET_MS,
    note: "of the archive; from the drop to the writing page, which is shown when all is stored and looked over; longestBlockMs as of app.longest_block_ms",
  };
  return missing.length > 0 ? { ...line, value: null, error: missing.join("; ") } : { ...line, value: Math.round((1000 * bytes.length) / 1e6 / seconds) / 1000 };
}
