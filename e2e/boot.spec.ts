/** The production page starts in a browser: isolated, with its scripts running, and with nothing refused by its policy. */
import { expect, test, type Page } from "@playwright/test";
import { UNKNOWN_DIRECTIVE } from "./watch";
import { startWithoutPolicy } from "./without-policy";

test("the page starts, isolated, and its policy refuses nothing of its own", async ({ page }) => {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && message.text() !== UNKNOWN_DIRECTIVE) complaints.push(message.text());
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
    try {
      script.append("document.documentElement.dataset.ran = 'yes'"); // not by the sinks that Trusted Types guard
      document.head.append(script);
    } catch {
      return false;
    }
    return document.documentElement.dataset["ran"] === "yes";
  });

/** Which strings become scripts or markup. */
const stringsTaken = (page: Page) =>
  page.evaluate(() => {
    const tries: Record<string, () => unknown> = {
      markup: () => (document.createElement("p").innerHTML = "<b>x</b>"),
      script: () => (document.createElement("script").textContent = "0"),
      "foreign script": () => (document.createElement("script").src = "https://example.com/x.js"),
      "foreign worker": () => new Worker("https://example.com/x.js"),
      handler: () => document.createElement("p").setAttribute("onclick", "0"),
      "own script": () => (document.createElement("script").src = "/theme.js"),
    };
    return Object.entries(tries).flatMap(([name, attempt]) => {
      try {
        attempt();
        return [name];
      } catch {
        return [];
      }
    });
  });

test("strings become no scripts and no markup, but for the site's own scripts", async ({ page }) => {
  await page.goto("/");
  expect(await stringsTaken(page)).toEqual(["own script"]);
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
