/** A disk that fills up while a run goes on: the run ends all the same, what it learned can be saved as a file, and kept once there is room. */
import { expect, test } from "@playwright/test";
import { beginWith, download, expectState, goTo, RUN_TIMEOUT_MS, SHORT_TEXT, startTraining } from "./person";
import { readTensors } from "./safetensors";
import { stored } from "./stored";
import { watch } from "./watch";

/** Chromium's IndexedDB asks for the room that is left no more often than this. */
const SPACE_IS_BELIEVED_MS = 31_000;

test("what was learned is not lost where there is no room for it", async ({ page, context, baseURL }) => {
  test.setTimeout(2 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  page.on("dialog", (dialog) => void dialog.accept());
  const session = await context.newCDPSession(page);
  const origin = new URL(baseURL!).origin;
  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  await startTraining(page);
  await expectState(page, "training");
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  await page.getByTestId("pause-training").click();
  await expect(page.getByTestId("run-status")).toHaveAttribute("data-paused", "true", { timeout: RUN_TIMEOUT_MS });
  await page.waitForTimeout(SPACE_IS_BELIEVED_MS);
  await page.getByTestId("pause-training").click();

  await expectState(page, "unsaved", RUN_TIMEOUT_MS);
  await expect(page.getByTestId("error")).toHaveAttribute("data-code", "store/full");
  await expect(page.getByTestId("start-training")).toHaveCount(0);
  const file = await test.step("it is there as a file", async () => {
    const { name, bytes } = await download(page, page.getByTestId("save-unsaved"));
    expect(name).toBe("night-bread.safetensors");
    const { tensors } = readTensors(bytes);
    expect([...tensors.values()].some(({ data }) => data.some((value) => value !== 0))).toBe(true);
    return bytes;
  });

  await test.step("still no room: it says so, and loses nothing", async () => {
    await page.getByTestId("keep-unsaved").click();
    await expect(page.getByTestId("keep-unsaved")).toHaveText("Try again to keep it here");
    await expect(page.getByTestId("run-status")).toHaveAttribute("data-state", "unsaved");
  });

  await test.step("it is let go only where that is confirmed", async () => {
    await page.getByTestId("let-go").click();
    await expect(page.getByRole("dialog")).toContainText("will be gone, except for a file that you have downloaded");
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("run-status")).toHaveAttribute("data-state", "unsaved");
  });

  await test.step("another hand's run does not take its place", async () => {
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    await page.getByRole("link", { name: "Ductus, start" }).click();
    await page.getByTestId("sample-letters").click();
    await expect(page).toHaveURL(/\/writing$/);
    await goTo(page, "Train");
    await expect(page.getByTestId("start-training")).toBeDisabled();
    await page.getByText("is not kept yet").getByRole("button", { name: "Go there" }).click();
    await expectState(page, "unsaved");
  });

  await page.getByTestId("keep-unsaved").click();
  await expectState(page, "finished");
  await expect(page.getByTestId("result")).toContainText("Perplexity");
  const { runs, adapters, adapterFiles } = await stored(page);
  expect(runs[0]).toMatchObject({ status: "finished", adapterId: adapters[0]!.id });
  expect(adapterFiles).toEqual([{ adapterId: adapters[0]!.id, bytes: file.byteLength }]);
  expect(seen.faults.filter((fault) => !/Quota/i.test(fault))).toEqual([]);
});
