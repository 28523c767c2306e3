/** The production page starts in a browser: isolated, with its scripts running, and with nothing refused by its policy. */
import { expect, test, type Page } from "@playwright/test";
import { startWithoutPolicy } from "./without-policy";

test("the page starts, isolated, and its policy refuses nothing of its own", async ({ page }) => {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  const response = await page.goto("/");
  expect(response?.headers()["content-security-policy"]).toContain("connect-src 'self'");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  // React marks the nodes that it has taken over, which needs the inline scripts.
  await page.waitForFunction(() => Object.keys(document.body).concat(Object.keys(document)).some((key) => key.startsWith("__react")));
  expect(complaints).toEqual([]);
});

/** Whether an inline script that no build wrote runs. */
const foreignScriptRuns = (page: Page) =>
  page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.documentElement.dataset.ran = 'yes'";
    document.head.append(script);
    return document.documentElement.dataset["ran"] === "yes";
  });

test("an inline script that the build did not write is refused, by the policy", async ({ page }) => {
  await page.goto("/");
  expect(await foreignScriptRuns(page)).toBe(false);
  const unprotected = await startWithoutPolicy();
  try {
    await page.goto(unprotected.address);
    expect(await foreignScriptRuns(page)).toBe(true);
  } finally {
    unprotected.stop();
  }
});
