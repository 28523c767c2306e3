/** A run that is cut off: by a reload, by the death of its renderer; and one that another tab asks for beside it. */
import { expect, test, type Page } from "@playwright/test";
import { killRenderer } from "./kill";
import { beginWith, expectPoints, expectState, goTo, OWN_TEXT, points, RUN_TIMEOUT_MS, SHORT_TEXT, startTraining } from "./person";
import { countOf, stored, type Stored } from "./stored";
import { watch } from "./watch";

/** Asserts that a run cut off after `before` was seen is shown as such, with all that was there. */
async function expectInterrupted(page: Page, before: Stored): Promise<void> {
  await expectState(page, "interrupted");
  await expect(page.getByRole("heading", { name: "This run was interrupted" })).toBeVisible();
  await expect(page.getByText(/at step \d+ of \d+\. Your writing is safe/)).toBeVisible();
  await expect(page.getByTestId("latest-sample")).not.toBeEmpty();
  await expectPoints(page, before.metrics.filter(({ runId }) => runId === before.runs.at(-1)!.id).length);
  const after = await stored(page);
  expect(after.hands).toEqual(before.hands);
  expect(after.documents).toEqual(before.documents);
  expect(after.metrics.length).toBeGreaterThanOrEqual(before.metrics.length);
  expect(after.samples.length).toBeGreaterThanOrEqual(before.samples.length);
  for (const { id, adapterId } of before.runs) expect(after.runs.find((run) => run.id === id)).toMatchObject({ ...(adapterId === undefined ? {} : { adapterId }) });
  for (const file of before.adapterFiles) expect(after.adapterFiles).toContainEqual(file);
}

test("a reload and a killed renderer in the middle of training lose nothing; a second tab waits its turn", async ({ page, context, browser, baseURL }) => {
  test.setTimeout(3 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  page.on("dialog", (dialog) => void dialog.accept()); // "Leave this page?"
  await beginWith(page, "night-bread.txt", OWN_TEXT);
  await startTraining(page);
  // Past the first check on what was kept aside, from which on the best state is kept.
  await expect.poll(async () => (await stored(page)).adapters.length, { timeout: RUN_TIMEOUT_MS }).toBe(1);

  await test.step("a second tab says that this hand is being learned in another one, and starts nothing", async () => {
    const second = await context.newPage();
    await second.goto("/train");
    await expectState(second, "elsewhere");
    await expect(second.getByText("This hand is being learned in another tab of this browser.")).toBeVisible();
    await expect(second.getByTestId("start-training")).toHaveCount(0);
    await beginWith(second, "other.txt", SHORT_TEXT);
    await startTraining(second);
    await expectState(second, "failed");
    await expect(second.getByTestId("error")).toHaveAttribute("data-code", "train/other-tab");
    expect((await stored(second)).runs).toHaveLength(1);
    // Back to the first hand, which both tabs share.
    await second.getByTestId("hand-name").click();
    await second.locator("#hands").getByText("night-bread").click();
    await expect(second.getByTestId("hand-name")).toContainText("night-bread");
    await second.close();
  });

  await test.step("reload", async () => {
    const before = await stored(page);
    expect(before.runs.at(-1)!.status).toBe("running");
    await page.reload();
    await expectInterrupted(page, before);
    expect((await stored(page)).runs.at(-1)).toMatchObject({ status: "interrupted", adapterId: before.adapters[0]!.id });
    await expect(page.getByText(/It can go on from step \d+, just as if nothing had happened\./)).toBeVisible();
    await goTo(page, "Compare");
    await expect(page.getByRole("heading", { name: "Before and after" })).toBeVisible();
    await goTo(page, "Train");
  });

  seen.expectClean();
  await test.step("on the start page, too, it can go on; SIGKILL of the renderer while it does", async () => {
    await page.getByRole("link", { name: "Ductus, start" }).click();
    await page.getByTestId("interrupted-run").getByTestId("go-on").click();
    await expectState(page, "training");
    const from = Number(await page.getByTestId("resumed").getAttribute("data-step"));
    const shown = await points(page);
    expect(shown).toBeGreaterThanOrEqual(from); // the curve is there from its beginning
    await expectPoints(page, shown + 2);
    const before = await stored(page);
    expect(before.runs.map(({ status }) => status)).toEqual(["running"]);
    await killRenderer(browser, page);
    const reopened = await context.newPage();
    await reopened.goto("/train");
    await expectInterrupted(reopened, before);
    const after = await stored(reopened);
    expect(after.runs.map(({ status }) => status)).toEqual(["interrupted"]);
    for (const hand of before.hands) expect(countOf(after, hand.id).documents).toBe(countOf(before, hand.id).documents);
    // It can go on, or begin anew.
    await expect(reopened.getByTestId("go-on")).toBeEnabled();
    await expect(reopened.getByTestId("start-training")).toBeEnabled();
  });
});
