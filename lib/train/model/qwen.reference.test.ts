/** Logits, loss and every gradient against transformers and PEFT in float64, on tiny checkpoints with every parameter random. */
import { describe, expect, it } from "vitest";
import { Generator } from "../generate/generator";
import { f32, i32, i64, Session } from "../runtime/session";
import { openNode } from "../runtime/node";
import { adapterFeeds } from "../sft/trainer";
import { collate } from "../sft/batch";
import { flatAdapter, referenceModel, referenceTensors, relativeL2 } from "../testing/reference";
import { generationGraph, gradientName, trainingGraph } from "./graphs";
import { adapterShapes } from "./lora";

const backend = openNode();
const MAX_POSITIONS = 64;
const peftName = (name: string) => `base_model.model.model.${name}.weight`;

describe.each(["qwen2-tied", "qwen3-untied"])("%s", (name) => {
  const reference = referenceModel(name);
  const { config, weights, batch, examples } = reference;
  const tokens = batch.lengths.length * Math.max(...batch.lengths);

  it.each(["base", "adapter", "adapter-qv"])("logits: %s", async (which) => {
    const adapter = which === "base" ? null : reference.adapter(which);
    const session = await Session.create(backend, generationGraph(config, adapter, weights, MAX_POSITIONS));
    const feeds = collate(examples).feeds;
    const [rows, seq] = feeds.positions.shape as [number, number];
    const mask = new Float32Array(rows * seq * seq);
    for (let b = 0; b < rows; b++) mask.set(feeds.mask.data as Float32Array, b * seq * seq);
    const empty = f32(new Float32Array(0), [rows, config.numKeyValueHeads, 0, config.headDim]);
    const out = await session.run({
      ids: feeds.ids, positions: i64(feeds.positions.data as BigInt64Array, [rows, seq]), mask: f32(mask, [rows, 1, seq, seq]),
      last: i32(Int32Array.from({ length: tokens }, (_, i) => i), [tokens]),
      ...Object.fromEntries(Array.from({ length: config.numLayers }, (_, l) => [`past.${l}.key`, `past.${l}.value`]).flat().map((cache) => [cache, empty])),
      ...(adapter ? {
        adapterScale: f32(new Float32Array(tokens).fill(adapter.alpha / adapter.rank), [tokens, 1]),
        ...adapterFeeds(flatAdapter(adapter), adapterShapes(config, adapter)),
      } : {}),
    });
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

  it.each(["adapter", "adapter-qv"])("loss and LoRA gradients: %s", async (which) => {
    const adapter = reference.adapter(which);
    const session = await Session.create(backend, trainingGraph(config, { kind: "lora", lora: adapter, dropout: false }, weights, MAX_POSITIONS));
    const { feeds, rowOf, completionTokens } = collate(examples);
    expect(completionTokens).toBe(batch.completion_tokens);
    const out = await session.run({
      ...feeds, rowOf, ...adapterFeeds(flatAdapter(adapter), adapterShapes(config, adapter)),
      weights: f32(new Float32Array(completionTokens).fill(1 / completionTokens), [completionTokens, 1]),
    });
    await session.dispose();
    expect(Math.abs(out["loss"]!.data[0] as number / batch.losses[which]! - 1)).toBeLessThan(1e-5);
    const expected = referenceTensors(`${name}/${which}_gradients.safetensors`);
    expect(expected.size).toBe(adapter.tensors.size);
    for (const tensor of adapter.tensors.keys()) {
      expect(relativeL2(out[gradientName(tensor)]!.data as Float32Array, expected.get(peftName(tensor))!.data), tensor).toBeLessThan(1e-4);
    }
  });

  it("loss and every full gradient", async () => {
    const expected = referenceTensors(`${name}/full_gradients.safetensors`);
    const names = [...weights.keys()];
    expect([...expected.keys()].sort()).toEqual([...names].sort());
    const session = await Session.create(backend, trainingGraph(config, { kind: "full", names }, weights, MAX_POSITIONS));
    const { feeds, rowOf, completionTokens } = collate(examples);
    const out = await session.run({
      ...feeds, rowOf, ...Object.fromEntries(names.map((n) => [n, f32(weights.get(n)!, expected.get(n)!.shape)])),
      weights: f32(new Float32Array(completionTokens).fill(1 / completionTokens), [completionTokens, 1]),
    });
    await session.dispose();
    expect(Math.abs(out["loss"]!.data[0] as number / batch.losses["base"]! - 1)).toBeLessThan(1e-5);
    for (const n of names) expect(relativeL2(out[gradientName(n)]!.data as Float32Array, expected.get(n)!.data), n).toBeLessThan(1e-4);
  });

  it.each(["base", "adapter", "adapter-qv"])("greedy continuation of prompts of different lengths in one batch: %s", async (which) => {
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
