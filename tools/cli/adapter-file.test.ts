/** Runs that start from an adapter's file, and settings files that the site has saved. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { packAdapter } from "../../lib/train/adapter/file";
import { writeZip } from "../../lib/train/adapter/zip";
import { parseModelConfig } from "../../lib/train/model/config";
import { configFrom } from "../../lib/train/sft/start";
import { writeConfigFile } from "../../lib/train/sft/config-file";
import { dialConfig } from "../../lib/train/sft/dial";
import { openAdapterFolder } from "./model-folder";
import { call, writeTinyModel } from "./testing/folders";
import { at, gap, jsonl, logitsOf, ok, text, useWorkspace, writeTokenAdapter } from "./testing/workspace";

useWorkspace();

const rows = [{ text: "The rain had stopped." }, { text: "Nobody came, and nobody wrote." }];
const args = (out: string, ...more: string[]) => ["sft", "--model", at("model"), "--data", jsonl("d.jsonl", rows), "--out", at(out), ...more];
const config = (json: unknown) => ["--config", text("c.json", JSON.stringify(json))];
const model = () => parseModelConfig(JSON.parse(readFileSync(at("model", "config.json"), "utf8")));

/** What the site would save of the adapter in the workspace. */
function oneFile(name: string, sha256: string): string {
  const adapter = openAdapterFolder(at("adapter"), model());
  writeFileSync(at(name), packAdapter(adapter, { name: "A", createdAt: 1, modelId: "tiny", modelSha256: sha256 }));
  return at(name);
}

/** As the command line identifies the weights: it says so where an adapter names others. */
async function sha256Of(): Promise<string> {
  const { error } = await call(...args("probe", "--adapter", oneFile("other.safetensors", "b".repeat(64)), ...config({ max_steps: 1 })));
  expect(error).toMatchObject({ code: "adapter/other-model" });
  return /model: ([0-9a-f]{64})$/.exec(error!.details!)![1]!;
}

describe("sft --adapter", () => {
  it("starts at the adapter's loss exactly, from one file and from a zip of PEFT's folder, as from the folder", async () => {
    const file = oneFile("a.safetensors", await sha256Of());
    writeFileSync(at("a.zip"), writeZip(Object.fromEntries(["adapter_config.json", "adapter_model.safetensors"].map((name) => [name, new Uint8Array(readFileSync(at("adapter", name)))]))));
    const started = [["--adapter", file], ["--adapter", at("a.zip")], ["--init", at("adapter")], []] as const;
    const lines = [];
    for (const from of started) lines.push((await ok(...args("from", ...from, "--eval", jsonl("e.jsonl", [{ text: "Snow lay on the roofs." }]), ...config({ max_steps: 2, learning_rate: 0.01, shuffle: false, target_modules: "all-linear" })))).lines);
    expect(lines[0]).toEqual(lines[2]);
    expect(lines[1]).toEqual(lines[2]);
    const first = lines.map((of) => (of[0] as { evalLoss: number }).evalLoss);
    expect(Math.abs(first[3]! - first[2]!)).toBeGreaterThan(1e-3); // a fresh one starts elsewhere
    await ok(...args("still", "--adapter", file, ...config({ max_steps: 1, learning_rate: 0 })));
    expect(gap(await logitsOf(at("model"), at("still")), await logitsOf(at("model"), at("adapter")))).toBe(0);
  });

  it("refuses settings that contradict it, another model, tokens of its own, and two starts", async () => {
    const file = oneFile("a.safetensors", await sha256Of());
    expect((await call(...args("x", "--adapter", file, ...config({ r: 8 })))).error).toMatchObject({ code: "train/settings", message: expect.stringContaining("r is 8 in the settings and 3") as string });
    for (const more of [["--init", at("adapter")], ["--add-tokens", text("t.json", '["<|a|>"]')]]) expect((await call(...args("x", "--adapter", file, ...more))).error).toMatchObject({ code: "app/usage" });
    writeTinyModel(at("narrow"), 1, { hidden_size: 16, num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8 });
    expect((await call("sft", "--model", at("narrow"), "--data", jsonl("d.jsonl", rows), "--out", at("x"), "--adapter", file)).error).toMatchObject({ code: "adapter/shapes" });
    writeTokenAdapter(at("tokens"), false);
    writeFileSync(at("tokens.zip"), writeZip(Object.fromEntries(["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"].map((name) => [name, new Uint8Array(readFileSync(at("tokens", name)))]))));
    expect((await call(...args("x", "--adapter", at("tokens.zip")))).error).toMatchObject({ code: "adapter/tokens", nextStep: expect.stringContaining("--init") as string });
    expect((await call(...args("x", "--adapter", text("junk.bin", "not an adapter")))).error).toMatchObject({ code: "adapter/unknown-form" });
  });
});

describe("sft --config", () => {
  it("reads what the site has saved, with and without held-out examples", async () => {
    const saved = { ...dialConfig("quick", { parameters: 11e6, words: 3000 }), maxSteps: 2 };
    const path = text("saved.json", writeConfigFile(saved));
    expect((await ok(...args("saved", "--config", path))).lines).toHaveLength(2);
    expect((await ok(...args("saved", "--config", path, "--eval", at("e.jsonl")))).lines.length).toBeGreaterThan(3);
    expect((await ok(...args("saved", "--config", text("saved.json", writeConfigFile({ ...saved, evalSteps: 1 })), "--eval", at("e.jsonl")))).lines).toHaveLength(5);
    const from = text("from.json", writeConfigFile(configFrom(saved, openAdapterFolder(at("adapter"), model()))));
    expect((await ok(...args("saved", "--config", from, "--init", at("adapter")))).lines).toHaveLength(2);
  });

  it("names every setting that is wrong, and suggests the one that was meant", async () => {
    const wrong = async (json: unknown) => (await call(...args("x", ...config(json)))).error!;
    expect((await wrong({ learning_rat: 1 })).nextStep).toMatch(/^Did you mean learning_rate\?/);
    expect((await wrong({ max_length: 1, r: 0 })).message).toBe("2 settings cannot be used: r must be a whole number from 1 to 1024; max_length must be a whole number from 2 to 32768.");
  });
});
