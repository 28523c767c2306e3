/** `npm start`: from a fresh clone to the address, installing and building what is missing. */
import { ensureBuilt } from "./build.mjs";
import { ensureInstalled } from "./deps.mjs";
import { serve } from "./serve.mjs";

ensureInstalled();
await ensureBuilt();
const port = Number(process.env.PORT ?? 3000);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`PORT must be a number from 1 to 65535, not ${JSON.stringify(process.env.PORT)}.`);
  process.exit(1);
}
console.log(`Ductus is at ${await serve({ port })}`);
