/** `npm run bench -- SUITE [--only NAME,…] [options]`: runs a suite of this folder, a JSON line for each measure. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BenchArgs, Run } from "./measure";
import { parseBenchArgs } from "./options";

const here = dirname(fileURLToPath(import.meta.url));
const NOT_SUITES = new Set(["index", "measure", "options"]);

/** A suite is a file here with a plain name; what it needs beside it goes into a folder. */
const suites = readdirSync(here)
  .flatMap((file) => /^([a-z-]+)\.ts$/.exec(file)?.[1] ?? [])
  .filter((name) => !NOT_SUITES.has(name));

async function main(argv: string[]): Promise<number> {
  const [suite, ...rest] = argv;
  if (suite === undefined || !suites.includes(suite)) {
    console.error(`${suite === undefined ? "Which suite?" : `There is no suite "${suite}".`} Known: ${suites.join(", ") || "none yet"}.`);
    return 2;
  }
  const module = (await import(pathToFileURL(join(here, `${suite}.ts`)).href)) as { run: Run };
  const args: BenchArgs = parseBenchArgs(rest);
  let failed = false;
  try {
    for await (const measure of module.run(args)) {
      if (!args.wants(measure.name)) continue;
      failed ||= measure.value === null;
      console.log(JSON.stringify(measure));
    }
  } catch (error) {
    failed = true;
    console.log(JSON.stringify({ name: suite, value: null, unit: "", error: error instanceof Error ? error.message : String(error) }));
    console.error(error);
  }
  return failed ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
