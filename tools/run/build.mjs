/**
 * Builds for production unless the build at hand was made from these very
 * sources. `node tools/run/build.mjs` builds where needed; `--force` always.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureInstalled, root } from "./deps.mjs";

export const buildDirectory = join(root, ".next");
const stamp = join(buildDirectory, "ductus-sources");
const SOURCES = ["app", "lib", "workers", "public", "next.config.ts", "security-headers.ts", "postcss.config.mjs", "tsconfig.base.json", "tsconfig.json", "package-lock.json", "tools/run/inline-scripts.mjs", "tools/run/worker-scripts.mjs", "tools/run/file-list.mjs"];

/** @param {string} name */
const isTest = (name) => /\.test\.tsx?$|[\\/]testing[\\/]/.test(name);

/** Hash of the names and contents of everything that a build is made from. */
function sourcesHash() {
  const files = SOURCES.flatMap((source) => {
    const path = join(root, source);
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return [source];
    return readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(source, name)).filter((name) => statSync(join(root, name)).isFile());
  });
  const hash = createHash("sha256").update(process.version);
  for (const name of files.filter((file) => !isTest(file)).sort()) hash.update(`\0${name}\0`).update(readFileSync(join(root, name)));
  return hash.digest("hex");
}

/** @param {{ force?: boolean }} [options] Ends the process where the build fails. */
export async function ensureBuilt({ force = false } = {}) {
  const sources = sourcesHash();
  if (!force && existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;
  rmSync(stamp, { force: true });
  console.log("Building …");
  const next = join(root, "node_modules", "next", "dist", "bin", "next");
  const result = spawnSync(process.execPath, [next, "build"], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  const { allowInlineScripts } = await import("./inline-scripts.mjs");
  const { trustWorkerScripts } = await import("./worker-scripts.mjs");
  const { listFiles } = await import("./file-list.mjs");
  trustWorkerScripts(buildDirectory);
  listFiles(buildDirectory);
  console.log(`Content-Security-Policy: ${allowInlineScripts(buildDirectory)} inline scripts allowed by hash.`);
  writeFileSync(stamp, sources);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureInstalled();
  await ensureBuilt({ force: process.argv.includes("--force") });
}
