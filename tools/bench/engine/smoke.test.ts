/** The suite as a process: lines as they are read by others, figures that can be, and what it ends with. What needs a browser in the long tests only. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Measure } from "../measure";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const NAMES = ["engine.nodes_per_block", "engine.step.nano", "engine.step.nano.node", "engine.gemm_share.nano", "engine.decode.nano"];

function bench(args: readonly string[], python?: string): { lines: Measure[]; status: number | null } {
  const env = python === undefined ? process.env : { ...process.env, DUCTUS_PYTHON: python };
  const { stdout, status } = spawnSync("npx", ["tsx", "tools/bench/index.ts", "engine", ...args], { cwd: root, env, encoding: "utf8" });
  return { lines: stdout.trim().split("\n").map((line) => JSON.parse(line) as Measure), status };
}

describe.runIf(process.env["DUCTUS_LONG"] === "1")("the engine's benchmark", () => {
  it("prints a line for each measure that is asked for, and no other", () => {
    const { lines, status } = bench(["--only", NAMES.join(","), "--rounds", "2"], "no-such-python");
    expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(status).toBe(0);
    expect(lines.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
    for (const { name, value, low, high, n } of lines) {
      expect(value).toBeGreaterThan(0);
      if (name === "engine.nodes_per_block") continue;
      expect(n).toBe(2);
      expect(low).toBeLessThanOrEqual(value!);
      expect(high).toBeGreaterThanOrEqual(value!);
    }
    // Without a Python there is nothing to compare with, and no stored figure stands in.
    for (const name of ["engine.step.nano", "engine.step.nano.node"]) expect(lines.find((line) => line.name === name)).toMatchObject({ baseline: null, ratio: null });
    const note = lines.find(({ name }) => name === "engine.step.nano")!.note!;
    const [inTab, inNode] = ["tab", "node"].map((where) => Number(new RegExp(`first losses:.*${where} ([\\d.]+)`).exec(note)?.[1]));
    expect(Math.abs(inTab! - inNode!)).toBeLessThan(2e-4); // of four decimals
  });
});

describe("the engine's benchmark ends with 1", () => {
  it("where a measure fails, which says why", () => {
    const folder = mkdtempSync(join(tmpdir(), "ductus-bench-"));
    try {
      // A peer that trains something else.
      const python = join(folder, "python");
      writeFileSync(python, `#!/bin/sh\necho '{"versions":"none","threads":1,"trained":1}'\nexec cat > /dev/null\n`, { mode: 0o755 });
      const { lines, status } = bench(["--only", "engine.step.nano.node", "--rounds", "1"], python);
      expect(lines).toEqual([{ name: "engine.step.nano.node", value: null, unit: "ms", error: expect.stringMatching(/^PEFT trains 1 numbers, we \d+/) as string }]);
      expect(status).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.runIf(process.env["DUCTUS_LONG"] === "1")("where it is called wrongly", () => {
    const { lines, status } = bench(["--rounds", "0"]);
    expect(lines).toMatchObject([{ name: "engine", value: null, error: expect.stringContaining("--rounds") as string }]);
    expect(status).toBe(1);
  });
});
