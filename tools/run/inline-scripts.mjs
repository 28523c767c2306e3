/**
 * After `next build`: puts the sha256 of every inline script of the built pages
 * into the Content-Security-Policy, so that no other inline script runs. The
 * alternative, a nonce, would have every page rendered anew for every request
 * (Next.js guide "Content Security Policy"). Next.js fixes `headers()` at build
 * time, before the pages exist, in routes-manifest.json, which its server reads
 * on starting; so the hashes are written there, and `next start` and our own
 * server (serve.mjs) both send them.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Written by security-headers.ts where the hashes belong. */
const PLACEHOLDER = "'sha256-inline-scripts-of-the-build'";
/** Node reads 16 KiB of headers at most; a policy this long wants a header for each page instead. */
const MAX_POLICY_BYTES = 8 * 1024;

/** @typedef {{ key: string, value: string }} Header */
/** @typedef {{ headers: { source: string, headers: Header[] }[] }} RoutesManifest */

/**
 * CSP sources of the inline scripts of one page. Next.js writes well-formed,
 * lower-case tags and escapes `<` inside, so the end tag ends the script.
 * @param {string} html @returns {string[]}
 */
export function inlineScriptHashes(html) {
  return [...html.matchAll(/<script(\s[^>]*)?>([\s\S]*?)<\/script>/g)]
    .filter(([, attributes = ""]) => !/\ssrc=/.test(attributes))
    .map(([, , text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
}

/** @param {string} directory @returns {string[]} */
export const htmlFiles = (directory) =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html")).map((name) => join(directory, name))
    : [];

/** @param {readonly string[]} pages paths of HTML files @returns {string[]} CSP sources of all their inline scripts, each once */
export function hashesOfPages(pages) {
  const hashes = [...new Set(pages.flatMap((page) => inlineScriptHashes(readFileSync(page, "utf8"))))].sort();
  if (hashes.length === 0) throw new Error("No inline script was found in any page; Next.js has changed how it writes them.");
  return hashes;
}

/** @param {string} policy with the placeholder @param {readonly string[]} hashes @returns {string} */
export function withHashes(policy, hashes) {
  const whole = policy.replace(PLACEHOLDER, hashes.join(" "));
  if (whole.length > MAX_POLICY_BYTES) throw new Error(`The Content-Security-Policy has grown to ${whole.length} bytes. Send each page its own hashes.`);
  return whole;
}

/**
 * @param {string} buildDirectory the `.next` folder
 * @returns {number} how many distinct inline scripts are allowed
 */
export function allowInlineScripts(buildDirectory) {
  const server = join(buildDirectory, "server");
  const routes = /** @type {Record<string, string>} */ (JSON.parse(readFileSync(join(buildDirectory, "app-path-routes-manifest.json"), "utf8")));
  for (const [entry, route] of Object.entries(routes)) {
    const page = join(server, "app", `${route === "/" ? "index" : route}.html`);
    if (entry.endsWith("/page") && !existsSync(page)) {
      throw new Error(`${route} is not rendered at build time, so its inline scripts cannot be listed. Make the page static, or keep its parameters in the query or the fragment.`);
    }
  }
  const hashes = hashesOfPages([...htmlFiles(join(server, "app")), ...htmlFiles(join(server, "pages"))]);
  const path = join(buildDirectory, "routes-manifest.json");
  const manifest = /** @type {RoutesManifest} */ (JSON.parse(readFileSync(path, "utf8")));
  const policies = manifest.headers.flatMap(({ headers }) => headers).filter(({ key, value }) => key === "Content-Security-Policy" && value.includes(PLACEHOLDER));
  if (policies.length === 0) throw new Error("No Content-Security-Policy in routes-manifest.json waits for the hashes of inline scripts.");
  for (const policy of policies) policy.value = withHashes(policy.value, hashes);
  writeFileSync(path, JSON.stringify(manifest));
  return hashes.length;
}
