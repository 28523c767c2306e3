/**
 * What `sft` and `merge` write, opened by PEFT and by transformers (with
 * DUCTUS_PYTHON set): the same tokens, by their own tokenizers, and the same logits.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "./testing/folders";
import { at, gap, jsonl, logitsOf, ok, text, useWorkspace, writeTokenAdapter, type Logits } from "./testing/workspace";

const python = process.env["DUCTUS_PYTHON"];
const script = fileURLToPath(new URL("../reference/check_adapter.py", import.meta.url));
const CONTENT = "Rain<|new|> fell, and he didn’t mind.";

useWorkspace();

function theirs(model: string, adapter?: string): Logits {
  const args = ["--base", model, ...(adapter === undefined ? [] : ["--adapter", adapter]), "--text", text("theirs.txt", CONTENT)];
  return JSON.parse(execFileSync(python!, [script, ...args], { encoding: "utf8", maxBuffer: 1 << 28, timeout: 100_000 })) as Logits;
}

async function expectSame(model: string, adapter?: string): Promise<void> {
  const ours = await logitsOf(model, adapter, CONTENT), other = theirs(model, adapter);
  expect(other.tokens).toEqual(ours.tokens);
  expect(other.logits.map((row) => row.length)).toEqual(ours.logits.map((row) => row.length));
  expect(gap(ours, other)).toBeLessThan(1e-4);
}

describe.runIf(python).each([["a tied head", true], ["a head of its own", false]])("over a model with %s", (_, tied) => {
  const path = (name: string) => at(`${tied ? "tied" : "untied"}-${name}`);
  const train = (out: string, settings: object, ...init: string[]) =>
    ok("sft", "--model", path("model"), "--data", jsonl("d.jsonl", [{ text: CONTENT }, { text: "Snow lay." }]), "--config", text("c.json", JSON.stringify({ max_steps: 3, learning_rate: 0.03, ...settings })), "--out", path(out), ...init);

  beforeAll(async () => {
    writeTinyModel(path("model"), 5, { tie_word_embeddings: tied });
    writeTokenAdapter(path("start"), !tied, { tie_word_embeddings: tied });
    await train("fresh", { r: 3, lora_alpha: 5, use_rslora: true, target_modules: "all-linear" });
    await train("tokens", {}, "--init", path("start"));
  });

  it("PEFT opens what sft wrote, freshly begun", () => expectSame(path("model"), path("fresh")));
  it("PEFT opens what sft wrote, with trained and added tokens", () => expectSame(path("model"), path("tokens")));

  it.each(["float32", "bfloat16"])("transformers opens what merge wrote in %s", async (dtype) => {
    const out = path(`merged-${dtype}`);
    await ok("merge", "--model", path("model"), "--adapter", path("tokens"), "--out", out, "--dtype", dtype);
    await expectSame(out);
  });
});
