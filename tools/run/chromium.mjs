/**
 * Finds a Chromium for tests and benchmarks, and installs one where there is
 * none. The order: DUCTUS_CHROMIUM, the system's, Playwright's own.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const APPLICATIONS = ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

const isRoot = process.getuid?.() === 0;

/** Chromium's sandbox refuses root. The rest keeps the browser from talking to its maker. */
export const chromiumArgs = [
  ...(isRoot ? ["--no-sandbox"] : []),
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param {string} path @returns {boolean} whether it starts: some systems install a stand-in that does not */
const runs = (path) => existsSync(path) && spawnSync(path, ["--version"], { timeout: 20_000 }).status === 0;

/** @returns {string | undefined} */
function playwrightChromium() {
  try {
    const { chromium } = /** @type {typeof import("@playwright/test")} */ (createRequire(import.meta.url)("@playwright/test"));
    return chromium.executablePath();
  } catch {
    return undefined;
  }
}

/** @returns {string | undefined} path of a Chromium that starts */
export function findChromium() {
  const named = process.env.DUCTUS_CHROMIUM;
  if (named !== undefined && named !== "") {
    if (runs(named)) return named;
    throw new Error(`DUCTUS_CHROMIUM is ${named}, which does not start. Correct it or unset it.`);
  }
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  // A Windows Chrome prints no version; Playwright's own serves there.
  return [...onPath, ...APPLICATIONS, playwrightChromium() ?? ""].find((path) => path !== "" && runs(path));
}

/** @returns {string} path of a Chromium; ends the process where none can be had */
export function ensureChromium() {
  const found = findChromium();
  if (found !== undefined) return found;
  console.log("No Chromium found. Installing one …");
  const options = /** @type {const} */ ({ stdio: "inherit" });
  if (isRoot && spawnSync("apt-get", ["--version"]).status === 0) {
    spawnSync("apt-get", ["update"], options);
    spawnSync("apt-get", ["install", "-y", "chromium"], options);
  }
  if (findChromium() === undefined) spawnSync("npx", ["playwright", "install", "chromium"], { ...options, shell: process.platform === "win32" });
  const installed = findChromium();
  if (installed === undefined) {
    console.error("No Chromium could be installed. Install Chromium or Chrome and name its program in DUCTUS_CHROMIUM.");
    process.exit(1);
  }
  return installed;
}
