/** `sft --add-tokens`: special tokens trained beside an adapter, the folder read again here and, with DUCTUS_PYTHON set, by transformers and PEFT. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { parseModelConfig } from "../../lib/train/model/config";
import { openAdapterFolder } from "./model-folder";
import { call, TINY_CONFIG, writeTinyModel } from "./testing/folders";
import { at, gap, jsonl, logitsOf, ok, text, useWorkspace, type Logits } from "./testing/workspace";

useWorkspace();

const python = process.env["DUCTUS_PYTHON"] ?? "";
const hasPython = python !== "" && spawnSync(python, ["-c", "import torch, peft, transformers, safetensors"], { timeout: 100_000 }).status === 0;

const vocab = TINY_CONFIG.vocab_size; // all that the tokenizer has
const CONTENT = "<|scene|>Rain fell.<|letter|> Nobody came.<|scene|>";
const rows = [{ text: CONTENT }, { text: "<|letter|>Snow lay on it.<|scene|>" }];
const json = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;

/** @param names of the tokens */
const run = (model: string, out: string, names: unknown, ...more: string[]) =>
  call("sft", "--model", at(model), "--data", jsonl("d.jsonl", rows), "--config", text("c.json", '{"max_steps":4,"learning_rate":0.02,"save_steps":1}'), "--add-tokens", text("tokens.json", JSON.stringify(names)), "--out", at(out), ...more);

describe.each([
  ["behind the vocabulary, a tied head", { tie_word_embeddings: true }, [vocab, vocab + 1]],
  ["behind the vocabulary, a head of its own", { tie_word_embeddings: false }, [vocab, vocab + 1]],
  ["in rows that the model has to spare", { vocab_size: vocab + 8 }, [vocab, vocab + 1]],
] as const)("tokens %s", (name, changes, ids) => {
  const model = `model ${name}`, out = `out ${name}`;
  beforeAll(async () => {
    writeTinyModel(at(model), 5, changes);
    const { error } = await run(model, out, ["<|scene|>", "<|letter|>"]);
    expect(error).toBeUndefined();
  });

  it("are trained from rows near the mean, and saved with the adapter and its tokenizer", async () => {
    const config = parseModelConfig(json(at(model, "config.json")));
    const { tokens } = openAdapterFolder(at(out), config);
    expect(tokens!.ids).toEqual(ids);
    expect(tokens!.headRows === null).toBe(config.tieWordEmbeddings);
    expect(json(at(out, "tokenizer.json"))["added_tokens"]).toContainEqual(expect.objectContaining({ id: ids[1], content: "<|letter|>", special: true }));
    const { tokens: read } = await logitsOf(at(model), at(out), CONTENT);
    expect([read[0], read.at(-1)]).toEqual([ids[0], ids[0]]);
    expect(read).toContain(ids[1]);
    // Four steps of 0.02 move a number by 0.08 at most; rows of this model that nobody trained reach 0.5.
    const furthest = tokens!.rows.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(furthest).toBeLessThan(0.12);
    expect(furthest).toBeGreaterThan(0.01);
  });

  it("are merged, and read from the merged folder", async () => {
    await ok("merge", "--model", at(model), "--adapter", at(out), "--out", at(`merged ${name}`));
    expect(gap(await logitsOf(at(`merged ${name}`), undefined, CONTENT), await logitsOf(at(model), at(out), CONTENT))).toBeLessThan(1e-4);
  });

  it.runIf(hasPython)("give the same logits in transformers and PEFT, its embeddings resized", async () => {
    const script = fileURLToPath(new URL("../reference/check_adapter.py", import.meta.url));
    const theirs = JSON.parse(execFileSync(python, [script, "--base", at(model), "--adapter", at(out), "--text", text("t.txt", CONTENT)], { encoding: "utf8", timeout: 100_000, maxBuffer: 2 ** 28 })) as Logits;
    const ours = await logitsOf(at(model), at(out), CONTENT);
    expect(ours.tokens).toEqual(theirs.tokens);
    expect(ours.logits[0]!.length).toBe(theirs.logits[0]!.length);
    expect(gap(ours, theirs)).toBeLessThan(1e-4);
  });
});

it("goes on with the same tokens, and not with others", async () => {
  const whole = await run("model", "whole", ["<|scene|>", "<|letter|>"]);
  expect(whole.lines.length).toBe(4);
  expect((await run("model", "whole", ["<|scene|>", "<|letter|>"], "--resume")).error).toBeUndefined();
  expect((await run("model", "whole", ["<|scene|>"], "--resume")).error).toMatchObject({ code: "train/checkpoint-other" });
});

it("refuses what are no tokens, and tokens beside those of an adapter", async () => {
  for (const names of [{ a: 1 }, ["a", 3], "a"]) expect((await run("model", "none", names)).error).toMatchObject({ code: "train/settings", message: expect.stringContaining("tokens.json") as string });
  for (const names of [[], ["<|a|>", "<|a|>"], [" "]]) expect((await run("model", "none", names)).error).toMatchObject({ code: "model/added-tokens" });
  expect((await run("model", "none", ["<|a|>"], "--init", at("adapter"))).error).toMatchObject({ code: "app/usage" });
});
