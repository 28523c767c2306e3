/**
 * Every screen, with something on it, in light and dark: no fault that axe can
 * find by the rules of WCAG 2.0 to 2.2, A and AA, and nothing wider than a
 * telephone. And the way from the start to a training run by keyboard alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type Locator, type Page } from "@playwright/test";
import { TINY, writeModelFolder } from "./model-folder";
import { bringIn } from "./own-model";
import { compareFrom, expectPoints, expectState, giveFile, goTo, OWN_TEXT, RUN_TIMEOUT_MS, textFile } from "./person";
import { watch } from "./watch";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };

/** Checks the screen as it stands, in both colours, wide and narrow. */
async function check(page: Page, screen: string): Promise<void> {
  await test.step(screen, async () => {
    for (const size of [WIDE, NARROW]) {
      await page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
        const faults = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ""}`));
        expect.soft(faults, `${screen}, ${colorScheme}, ${size.width} px wide`).toEqual([]);
      }
      await expectNoSidewaysScroll(page, `${screen}, ${size.width} px wide`);
    }
    await page.setViewportSize(WIDE);
  });
}

/** Nothing that is not itself made to scroll is cut off, or reached only by scrolling sideways. */
async function expectNoSidewaysScroll(page: Page, screen: string): Promise<void> {
  const sticking = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element: Element | null): boolean => element !== null && (["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.querySelectorAll("body *")]
      .filter((element) => {
        const { left, right, width: own, height } = element.getBoundingClientRect();
        // Text for screen readers is a point out of sight.
        return own > 1 && height > 1 && (right > width + 1 || left < -1) && !scrolls(element.parentElement) && element.closest(".sr-only, .skip") === null;
      })
      .map((element) => element.outerHTML.slice(0, 160));
  });
  expect.soft(sticking, `${screen}: sticks out`).toEqual([]);
  expect.soft(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), `${screen}: scrolls sideways`).toBe(0);
}

/** Presses Tab until the target has the focus, as someone does who cannot see how far it is. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  await expect(target).toBeEnabled();
  for (let i = 0; i < 150; i++) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) {
      const visible = await target.evaluate((element) => {
        const holder = element.closest("label") ?? element;
        return [element, holder].some((e) => getComputedStyle(e).outlineStyle !== "none" || getComputedStyle(e).boxShadow !== "none");
      });
      expect(visible, "the focus can be seen").toBe(true);
      return;
    }
  }
  throw new Error(`${target.toString()} is not reached by Tab`);
}

test("every screen with nothing there yet", async ({ page }) => {
  test.setTimeout(RUN_TIMEOUT_MS);
  for (const path of ["/", "/writing", "/train", "/models", "/compare", "/chat", "/share", "/hub", "/nowhere"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText("Opening…")).toHaveCount(0);
    if (path === "/") await expect(page.getByTestId("sample-letters")).toBeEnabled();
    await check(page, `${path}, empty`);
  }
  await page.goto("/");
  await giveFile(page, "empty.txt", "");
  await expect(page.getByTestId("error")).toBeVisible();
  await check(page, "/, with an error");
  await page.goto("/models");
  await page.getByTestId("hub-switch").click();
  await expect(page.getByTestId("known-model").first()).toBeVisible();
  await check(page, "/models, the hub turned on");
  await page.getByTestId("hub-other").click();
  await page.getByTestId("hub-name").fill("no name");
  await page.getByTestId("hub-look").click();
  await expect(page.getByTestId("error")).toBeVisible();
  await check(page, "/hub, with an error");
});

let modelFolder: string;
test.beforeAll(() => {
  modelFolder = join(mkdtempSync(join(tmpdir(), "ductus-a11y-")), "Tiny-Qwen");
  writeModelFolder(modelFolder, TINY);
});
test.afterAll(() => rmSync(dirname(modelFolder), { recursive: true, force: true }));

test("by keyboard alone from the start to a run, then every screen with something on it", async ({ page, context, baseURL }) => {
  test.setTimeout(3 * RUN_TIMEOUT_MS);
  const seen = await watch(context, baseURL!);
  await test.step("by keyboard", async () => {
    await page.goto("/");
    const input = page.getByTestId("drop-input");
    await tabTo(page, input);
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
    await chooser.setFiles(textFile("night-bread.txt", OWN_TEXT));
    await expect(page).toHaveURL(/\/writing$/);
    await tabTo(page, page.getByTestId("teach"));
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/train$/);
    await tabTo(page, page.getByTestId("start-training"));
    await page.keyboard.press("Enter");
    await expectState(page, "training");
  });
  await expectPoints(page, 3);
  await tabTo(page, page.getByTestId("pause-training"));
  await page.keyboard.press("Space");
  await expect(page.getByRole("heading", { name: /^Paused/ })).toBeVisible({ timeout: RUN_TIMEOUT_MS });
  await check(page, "/train, going on");
  await page.getByTestId("stop-training").click();
  await expectState(page, "stopped", RUN_TIMEOUT_MS);
  await page.getByText("The figures as a table").click();
  await page.getByText("Recipe").click();
  await check(page, "/train, over");

  await goTo(page, "Compare");
  await check(page, "/compare, before it is asked");
  await page.getByTestId("compare-run").click();
  await expect(page.getByTestId("pages")).toHaveAttribute("data-state", "done", { timeout: RUN_TIMEOUT_MS });
  await check(page, "/compare, from a passage");
  await compareFrom(page, "I went down to the gate.");
  await page.getByText("From key words").click();
  await check(page, "/compare, key words");
  await page.getByTestId("part-measured").click();
  await expect(page.getByTestId("measure")).toBeVisible();
  await check(page, "/compare, measured by its run");
  await page.getByTestId("measure").click();
  await expect(page.getByTestId("scores")).toHaveAttribute("data-whole", "true", { timeout: RUN_TIMEOUT_MS });
  await check(page, "/compare, measured in full");
  await page.getByTestId("part-judge").click();
  await page.getByLabel("Pairs").selectOption("10");
  await check(page, "/compare, before judging");
  await page.getByTestId("judge-begin").click();
  await expect(page.getByTestId("judge-writing")).toContainText("4 of 10 pairs", { timeout: RUN_TIMEOUT_MS });
  await page.getByTestId("judge-stop").click();
  await expect(page.getByTestId("judge-now")).toBeVisible({ timeout: RUN_TIMEOUT_MS });
  await check(page, "/compare, pairs stopped on the way");
  await page.getByTestId("judge-now").click();
  await expect(page.getByTestId("judge-card")).toBeVisible();
  await check(page, "/compare, a pair to judge");
  await page.keyboard.press("1");
  await page.getByTestId("judge-end").click();
  await page.getByTestId("judge-uncovered").click();
  await check(page, "/compare, judged");

  await goTo(page, "Chat");
  await check(page, "/chat, before a word");

  await goTo(page, "Take away");
  await check(page, "/share");
  await page.getByTestId("delete-adapter").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await check(page, "/share, asking before it deletes");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await goTo(page, "Train");
  await page.getByRole("link", { name: "change" }).click();
  await expect(page.getByTestId("chosen-model")).toBeVisible();
  await page.getByTestId("model-folder").setInputFiles(modelFolder);
  await expect(page.getByTestId("model-offer")).toBeVisible();
  await check(page, "/models, a folder offered");
  await bringIn(page, "8-bit");
  await check(page, "/models, with a model of one's own");
  await page.getByTestId("delete-model").click();
  await page.getByTestId("confirm").click();
  await expect(page.getByTestId("model")).toHaveCount(0);

  await goTo(page, "Writing");
  await check(page, "/writing");
  await page.getByTestId("hand-name").click();
  await expect(page.locator("#hands")).toBeVisible();
  await check(page, "/writing, hands open");
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Ductus, start" }).click();
  await expect(page.getByRole("heading", { name: "Here already" })).toBeVisible();
  await check(page, "/, with a hand");
  await page.getByRole("button", { name: "Paste text" }).click();
  await check(page, "/, pasting");
  seen.expectClean();
});
