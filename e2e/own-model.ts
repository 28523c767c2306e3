/** What a person does with a model of their own: drops its folder, says how it is to be held, teaches a hand to it. */
import { expect, type Locator, type Page } from "@playwright/test";
import { RUN_TIMEOUT_MS, START_TIMEOUT_MS } from "./person";

/** Drops a folder of the disk on the middle of the page, as from a file manager. */
export async function dropFolder(page: Page, folder: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const at = { x: 400, y: 400, data: { items: [], files: [folder], dragOperationsMask: 1 } };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) await session.send("Input.dispatchDragEvent", { type, ...at });
  await session.detach();
}

/** What the page has to say about a folder that was dropped: an offer, or why not. */
export function answer(page: Page): Locator {
  return page.locator("[data-testid=model-offer], [data-testid=error]");
}

/** Takes the offer in the given form, and waits until the model is there. */
export async function bringIn(page: Page, bits: "4-bit" | "8-bit" | "16-bit" | "32-bit"): Promise<void> {
  await page.getByTestId("model-offer").getByText(bits).click();
  await page.getByTestId("model-take").click();
  await page.locator("[data-testid=model-added], [data-testid=error]").waitFor({ timeout: RUN_TIMEOUT_MS });
  await expect(page.getByTestId("model-added")).toBeVisible();
}

/** The files of all models in the origin private file system, with their sizes. */
export function modelFiles(page: Page): Promise<{ folder: string; name: string; bytes: number }[]> {
  return page.evaluate(async () => {
    const found: { folder: string; name: string; bytes: number }[] = [];
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("models", { create: true });
    for await (const [folder, handle] of root.entries()) {
      for await (const [name, file] of (handle as FileSystemDirectoryHandle).entries()) found.push({ folder, name, bytes: (await (file as FileSystemFileHandle).getFile()).size });
    }
    return found;
  });
}

/** On the models page: the hand that is open is taught to the model that was brought in. */
export async function teachIt(page: Page): Promise<void> {
  await page.getByTestId("model").getByTestId("choose-model").click();
  await expect(page.getByTestId("model").getByTestId("chosen-model")).toBeVisible();
}

/** Goes on with an interrupted run; the step from which it does. */
export async function goOn(page: Page): Promise<number> {
  await page.getByTestId("go-on").click();
  await page.getByTestId("resumed").waitFor({ timeout: START_TIMEOUT_MS });
  return Number(await page.getByTestId("resumed").getAttribute("data-step"));
}
