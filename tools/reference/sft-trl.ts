/**
 * Makes data/sft-trl.json: what TRL's SFTTrainer logs on the runs of
 * tools/cli/testing/trl.ts, and the tokens and labels that it trains on.
 * `npx tsx tools/reference/sft-trl.ts`, with DUCTUS_PYTHON set.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TRL_CASES, writeTrlCase, type TrlCase, type TrlFolders, type TrlRun, type TrlStep } from "../cli/testing/trl";

/** @throws Error with what Python says, where it fails */
export function runTrl(python: string, { model, init, data, config }: TrlFolders): TrlRun {
  const script = fileURLToPath(new URL("sft_trl.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, "--model", model, "--init", init, "--data", data, "--config", config], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown);
  return { ...(lines.pop() as Pick<TrlRun, "examples">), steps: lines as TrlStep[] };
}

export function makeTrl(python: string): Record<TrlCase, TrlRun> {
  const folder = mkdtempSync(join(tmpdir(), "ductus-trl-"));
  try {
    return Object.fromEntries(TRL_CASES.map((name) => [name, runTrl(python, writeTrlCase(folder, name))])) as Record<TrlCase, TrlRun>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runs = makeTrl(process.env["DUCTUS_PYTHON"] ?? "python3");
  const lines = Object.entries(runs).map(([name, { steps, examples }]) =>
    `${JSON.stringify(name)}: {"steps": [\n${steps.map((step) => JSON.stringify(step)).join(",\n")}],\n"examples": [\n${examples.map((example) => JSON.stringify(example)).join(",\n")}]}`);
  writeFileSync(new URL("data/sft-trl.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
}
