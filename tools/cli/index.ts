/** `npm run -s ductus -- COMMAND [options]`. */
import { main } from "./main";
import { processOutput } from "./output";

const code = await main(process.argv.slice(2), processOutput());
// Threads of the runtime may still be parked; what was written must be out before they are let go.
process.stdout.write("", () => process.exit(code));
