/**
 * Installs the packages of package-lock.json where node_modules does not hold
 * them. Runs before anything is installed, so it uses Node's own modules only.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} Lock */

/** @param {string} path @returns {Lock} */
const readLock = (path) => /** @type {Lock} */ (JSON.parse(readFileSync(path, "utf8")));

/**
 * Compared by content, not by time: a checkout touches the lock without changing it.
 * @param {string} [directory] @returns {boolean}
 */
export function isInstalled(directory = root) {
  const installedLock = join(directory, "node_modules", ".package-lock.json");
  if (!existsSync(installedLock)) return false;
  const wanted = readLock(join(directory, "package-lock.json")).packages;
  const installed = readLock(installedLock).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    const found = installed[path];
    // Optional packages are those of other machines as well.
    return found === undefined ? optional === true : found.version === version;
  });
}

/** Ends the process where the installation fails. Standard output is the command's: what npm says goes to standard error. */
export function ensureInstalled() {
  process.env.NEXT_TELEMETRY_DISABLED = "1";
  if (isInstalled()) return;
  console.error("Installing packages (npm ci) …");
  /** @type {import("node:child_process").StdioOptions} */
  const stdio = ["inherit", 2, "inherit"];
  const npm = process.env.npm_execpath;
  const result = npm?.endsWith("js")
    ? spawnSync(process.execPath, [npm, "ci"], { cwd: root, stdio })
    : spawnSync("npm", ["ci"], { cwd: root, stdio, shell: process.platform === "win32" });
  if (result.status !== 0) {
    console.error("The packages could not be installed. Check the connection to the npm registry, then run the command again.");
    process.exit(1);
  }
}
