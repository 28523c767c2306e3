/**
 * `npm run build:static`: the site as files in out/, for a host that serves
 * folders, with its headers in out/_headers (the form that Netlify, Cloudflare
 * Pages and others read). Next.js builds both kinds in .next, so the build that
 * `npm start` serves is put aside meanwhile.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { buildDirectory } from "./build.mjs";
import { ensureInstalled, root } from "./deps.mjs";
import { listFiles } from "./file-list.mjs";
import { hashesOfPages, htmlFiles, withHashes } from "./inline-scripts.mjs";
import { trustWorkerScripts } from "./worker-scripts.mjs";

const out = join(root, "out");
const aside = `${buildDirectory}-served`;
const POLICY = "Content-Security-Policy";
/** The one address whose answer has another policy (lib/core/hub-hosts.ts). */
const HUB_PAGE = "/hub";
/** Cloudflare Pages: longer lines are passed over. */
const MAX_LINE = 2000;

/** @returns {Promise<typeof import("../../security-headers")>} */
async function headersModule() {
  const { outputFiles } = await build({ entryPoints: [join(root, "security-headers.ts")], bundle: true, format: "esm", write: false });
  const script = /** @type {typeof outputFiles[number]} */ (outputFiles[0]).text;
  return /** @type {typeof import("../../security-headers")} */ (await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
}

ensureInstalled();
rmSync(out, { recursive: true, force: true });
rmSync(aside, { recursive: true, force: true });
if (existsSync(buildDirectory)) renameSync(buildDirectory, aside);
const next = spawnSync(process.execPath, [join(root, "node_modules", "next", "dist", "bin", "next"), "build"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, DUCTUS_STATIC: "1", NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
});
rmSync(buildDirectory, { recursive: true, force: true });
if (existsSync(aside)) renameSync(aside, buildDirectory);
if (next.status !== 0) process.exit(next.status ?? 1);

trustWorkerScripts(join(out, "_next"));
listFiles(join(out, "_next"));
const hashes = hashesOfPages(htmlFiles(out));
const { securityHeaders, hubPolicy } = await headersModule();
const line = (/** @type {import("./inline-scripts.mjs").Header} */ { key, value }) => `  ${key}: ${key === POLICY ? withHashes(value, hashes) : value}`;
const rules = [
  "/*", ...securityHeaders(false).map(line),
  // Headers of all rules that fit are sent, so the first is taken off (`!`). Where a host does not know that sign both
  // hold, and this page can ask no more than the others.
  HUB_PAGE, `  ! ${POLICY}`, line(hubPolicy(false)),
  // Built files carry a hash in their name. Such hosts have a browser ask each time for everything else.
  "/_next/static/*", "  Cache-Control: public, max-age=31536000, immutable",
];
writeFileSync(join(out, "_headers"), `${rules.join("\n")}\n`);
const longest = Math.max(...readFileSync(join(out, "_headers"), "utf8").split("\n").map((line) => line.length));
if (longest > MAX_LINE) console.warn(`The longest header has ${longest} characters; some hosts take ${MAX_LINE} at most.`);
console.log(`The site is in out/: ${hashes.length} inline scripts allowed by hash, headers in out/_headers.`);
