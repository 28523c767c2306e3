/** Writing of one's own: dropped or chosen, trained with a pause and an early stop, and with the network off from before the first step. */
import { expect, test, type Page } from "@playwright/test";
import { compareFrom, expectPoints, expectState, goTo, OWN_TEXT, perplexities, points, RUN_TIMEOUT_MS, startTraining, status } from "./person";
import { stored } from "./stored";
import { watch } from "./watch";

/** Lets a file fall on the window, as a hand with a mouse does: enter, over, drop. */
async function dropFile(page: Page, name: string, text: string): Promise<void> {
  const data = await page.evaluateHandle(({ name, text }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], name, { type: "text/plain" }));
    return transfer;
  }, { name, text });
  for (const type of ["dragenter", "dragover"]) await page.dispatchEvent("main", type, { dataTransfer: data });
  await expect(page.getByText("Let go, and they are read here")).toBeVisible();
  await page.dispatchEvent("main", "drop", { dataTransfer: data });
}

/** Milliseconds a step takes here and now, from what the run has stored. */
async function stepMs(page: Page): Promise<number> {
  const times = (await stored(page)).metrics.filter(({ kind }) => kind === "train").sort((a, b) => a.step - b.step).map(({ atMs }) => atMs);
  return (times.at(-1)! - times[0]!) / (times.length - 1);
}

test("an own file dropped on the window: pause, go on, stop and keep; then all of it with the network off", async ({ page, context, baseURL }) => {
  test.setTimeout(3 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await page.goto("/");
  await expect(page.getByTestId("drop-input")).toBeEnabled();
  await dropFile(page, "night-bread.txt", OWN_TEXT);
  await expect(page).toHaveURL(/\/writing$/);
  await expect(page.getByTestId("hand-name")).toHaveText("night-bread");
  await expect(page.getByText(/This is one piece, so it is cut in order/)).toBeVisible();
  expect((await stored(page)).documents).toMatchObject([{ name: "night-bread", text: OWN_TEXT.trim(), encoding: "utf-8" }]);

  await test.step("while it is paused, no step is counted", async () => {
    await startTraining(page);
    await expectPoints(page, 4);
    await page.getByTestId("pause-training").click();
    await expect(status(page)).toHaveAttribute("data-paused", "true", { timeout: RUN_TIMEOUT_MS });
    await expect(page.getByRole("heading", { name: /^Paused/ })).toBeVisible();
    const atPause = await points(page);
    // Time for three more steps, of which only the one that was under way, with its check, may come.
    await page.waitForTimeout(3 * (await stepMs(page)) + 1000);
    const settled = await points(page);
    expect(settled - atPause).toBeLessThanOrEqual(2);
    await page.waitForTimeout(2 * (await stepMs(page)) + 1000);
    expect(await points(page)).toBe(settled);
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(status(page)).toHaveAttribute("data-paused", "false");
    await expectPoints(page, settled + 1);
  });

  await test.step("stopped in the middle, it keeps an adapter, and says what it brought", async () => {
    await page.getByTestId("stop-training").click();
    await expectState(page, "stopped", RUN_TIMEOUT_MS);
    await expect(page.getByRole("heading", { name: /^Stopped after \d+ steps?; what it learned is kept$/ })).toBeVisible();
    await expect(page.getByTestId("result")).toContainText("Perplexity");
    const { runs, adapters, adapterFiles } = await stored(page);
    expect(runs).toMatchObject([{ status: "stopped", adapterId: adapters[0]!.id }]);
    expect(runs[0]!.step).toBeLessThan(runs[0]!.totalSteps);
    expect(adapterFiles).toEqual([{ adapterId: adapters[0]!.id, bytes: adapters[0]!.fileBytes }]);
  });

  seen.expectClean();
  await page.reload(); // both workers begin anew, and have no model yet
  await expectState(page, "stopped");
  await expect(page.getByTestId("start-training")).toBeVisible();
  await seen.goOffline();

  await test.step("network off before the start: it trains again, whole", async () => {
    await page.getByTestId("set-up").click();
    await page.getByTestId("dial-quick").check();
    await page.getByTestId("start-training").click();
    await expectState(page, "finished", RUN_TIMEOUT_MS);
    const [before, after] = await perplexities(page.getByTestId("result"));
    expect(after).toBeLessThan(before);
    expect((await stored(page)).runs.map(({ status }) => status)).toEqual(expect.arrayContaining(["stopped", "finished"]));
  });

  await test.step("network off: compare, of which nothing has been loaded yet", async () => {
    await goTo(page, "Compare");
    const { base, tuned } = await compareFrom(page, "The street was quite empty when I opened the door.");
    expect(tuned).not.toBe(base);
  });
  seen.expectClean();
});
