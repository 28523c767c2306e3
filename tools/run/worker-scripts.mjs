/**
 * After `next build`: puts public/trusted-types.js in front of the script that
 * every worker begins with. The bundler's script loads the worker's own files by
 * their addresses, which the header `require-trusted-types-for` refuses until
 * the policy is there, and no file of ours runs before it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./deps.mjs";

const BEGINS_WORKERS = /^turbopack-worker-.*\.js$/;

/**
 * @param {string} buildDirectory the `.next` folder, or `_next` of a static site
 * @returns {number} how many scripts begin workers
 */
export function trustWorkerScripts(buildDirectory) {
  const policy = readFileSync(join(root, "public", "trusted-types.js"), "utf8");
  const chunks = join(buildDirectory, "static", "chunks");
  const names = readdirSync(chunks).filter((name) => BEGINS_WORKERS.test(name));
  if (names.length === 0) throw new Error("No script that begins a worker was found; the bundler has changed how it names them.");
  for (const name of names) {
    const path = join(chunks, name);
    const script = readFileSync(path, "utf8");
    if (!script.startsWith(policy)) writeFileSync(path, policy + script);
  }
  return names.length;
}
