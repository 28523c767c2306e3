/**
 * `npm run screenshots`: walks the site as a person with a sample writer would,
 * and takes a picture of every screen and its states on the way: light, dark, and
 * 390 px wide. They go to screenshots/, which is not kept; `--readme` also puts
 * those that the README shows into docs/. Nothing on them is made up: the run is
 * a run, the texts are what the model wrote.
 */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { openSite } from "../bench/app/site";
import { root } from "../run/deps.mjs";
import { walk } from "./walk";

const FOLDER = join(root, "screenshots"), DOCS = join(root, "docs");
/** Shown in the README. */
const CHOSEN = ["start.light.png", "training.light.png", "compare-read.light.png", "chat.dark.png"];

const VARIANTS = [
  { name: "light", colorScheme: "light", width: 1280, height: 900 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 900 },
  { name: "390", colorScheme: "light", width: 390, height: 844 },
  { name: "390.dark", colorScheme: "dark", width: 390, height: 844 },
] as const;

/** What moves is let come to rest. */
const REST_MS = 400;

async function take(page: Page, name: string): Promise<void> {
  for (const { name: variant, colorScheme, width, height } of VARIANTS) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(REST_MS);
    await page.screenshot({ path: join(FOLDER, `${name}.${variant}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: VARIANTS[0].width, height: VARIANTS[0].height });
  console.log(name);
}

async function main(): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const site = await openSite();
  try {
    const page = await site.browser.newPage();
    await walk(page, site.address, (name) => take(page, name));
  } finally {
    await site.close();
  }
  console.log(`The pictures are in ${FOLDER}`);
  if (!process.argv.includes("--readme")) return;
  mkdirSync(DOCS, { recursive: true });
  for (const name of CHOSEN) copyFileSync(join(FOLDER, name), join(DOCS, name));
  console.log(`Those of the README are in ${DOCS}`);
}

await main();
