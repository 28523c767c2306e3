/**
 * `npm run -s ductus -- COMMAND`: the command line, after installing what is
 * missing. It runs in this very process, so that a signal reaches the work and
 * not a parent of it.
 */
import { ensureInstalled } from "./deps.mjs";

ensureInstalled();
const { register } = await import("tsx/esm/api");
register();
await import("../cli/index.ts");
