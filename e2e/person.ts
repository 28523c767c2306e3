/** What a person does on the site, in the words of the tests: gives writing, trains, waits, reads, takes away. */
import { readFileSync } from "node:fs";
import { expect, type Download, type Locator, type Page } from "@playwright/test";

/** Some 1,600 words, one piece. */
export const OWN_TEXT = readFileSync(new URL("fixtures/night-bread.txt", import.meta.url), "utf8");
/** Enough for a run of a few steps. */
export const SHORT_TEXT = OWN_TEXT.split("\n\n").slice(0, 6).join("\n\n");

/** A whole run on two cores that others use as well; no test fails for being slow. */
export const RUN_TIMEOUT_MS = 600_000;
/** Whatever a person waits for before the first step: loading, testing, preparing. */
export const START_TIMEOUT_MS = 120_000;

export const textFile = (name: string, text: string | Uint8Array) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });

export const status = (page: Page): Locator => page.getByTestId("run-status");

/** Waits for a state of the run; one that has failed instead is told at once, in the page's words. */
export async function expectState(page: Page, state: string, timeoutMs = START_TIMEOUT_MS): Promise<void> {
  await page.locator(`[data-testid=run-status]:is([data-state=${state}],[data-state=failed])`).waitFor({ timeout: timeoutMs });
  const shown = await status(page).getAttribute("data-state");
  if (shown === "failed" && state !== "failed") throw new Error(`The run failed: ${(await status(page).textContent()) ?? ""}`);
}

/** Gives a file on the page that is open, by its file input, and waits until it has been read. */
export async function giveFile(page: Page, name: string, text: string | Uint8Array): Promise<void> {
  await page.getByTestId("drop-input").setInputFiles(textFile(name, text));
}

/** From the start page: a new hand of one file, on its writing page. */
export async function beginWith(page: Page, name: string, text: string): Promise<void> {
  await page.goto("/");
  await giveFile(page, name, text);
  await expect(page).toHaveURL(/\/writing$/);
}

/** From the writing page: trains, until the first steps have been done. */
export async function startTraining(page: Page): Promise<void> {
  await page.getByTestId("teach").click();
  await page.getByTestId("start-training").click();
}

/** Steps done of the run on show, by its points: each step gives one, so does each check on what was kept aside. */
export async function points(page: Page): Promise<number> {
  return Number(await page.getByTestId("curve").getAttribute("data-points", { timeout: START_TIMEOUT_MS }));
}

export async function expectPoints(page: Page, atLeast: number): Promise<void> {
  await expect.poll(() => points(page), { timeout: RUN_TIMEOUT_MS }).toBeGreaterThanOrEqual(atLeast);
}

/** The two numbers of "Perplexity 206 → 78.1". */
export async function perplexities(result: Locator): Promise<[before: number, after: number]> {
  const found = /Perplexity ([\d.,]+) → ([\d.,]+)/.exec(await result.innerText());
  const number = (text: string | undefined) => Number((text ?? "").replaceAll(",", "").replace(/[.,]$/, ""));
  return [number(found?.[1]), number(found?.[2])];
}

/** On the compare page: both go on from lines of one's own; what each wrote. */
export async function compareFrom(page: Page, lines: string): Promise<{ base: string; tuned: string }> {
  await page.getByTestId("part-read").click();
  await page.getByText("From lines of your own").click();
  await page.getByLabel("Lines to go on from").fill(lines);
  await page.getByTestId("compare-run").click();
  await expect(page.getByTestId("pages")).toHaveAttribute("data-state", "done", { timeout: RUN_TIMEOUT_MS });
  return { base: await page.getByTestId("base-text").innerText(), tuned: await page.getByTestId("tuned-text").innerText() };
}

export async function bytesOf(download: Download): Promise<Buffer> {
  return readFileSync(await download.path());
}

/** Clicks what downloads, and gives its name and bytes. */
export async function download(page: Page, button: Locator): Promise<{ name: string; bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent("download", { timeout: RUN_TIMEOUT_MS }), button.click()]);
  return { name: file.suggestedFilename(), bytes: await bytesOf(file) };
}

/** Follows the line of steps, without loading the page anew. */
export async function goTo(page: Page, step: "Writing" | "Train" | "Compare" | "Chat" | "Take away"): Promise<void> {
  await page.getByRole("navigation", { name: "Steps" }).getByRole("link", { name: new RegExp(`^${step}`) }).click();
  await expect(page).toHaveURL(new RegExp(`/${{ "Writing": "writing", "Train": "train", "Compare": "compare", "Chat": "chat", "Take away": "share" }[step]}(#\\w+)?$`));
}

/** Drops a file on the window, as from the desktop. */
export async function dropOn(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page.evaluate(({ name: fileName, content }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(content)], fileName));
    for (const type of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, { name, content: [...bytes] });
}
