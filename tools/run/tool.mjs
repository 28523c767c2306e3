/**
 * Runs a package's command after installing what is missing:
 * `node tools/run/tool.mjs next dev`. Extra arguments of `npm run` follow.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, root } from "./deps.mjs";

ensureInstalled();
const [command = "", ...args] = process.argv.slice(2);
const bin = join(root, "node_modules", ".bin", command);
const result = spawnSync(bin, args, { stdio: "inherit", shell: process.platform === "win32" });
if (result.error) console.error(result.error.message);
process.exit(result.status ?? 1);
