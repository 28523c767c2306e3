/**
 * `npm test`: types, unit tests, lint, builds, end-to-end tests, in this order,
 * each whatever came of those before it. The last line is `N passed, N failed`
 * (and `, N skipped`), where types, lint and build count as one each. With
 * --long the full counts and sizes run (DUCTUS_LONG=1).
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ensureChromium } from "./chromium.mjs";
import { ensureInstalled, root } from "./deps.mjs";
import { countPlaywright, countVitest, summary } from "./results.mjs";

/** @typedef {import("./results.mjs").Counts} Counts */

const RESULTS = join(root, "test-results");

/** @returns {Promise<number>} a port that nobody uses now */
const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

/** @param {string[]} args @param {Record<string, string>} [env] @returns {Promise<boolean>} */
const node = (args, env = {}) =>
  new Promise((resolve) => {
    spawn(process.execPath, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } }).once("error", () => resolve(false)).once("close", (status) => resolve(status === 0));
  });

/**
 * A script whose output is kept, so that it can be shown at its turn where it runs beside others.
 * @param {string} script @returns {Promise<{ output: string, counts: Counts }>} one passed or one failed
 */
const npmRun = (script) =>
  new Promise((resolve) => {
    const child = spawn("npm", ["run", "--silent", script], { cwd: root, stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => (output += text));
    const end = (/** @type {boolean} */ ok) => resolve({ output, counts: { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 } });
    child.once("error", (error) => {
      output += `${error.message}\n`;
      end(false);
    }).once("close", (status) => end(status === 0));
  });

/**
 * Counts from a reporter's file. A runner that failed without a failed test
 * (it crashed, or found no test) counts as one failure.
 * @param {string} file @param {boolean} ok @param {(report: unknown) => Counts} count @returns {Counts}
 */
function fromReport(file, ok, count) {
  const counts = existsSync(file) ? count(JSON.parse(readFileSync(file, "utf8"))) : { passed: 0, failed: 0, skipped: 0 };
  return !ok && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

async function unit() {
  const file = join(RESULTS, "unit.json");
  const ok = await node(["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`]);
  return fromReport(file, ok, countVitest);
}

async function endToEnd() {
  const file = join(root, "test-results", "e2e.json");
  const port = String(await freePort());
  const ok = await node(["node_modules/@playwright/test/cli.js", "test", "--reporter=list,json"], { PLAYWRIGHT_JSON_OUTPUT_FILE: file, DUCTUS_TEST_PORT: port });
  return fromReport(file, ok, countPlaywright);
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`The tests need Node 20.19 or newer (this is ${process.version}): eslint and vitest do.`);
  process.exit(1);
}
if (process.argv.includes("--long")) process.env.DUCTUS_LONG = "1";
ensureInstalled();
process.env.DUCTUS_CHROMIUM = ensureChromium();
rmSync(RESULTS, { recursive: true, force: true });
mkdirSync(RESULTS, { recursive: true });

/** @type {Counts} */
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const lines = [];
/** @param {string} name @param {Counts} counts */
function record(name, counts) {
  for (const key of /** @type {const} */ (["passed", "failed", "skipped"])) total[key] += counts[key];
  lines.push(`${name}: ${summary(counts)}`);
  console.log(lines.at(-1));
}
/** @param {string} name @param {Promise<{ output: string, counts: Counts }>} script */
async function show(name, script) {
  console.log(`\n== ${name}`);
  const { output, counts } = await script;
  process.stdout.write(output);
  record(name, counts);
}

// Lint takes one core, and longest: beside it the types are checked, and the unit tests begin. Both read what the builds write anew, so these wait.
const typegen = await npmRun("typegen");
const lint = npmRun("lint");
await show("types", typegen.counts.failed > 0 ? Promise.resolve(typegen) : npmRun("check-types"));
console.log("\n== unit");
record("unit", await unit());
await show("lint", lint);
await show("files", npmRun("build:static"));
await show("build", npmRun("build"));
console.log("\n== e2e");
record("e2e", await endToEnd());
console.log(`\n${lines.join("\n")}\n\n${summary(total)}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
