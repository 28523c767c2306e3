/**
 * The lines that open an adapter in Python, run as they are shown: those of the
 * page, and those of the card in the folder, by PEFT and transformers on the
 * model that comes with the site. Needs DUCTUS_PYTHON.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../lib/core/random";
import { zipPeft } from "../../lib/train/adapter/file";
import { adapterToPeft } from "../../lib/train/adapter/peft";
import { toLoraAdapter } from "../../lib/train/adapter/tensors";
import { parseModelConfig } from "../../lib/train/model/config";
import { adapterShapes } from "../../lib/train/model/lora";
import { EMBEDDED_ID } from "../_components/model-words";
import { pythonLines } from "./python";

const python = process.env["DUCTUS_PYTHON"] ?? "";
const whyNot = (() => {
  if (python === "") return "DUCTUS_PYTHON is not set";
  const probe = spawnSync(python, ["-c", "import torch, peft, transformers"], { timeout: 100_000 });
  return probe.status === 0 ? "" : `${python} lacks torch, peft or transformers`;
})();

const base = fileURLToPath(new URL(`../../public/models/${EMBEDDED_ID}`, import.meta.url));
const MARK = "--- the card's ---";
let folder: string;
const run = (lines: string) => spawnSync(python, ["-c", lines], { cwd: folder, encoding: "utf8", timeout: 110_000, env: { ...process.env, HF_HUB_OFFLINE: "1", OMP_NUM_THREADS: "1" } });

describe.skipIf(whyNot !== "")(`the lines for Python, run as they are${whyNot ? ` (skipped: ${whyNot})` : ""}`, () => {
  let card = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ductus-lines-"));
    symlinkSync(base, join(folder, EMBEDDED_ID));
    const config = parseModelConfig(JSON.parse(readFileSync(join(base, "config.json"), "utf8")));
    const lora = { rank: 2, alpha: 4, targetModules: ["q_proj", "down_proj"] as const };
    const random = new Random("lines");
    const adapter = toLoraAdapter(config, lora, new Map([...adapterShapes(config, lora)].map(([name, [rows, columns]]) => [name, Float32Array.from({ length: rows * columns }, () => 0.01 * random.normal())])));
    const info = { name: "Lines", createdAt: 0, modelId: EMBEDDED_ID, modelSha256: "a".repeat(64) };
    const zip = zipPeft(adapterToPeft(adapter, info, { learnedFrom: { examples: 41, heldOut: 5 }, texts: { prompt: "Continue:\n\n```python\nraise SystemExit(1)\n```", after: "and so on" } }));
    for (const [name, content] of Object.entries(unzipSync(zip))) {
      for (const place of ["path/to/unzipped/folder", "path/to/this/folder"]) {
        mkdirSync(dirname(join(folder, place, name)), { recursive: true });
        writeFileSync(join(folder, place, name), content);
      }
      if (name === "README.md") card = Buffer.from(content).toString();
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("those of the page, and those of the card, write something", () => {
    const ofCard = /^```python\n(from peft[\s\S]*?)^```$/m.exec(card)?.[1] ?? "";
    expect(ofCard).toContain("from_pretrained");
    // One after the other in one process: loading the libraries takes longest.
    const { status, stdout, stderr } = run(`${pythonLines(EMBEDDED_ID)}\nprint("${MARK}")\n${ofCard}`);
    expect(status, stderr).toBe(0);
    const written = stdout.split(MARK);
    expect(written).toHaveLength(2);
    for (const text of written) expect(text.trim().length).toBeGreaterThan(0);
  });
});
