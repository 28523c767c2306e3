/**
 * Opened over http from another machine, where browsers give a page no threads,
 * no locks, no cache, no place for large files and no hashes of their own: the
 * page says so, and teaches a hand all the same.
 */
import { networkInterfaces } from "node:os";
import { expect, test } from "@playwright/test";
import { beginWith, expectState, RUN_TIMEOUT_MS, SHORT_TEXT, startTraining } from "./person";

/** This machine as others see it: the browser trusts no such address. */
const address = Object.values(networkInterfaces()).flat().find((found) => found !== undefined && !found.internal && found.family === "IPv4")?.address;

test.describe("over plain http", () => {
  test.skip(address === undefined, "this machine has no address that others could use");
  test.use({ baseURL: `http://${address}:${process.env["DUCTUS_TEST_PORT"] ?? 4310}` });

  test("the page says what it lacks, trains, and lets only one tab do so", async ({ page, context }) => {
    test.setTimeout(2 * RUN_TIMEOUT_MS);
    const uncaught: string[] = [];
    context.on("weberror", (error) => uncaught.push(error.error().message));
    await page.goto("/");
    expect(await page.evaluate(() => [isSecureContext, crossOriginIsolated, "locks" in navigator, "subtle" in crypto, "storage" in navigator])).toEqual([false, false, false, false, false]);
    await expect(page.getByText("is not a secure one")).toBeVisible();
    await page.goto("/models");
    await expect(page.getByTestId("no-storage")).toBeVisible();

    await beginWith(page, "night-bread.txt", SHORT_TEXT);
    await startTraining(page);
    await expectState(page, "training");
    const second = await context.newPage();
    await second.goto("/train");
    await expectState(second, "elsewhere");
    await second.close();
    await page.getByTestId("stop-training").click(); // on one thread all of it would take long
    await expectState(page, "stopped", RUN_TIMEOUT_MS);
    await expect(page.getByText("The page is not isolated, so only one thread may be used.")).toBeVisible();
    expect(uncaught).toEqual([]);
  });
});
