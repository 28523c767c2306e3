/** Logits, loss and every gradient against transformers and PEFT in float64, on tiny checkpoints with every parameter random. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Generator } from "../generate/generator";
import { openExecution } from "../execution/open";
import { generationGraph } from "../generate/graphs";
import type { Target } from "../graph/graph";
import { Session } from "../runtime/session";
import { openNode } from "../runtime/node";
import { collate } from "../sft/batch";
import { fullGradients, lossFeeds, promptFeeds, weightFeeds } from "../testing/feeds";
import { flatAdapter, REFERENCE_MODELS, referenceBytes, referenceModel, referencePath, referenceTensors, relativeL2 } from "../testing/reference";
import { memoryModel } from "./files";
import { trainingGraph } from "./graphs";
import { loadHeldWeights } from "./weights";

const backend = openNode();
const MAX_POSITIONS = 64;
const peftName = (name: string) => `base_model.model.model.${name}.weight`;

describe.each(REFERENCE_MODELS)("%s", (name) => {
  const reference = referenceModel(name);
  const { config, weights, batch, examples } = reference;

  it("the checkpoint's folder is read as it is: f32 or bf16, in one file or several", async () => {
    const files = readdirSync(referencePath(name), { withFileTypes: true }).filter((entry) => entry.isFile() && /^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/.test(entry.name));
    expect(files).toHaveLength(name === "qwen3-tied" ? 4 : 1);
    const held = await loadHeldWeights(config, memoryModel(Object.fromEntries(files.map((file) => [file.name, referenceBytes(`${name}/${file.name}`)]))), { matrices: "f32", embedding: "f32" });
    expect([...held.keys()].sort()).toEqual([...weights.keys()].sort());
    for (const [tensor, data] of weights) expect(held.get(tensor)!.data, tensor).toEqual(data);
  });

  it.each(["base", ...reference.adapters])("logits: %s", async (which) => {
    const adapter = which === "base" ? null : reference.adapter(which);
    const session = await Session.create(backend, generationGraph(config, adapter, weights, { maxPositions: MAX_POSITIONS }));
    const seq = Math.max(...batch.lengths);
    const out = await session.run(promptFeeds(config, weights, examples, adapter && { lora: adapter, tensors: flatAdapter(adapter) }));
    await session.dispose();
    const expected = referenceTensors(`${name}/logits.safetensors`).get(which)!;
    const vocab = config.vocabSize;
    let worst = 0;
    batch.lengths.forEach((length, b) => {
      for (let i = b * seq * vocab; i < (b * seq + length) * vocab; i++) worst = Math.max(worst, Math.abs(out["logits"]!.data[i] as number - expected.data[i]!));
    });
    expect(worst).toBeLessThan(1e-4);
    expect(worst).toBeGreaterThan(0); // f32 against float64: exact equality would mean that nothing was compared
  });

  it.each(reference.adapters)("loss and LoRA gradients: %s", async (which) => {
    const adapter = reference.adapter(which);
    const execution = await openExecution(backend, { config, weights }, { lora: adapter, dropout: 0, maxPositions: MAX_POSITIONS, tokens: [] });
    const made = collate(examples);
    expect(made.completionTokens).toBe(batch.completion_tokens);
    const rowWeights = new Float32Array(made.completionTokens).fill(1 / made.completionTokens);
    const { loss, gradients } = await execution.train(made, { adapter: flatAdapter(adapter), rowWeights, dropoutSeed: null, noise: null });
    const nll = await execution.score(made, flatAdapter(adapter));
    await execution.dispose();
    expect(Math.abs(loss / batch.losses[which]! - 1)).toBeLessThan(1e-5);
    expect(Math.abs(nll.reduce((a, b) => a + b, 0) / made.completionTokens / batch.losses[which]! - 1)).toBeLessThan(1e-5);
    const expected = referenceTensors(`${name}/${which}_gradients.safetensors`);
    expect(expected.size).toBe(adapter.tensors.size);
    for (const tensor of adapter.tensors.keys()) {
      expect(relativeL2(gradients.get(tensor)!, expected.get(peftName(tensor))!.data), tensor).toBeLessThan(1e-4);
    }
  });

  // Stored for the first two only.
  (existsSync(referencePath(`${name}/full_gradients.safetensors`)) ? it : it.skip).each(["any", "cpu"] as Target[])("loss and every full gradient (%s)", async (target) => {
    const expected = referenceTensors(`${name}/full_gradients.safetensors`);
    expect([...expected.keys()].sort()).toEqual([...weights.keys()].sort());
    const model = trainingGraph(config, { kind: "full" }, weights, { maxPositions: MAX_POSITIONS, target });
    const session = await Session.create(backend, model);
    const out = await session.run({ ...lossFeeds(config, weights, examples), ...weightFeeds(config, weights, model) });
    await session.dispose();
    const gradients = fullGradients(config, weights, examples, out);
    expect(Math.abs(out["loss"]!.data[0] as number / batch.losses["base"]! - 1)).toBeLessThan(1e-5);
    for (const [n, { data }] of expected) expect(relativeL2(gradients.get(n)!, data), n).toBeLessThan(1e-4);
  });

  it.each(["base", ...reference.adapters])("greedy continuation of prompts of different lengths in one batch: %s", async (which) => {
    const adapter = reference.adapter(which === "base" ? "adapter" : which);
    const generator = await Generator.create(backend, config, weights, adapter, MAX_POSITIONS);
    const rows = batch.rows.map((ids, i) => ({ promptIds: ids, adapted: which !== "base", seed: i }));
    const options = { temperature: 0, topP: 1, maxNewTokens: 16, stopTokenIds: [] };
    const together = await generator.generate(rows, options, flatAdapter(adapter));
    const alone = await generator.generate([rows[1]!], options, flatAdapter(adapter));
    await generator.dispose();
    expect(together.map((r) => r.tokens)).toEqual(batch.greedy_tokens[which]);
    expect(alone[0]!.tokens).toEqual(batch.greedy_tokens[which]![1]);
  });
});
