/**
 * `npm run -s pretrain -- …`: the base model's pretraining, after installing what
 * is missing. It runs in this very process, so that a signal reaches the work and
 * not a parent of it.
 */
import { ensureInstalled } from "./deps.mjs";

ensureInstalled();
const { register } = await import("tsx/esm/api");
register();
// A name in a variable: plain JavaScript may not name a TypeScript file.
const tool = "../pretrain/index.ts";
await import(tool);
