/**
 * Trained rows of the vocabulary against PEFT: its adapters read by us, ours
 * opened by it; logits, loss and gradients, on a tied and an untied model. The
 * committed folders were opened by PEFT once (tools/reference/added_tokens.py);
 * with DUCTUS_PYTHON set, it opens ours here again.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { flatAdapter, HEAD_ROWS, TOKEN_ROWS } from "../adapter/tensors";
import { adapterFromPeft, adapterToPeft } from "../adapter/peft";
import type { LoraAdapter } from "../adapter/types";
import { embedTokens } from "../execution/embed";
import { replacedFeed } from "../execution/feeds";
import { openExecution } from "../execution/open";
import { generationGraph } from "../generate/graphs";
import { openNode } from "../runtime/node";
import { f32, Session } from "../runtime/session";
import { collate } from "../sft/batch";
import { promptFeeds } from "../testing/feeds";
import { ourTokenAdapter, OUR_TOKENS, tokenInfoOf, type TokenModel } from "../testing/ours";
import { referenceBytes, referenceJson, referenceModel, referencePath, referenceTensors, relativeL2 } from "../testing/reference";
import { columnOfToken } from "./added-tokens";

const backend = openNode();
const python = process.env["DUCTUS_PYTHON"] ?? "";
const hasPython = python !== "" && spawnSync(python, ["-c", "import torch, peft, transformers, safetensors"], { timeout: 100_000 }).status === 0;

interface TokenBatch {
  lengths: number[];
  prompt_lengths: number[];
  rows: number[][];
  completion_tokens: number;
  loss: number;
}

describe.each(Object.keys(OUR_TOKENS) as TokenModel[])("trained tokens, %s", (model) => {
  const { config, weights } = referenceModel(model);
  const folder = `added-tokens/${model}`;
  const batch = referenceJson(`${folder}/batch.json`) as TokenBatch;
  const vocab = Math.max(config.vocabSize, ...OUR_TOKENS[model].map((id) => id + 1));
  const open = (which: string) => adapterFromPeft(
    readFileSync(referencePath(`${folder}/${which}/adapter_config.json`), "utf8"), referenceBytes(`${folder}/${which}/adapter_model.safetensors`), config);

  /** Logits of one row under the ids of a resized model, [positions, vocab], flat. */
  async function logitsOf(adapter: LoraAdapter, ids: readonly number[]): Promise<Float32Array> {
    const tokens = adapter.tokens!;
    const session = await Session.create(backend, generationGraph(config, adapter, weights, { maxPositions: 64, tokens: tokens.ids.length }));
    const known = ids.map((id) => Math.min(id, config.vocabSize - 1)); // the embeddings of trained ids are replaced below
    const { logits } = await session.run({
      ...promptFeeds(config, weights, [{ ids: known, promptLength: 1, documentId: "", completionBytes: 0 }], { lora: adapter, tensors: flatAdapter(adapter) }),
      embeddings: f32(embedTokens(config, weights, ids, tokens), [ids.length, config.hiddenSize]),
      tokens: f32(tokens.headRows ?? tokens.rows, [tokens.ids.length, config.hiddenSize]),
      replaced: replacedFeed(config, { lora: adapter, dropout: 0, maxPositions: 64, tokens: tokens.ids }),
    });
    await session.dispose();
    const columnOf = columnOfToken(config, tokens.ids);
    const width = config.vocabSize + tokens.ids.length;
    return Float32Array.from({ length: ids.length * vocab }, (_, i) => logits!.data[Math.floor(i / vocab) * width + columnOf(i % vocab)] as number);
  }

  async function furthest(adapter: LoraAdapter, which: string): Promise<number> {
    const expected = referenceTensors(`${folder}/logits.safetensors`).get(which)!;
    const longest = Math.max(...batch.lengths);
    expect(expected.shape).toEqual([batch.rows.length, longest, vocab]);
    let worst = 0;
    for (const [b, ids] of batch.rows.entries()) {
      const ours = await logitsOf(adapter, ids);
      for (let i = 0; i < ours.length; i++) worst = Math.max(worst, Math.abs(ours[i]! - expected.data[b * longest * vocab + i]!));
    }
    return worst;
  }

  it.each([["adapter", "made by PEFT"], ["ours", "made by us"]])("gives PEFT's logits: %s, %s", async (which) => {
    const adapter = open(which);
    expect(adapter.useRslora).toBe(true);
    expect(adapter.tokens?.ids).toEqual(OUR_TOKENS[model]);
    expect(adapter.tokens?.headRows === null).toBe(config.tieWordEmbeddings);
    expect(await furthest(adapter, which)).toBeLessThan(1e-4);
    // Positive controls: the scale without the root, and the rows of two tokens exchanged.
    expect(await furthest({ ...adapter, useRslora: false }, which)).toBeGreaterThan(1e-2);
    expect(await furthest({ ...adapter, tokens: { ...adapter.tokens!, ids: [...adapter.tokens!.ids].reverse() } }, which)).toBeGreaterThan(1e-2);
  });

  it.each(["whole", "streamed"] as const)("loss and the gradients of factors and rows: %s", async (kind) => {
    const adapter = open("adapter");
    const execution = await openExecution(backend, { config, weights }, { lora: adapter, dropout: 0, maxPositions: 64, tokens: adapter.tokens!.ids }, { kind, recompute: true });
    const examples = batch.rows.map((ids, i) => ({ ids, promptLength: batch.prompt_lengths[i]!, documentId: "", completionBytes: 0 }));
    const count = batch.completion_tokens;
    const { loss, gradients } = await execution.train(collate(examples), { adapter: flatAdapter(adapter), rowWeights: new Float32Array(count).fill(1 / count), dropoutSeed: null, noise: null });
    await execution.dispose();
    expect(Math.abs(loss / batch.loss - 1)).toBeLessThan(1e-5);
    const expected = referenceTensors(`${folder}/gradients.safetensors`);
    const nameOf = new Map([...adapter.tensors.keys()].map((name) => [`base_model.model.model.${name}.weight`, name]));
    nameOf.set("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", TOKEN_ROWS);
    nameOf.set("base_model.model.lm_head.token_adapter.trainable_tokens_delta", HEAD_ROWS);
    expect([...gradients.keys()].sort()).toEqual([...expected.keys()].map((name) => nameOf.get(name)).sort());
    for (const [name, { data }] of expected) expect(relativeL2(gradients.get(nameOf.get(name)!)!, data), name).toBeLessThan(1e-4);
  });

  it("our adapter is written today byte for byte as the folder that PEFT opened", () => {
    const written = adapterToPeft(ourTokenAdapter(model), tokenInfoOf(model));
    expect(written["adapter_config.json"]).toBe(readFileSync(referencePath(`${folder}/ours/adapter_config.json`), "utf8"));
    expect(written["README.md"]).toBe(readFileSync(referencePath(`${folder}/ours/README.md`), "utf8"));
    expect(Buffer.compare(written["adapter_model.safetensors"], referenceBytes(`${folder}/ours/adapter_model.safetensors`))).toBe(0);
  });

  it.skipIf(!hasPython)(`our adapter opened live by PEFT${hasPython ? "" : " (skipped: no DUCTUS_PYTHON with peft)"}`, async () => {
    const script = fileURLToPath(new URL("../../../tools/reference/check_adapter.py", import.meta.url));
    const ids = batch.rows[0]!;
    const { logits } = JSON.parse(execFileSync(
      python, [script, "--base", referencePath(model), "--adapter", referencePath(`${folder}/ours`), "--ids", ids.join()], { encoding: "utf8", timeout: 100_000 },
    )) as { logits: number[][] };
    const ours = await logitsOf(ourTokenAdapter(model), ids);
    const theirs = logits.flat();
    expect(theirs).toHaveLength(ours.length);
    for (let i = 0; i < ours.length; i++) expect(Math.abs(ours[i]! - theirs[i]!)).toBeLessThan(1e-4);
  });
});
