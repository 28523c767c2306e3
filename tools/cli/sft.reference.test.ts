/** Rows, labels and steps of `sft` against TRL's SFTTrainer (tools/reference/sft_trl.py), on every form of data. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { examplesOf, type TokenizedExample } from "../../lib/train/sft/batch";
import { planSteps } from "../../lib/train/sft/plan";
import { referenceJson } from "../../lib/train/testing/reference";
import { runTrl } from "../reference/sft-trl";
import { openModelFolder } from "./model-folder";
import { readSettings } from "./settings";
import { call } from "./testing/folders";
import { TRL_CASES, writeTrlCase, type TrlCase, type TrlRun, type TrlStep } from "./testing/trl";
import { readExamples } from "./training-data";

const folder = mkdtempSync(join(tmpdir(), "ductus-trl-"));
afterAll(() => rmSync(folder, { recursive: true }));

const kept = referenceJson("sft-trl.json") as Record<TrlCase, TrlRun>;
const python = process.env["DUCTUS_PYTHON"];

function expectSame(ours: readonly TrlStep[], theirs: readonly TrlStep[]): void {
  expect(ours.map(({ step, tokens }) => [step, tokens])).toEqual(theirs.map(({ step, tokens }) => [step, tokens]));
  ours.forEach(({ loss, lr, gradNorm }, i) => {
    expect(Math.abs(loss - theirs[i]!.loss)).toBeLessThan(1e-4);
    expect(Math.abs(lr - theirs[i]!.lr)).toBeLessThan(1e-12);
    expect(Math.abs(gradNorm - theirs[i]!.gradNorm)).toBeLessThanOrEqual(1e-4 * theirs[i]!.gradNorm);
  });
}

describe.each(TRL_CASES)("%s", (name) => {
  const files = writeTrlCase(folder, name);

  it("trains on TRL's rows and labels", async () => {
    const { tokenizer } = await openModelFolder(files.model);
    const { config, data } = readSettings(files.config, null, false);
    const { examples } = readExamples(files.data, tokenizer, data, () => undefined);
    const rows = planSteps([examples], { ...config, epochs: 1, maxSteps: 0 }).flat(2).map(examplesOf);
    const labels = ({ ids, promptLength }: TokenizedExample) => ids.map((id, i) => (i < promptLength ? -100 : id));
    expect(rows.map((row) => ({ input_ids: row.flatMap(({ ids }) => ids), labels: row.flatMap(labels) }))).toEqual(kept[name].examples);
  });

  it("takes TRL's steps", async () => {
    const run = await call("sft", "--model", files.model, "--init", files.init, "--data", files.data, "--config", files.config, "--out", join(folder, `out-${name}`), "--threads", "1");
    expect(run.error).toBeUndefined();
    expectSame(run.lines as TrlStep[], kept[name].steps);
  });

  it.runIf(python)("TRL gives what is kept of it", () => {
    const { steps, examples } = runTrl(python!, files);
    expect(examples).toEqual(kept[name].examples);
    expectSame(steps, kept[name].steps);
  });
});
