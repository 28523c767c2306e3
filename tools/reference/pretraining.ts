/**
 * Makes data/pretraining: what PyTorch makes of the small run of
 * tools/pretrain/testing/parity.ts (losses), and float64 references of a step
 * (gradients, Muon). `npx tsx tools/reference/pretraining.ts`, with DUCTUS_PYTHON set.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureCheckpoint, writeCheckpoint } from "../pretrain/checkpoint";
import { keptUrl, smallRecipe, spreadCheckpoint, tinyRecipe, writeWork, type KeptStep } from "../pretrain/testing/parity";

/** @throws Error with what Python says, where it fails */
export function python(interpreter: string, script: URL, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(interpreter, [fileURLToPath(script), ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The small run by train.py in `work`, which may hold a part of it; its log. */
export function runTorch(interpreter: string, work: string, ...args: string[]): KeptStep[] {
  python(interpreter, new URL("../pretrain/train.py", import.meta.url), work, "--threads", "1", "--precision", "f32", "--plain", ...args);
  return readFileSync(join(work, "log.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as KeptStep);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const interpreter = process.env["DUCTUS_PYTHON"] ?? "python3";
  const folder = mkdtempSync(join(tmpdir(), "ductus-pretraining-"));
  try {
    const [small, tiny] = [join(folder, "small"), join(folder, "tiny")];
    const recipe = smallRecipe();
    writeWork(small, recipe);
    ensureCheckpoint(small, recipe);
    const lines = runTorch(interpreter, small).map(({ loss, gradientNorm, heldOutBits, heldOutBitsAverage }) => JSON.stringify({ loss, gradientNorm, heldOutBits, heldOutBitsAverage }));
    writeFileSync(keptUrl("losses.json"), `[\n${lines.join(",\n")}\n]\n`);
    writeWork(tiny, tinyRecipe());
    writeCheckpoint(tiny, tinyRecipe(), spreadCheckpoint(tinyRecipe()));
    python(interpreter, new URL("pretraining.py", import.meta.url), tiny, fileURLToPath(keptUrl("")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
