/**
 * Our adapters opened by Python's PEFT. The committed folders were opened by it
 * once (tools/reference/ours.py) and its logits are compared with ours; with
 * DUCTUS_PYTHON set, PEFT and safetensors open a freshly trained one here.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generationGraph } from "../generate/graphs";
import { openNode } from "../runtime/node";
import { Session } from "../runtime/session";
import { SftTrainer } from "../sft/trainer";
import { promptFeeds } from "../testing/feeds";
import { flatAdapter, referenceBytes, referenceModel, referencePath, referenceTensors } from "../testing/reference";
import { infoOf, OUR_MODELS, ourAdapter } from "../testing/ours";
import { randomLora, settings } from "../testing/tiny";
import { openAdapter, packAdapter } from "./file";
import { adapterFromPeft, adapterToPeft } from "./peft";
import type { LoraAdapter } from "./types";
import { toLoraAdapter } from "./tensors";

const backend = openNode();

/** Logits at every position of one row, [positions, vocab], flat. */
async function logitsOf(model: string, adapter: LoraAdapter, ids: readonly number[]): Promise<Float32Array> {
  const { config, weights } = referenceModel(model);
  const session = await Session.create(backend, generationGraph(config, adapter, weights, { maxPositions: 64 }));
  const { logits } = await session.run(promptFeeds(config, weights, [{ ids, promptLength: 1, documentId: "", completionBytes: 0 }], { lora: adapter, tensors: flatAdapter(adapter) }));
  await session.dispose();
  return logits!.data as Float32Array;
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < b.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
};

describe.each(OUR_MODELS)("our adapter of %s in PEFT", (model) => {
  it("is written today byte for byte as the folder that PEFT opened", () => {
    const folder = adapterToPeft(ourAdapter(model), infoOf(model));
    expect(folder["adapter_config.json"]).toBe(readFileSync(referencePath(`ours/${model}/adapter_config.json`), "utf8"));
    expect(folder["README.md"]).toBe(readFileSync(referencePath(`ours/${model}/README.md`), "utf8"));
    expect(Buffer.compare(folder["adapter_model.safetensors"], referenceBytes(`ours/${model}/adapter_model.safetensors`))).toBe(0);
  });

  it("gives the logits that PEFT gives", async () => {
    const { config, batch } = referenceModel(model);
    const adapter = adapterFromPeft(readFileSync(referencePath(`ours/${model}/adapter_config.json`), "utf8"), referenceBytes(`ours/${model}/adapter_model.safetensors`), config);
    const expected = referenceTensors(`ours/${model}.safetensors`).get("logits")!;
    const longest = Math.max(...batch.lengths);
    expect(expected.shape).toEqual([batch.rows.length, longest, config.vocabSize]);
    for (const [b, ids] of batch.rows.entries()) {
      const start = b * longest * config.vocabSize;
      const theirs = expected.data.subarray(start, start + ids.length * config.vocabSize);
      expect(largestDifference(await logitsOf(model, adapter, ids), theirs)).toBeLessThan(1e-4);
      // Positive control: one tensor of the adapter a little off is seen.
      const name = "layers.1.mlp.down_proj.lora_B";
      const off = { ...adapter, tensors: new Map(adapter.tensors).set(name, { ...adapter.tensors.get(name)!, data: adapter.tensors.get(name)!.data.map((v) => v * 1.01) }) };
      expect(largestDifference(await logitsOf(model, off, ids), theirs)).toBeGreaterThan(1e-3);
    }
  });
});

const python = process.env["DUCTUS_PYTHON"] ?? "";
const whyNot = (() => {
  if (python === "") return "DUCTUS_PYTHON is not set";
  const probe = spawnSync(python, ["-c", "import torch, peft, transformers, safetensors"], { encoding: "utf8", timeout: 100_000 });
  return probe.status === 0 ? "" : `${python} lacks torch, peft, transformers or safetensors`;
})();

describe.skipIf(whyNot !== "")(`a freshly trained adapter, opened live by Python${whyNot ? ` (skipped: ${whyNot})` : ""}`, () => {
  const model = "qwen3-untied";
  const { config, weights, examples, batch } = referenceModel(model);
  const { lora } = settings({ lora: { rank: 5, alpha: 3 } });
  const ids = batch.rows[0]!;
  const script = (name: string) => fileURLToPath(new URL(`../../../tools/reference/${name}`, import.meta.url));
  const call = (name: string, ...args: string[]): unknown => JSON.parse(execFileSync(python, [script(name), ...args], { encoding: "utf8", timeout: 100_000 }));
  const peftLogits = (folder: string) => (call("check_adapter.py", "--base", referencePath(model), "--adapter", folder, "--ids", ids.join()) as { logits: number[][] }).logits.flat();
  let adapter: LoraAdapter;
  let temporary: string;

  beforeAll(async () => {
    temporary = mkdtempSync(join(tmpdir(), "ductus-adapter-"));
    const trainer = await SftTrainer.create(backend, config, weights, settings({ lora }), randomLora(config, lora, "live"));
    for (let step = 0; step < 3; step++) await trainer.step([examples], 0.02);
    await trainer.dispose();
    adapter = toLoraAdapter(config, lora, trainer.adapter);
  });
  afterAll(() => rmSync(temporary, { recursive: true }));

  it("as a PEFT folder", async () => {
    const folder = join(temporary, "folder");
    mkdirSync(folder);
    for (const [name, content] of Object.entries(adapterToPeft(adapter, infoOf(model)))) writeFileSync(join(folder, name), content as string | Uint8Array);
    expect(largestDifference(await logitsOf(model, adapter, ids), peftLogits(folder))).toBeLessThan(1e-4);
  });

  it("as one file, by safetensors, and through its notes by PEFT", async () => {
    const file = join(temporary, "one.safetensors");
    const bytes = packAdapter(adapter, infoOf(model));
    writeFileSync(file, bytes);
    const { notes, sums } = call("ours.py", "--file", file, "--into", join(temporary, "laid-out")) as { notes: Record<string, string>; sums: Record<string, number> };
    expect(notes).toMatchObject({ format: "pt", base_model_sha256: infoOf(model).modelSha256, name: infoOf(model).name });
    expect(Object.keys(sums)).toHaveLength(adapter.tensors.size);
    for (const [name, { data }] of adapter.tensors) expect(sums[`base_model.model.model.${name}.weight`]).toBeCloseTo(data.reduce((a, b) => a + b, 0), 9);
    expect(largestDifference(await logitsOf(model, adapter, ids), peftLogits(join(temporary, "laid-out")))).toBeLessThan(1e-4);
    const back = openAdapter(bytes, { id: model, name: model, sha256: infoOf(model).modelSha256, config });
    expect(largestDifference(await logitsOf(model, back.adapter, ids), await logitsOf(model, adapter, ids))).toBe(0);
  });
});
