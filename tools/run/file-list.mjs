/**
 * After `next build`: writes static/files.json, the addresses of all built
 * scripts, styles and typefaces, so that the service worker (public/sw.js) can
 * keep those, too, that pages load only when they need them. The runtime's wasm
 * is not among them: it is large, and comes with the model.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";

const KEPT = /\.(?:js|css|woff2)$/;

/**
 * @param {string} buildDirectory the `.next` folder, or `_next` of a static site
 * @returns {number} how many files are listed
 */
export function listFiles(buildDirectory) {
  const directory = join(buildDirectory, "static");
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => KEPT.test(name)).map((name) => `/_next/static/${name.split(sep).join("/")}`).sort();
  if (names.length === 0) throw new Error("No built files were found to list.");
  writeFileSync(join(directory, "files.json"), JSON.stringify(names));
  return names.length;
}
