/**
 * After `next build`: writes static/files.json, the addresses of all built
 * scripts, styles and typefaces, so that the service worker (public/sw.js) can
 * keep those, too, that pages load only when they need them; and
 * static/runtime.json, those of onnxruntime-web: large, and kept later.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";

const KEPT = /\.(?:js|css|woff2)$/, RUNTIME = /\.(?:wasm|mjs)$/;

/**
 * @param {string} buildDirectory the `.next` folder, or `_next` of a static site
 * @returns {number} how many files are listed
 */
export function listFiles(buildDirectory) {
  const directory = join(buildDirectory, "static");
  const all = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => `/_next/static/${name.split(sep).join("/")}`).sort();
  const [names, runtime] = [KEPT, RUNTIME].map((kind) => all.filter((name) => kind.test(name)));
  if (names === undefined || runtime === undefined || names.length === 0 || runtime.length === 0) throw new Error("No built files were found to list.");
  writeFileSync(join(directory, "files.json"), JSON.stringify(names));
  writeFileSync(join(directory, "runtime.json"), JSON.stringify(runtime));
  return names.length;
}
