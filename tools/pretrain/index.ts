/** `npm run -s pretrain -- …`: progress on standard error, at the end one line of JSON on standard output. */
import { serializeError } from "../../lib/core/errors";
import { giveWay, parseSettings, pretrain, USAGE } from "./pretrain";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    console.error("stopping after the step in hand; what is done is kept");
    stop.abort();
  });
}

async function main(): Promise<number> {
  if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  try {
    const settings = parseSettings(process.argv.slice(2));
    giveWay();
    const result = await pretrain(settings, stop.signal, (text) => console.error(text));
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    const { message, next, details } = serializeError(error);
    console.error([message, next, details].filter(Boolean).join("\n"));
    return 1;
  }
}

const code = await main();
process.stdout.write("", () => process.exit(code));
