import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { memoryModel } from "./files";
import { openModelFiles } from "./load";
import { loadWeights } from "./weights";

const folder = new URL("../../../public/models/ductus-base/", import.meta.url);
const embedded = Object.fromEntries(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))]));
const json = (name: string) => JSON.parse(new TextDecoder().decode(embedded[name])) as Record<string, unknown>;
const without = (...names: string[]) => Object.fromEntries(Object.entries(embedded).filter(([name]) => !names.includes(name)));
const f32 = { matrices: "f32", embedding: "f32" } as const;
const open = (files: Record<string, Uint8Array | string>) => openModelFiles(memoryModel(files), f32);

describe("openModelFiles", () => {
  it("opens the embedded model's folder, its weights being the same", async () => {
    const model = await open(embedded);
    const weights = loadWeights(model.config, embedded["model.safetensors"]!);
    expect(model.weights.size).toBe(weights.size);
    for (const [name, { data }] of weights) expect(Buffer.from(model.weights.get(name)!.data.buffer).equals(Buffer.from(data.buffer, data.byteOffset, data.byteLength)), name).toBe(true);
    expect(model.sha256).toBe(createHash("sha256").update(embedded["model.safetensors"]!).digest("hex"));
    expect(model.tokenizer.encode("a <b>")).toHaveLength(4);
    expect(model.tokenizer.encodeChat([{ role: "user", content: "x" }], true).length).toBeGreaterThan(3);
    expect(model.stopTokenIds).toContain(model.tokenizer.eosTokenId);
    expect(model.generationConfig.eosTokenIds.length).toBeGreaterThan(0);
  });

  it("does without generation_config.json, and takes the template from a file of its own", async () => {
    const { chat_template: template, ...config } = json("tokenizer_config.json");
    const files = { ...without("generation_config.json"), "tokenizer_config.json": JSON.stringify(config) };
    const untemplated = await open(files);
    expect(untemplated.generationConfig.eosTokenIds).toEqual([]);
    const model = await open({ ...files, "chat_template.jinja": template as string });
    expect(model.tokenizer.encodeChat([{ role: "user", content: "x" }], true)).toEqual((await open(embedded)).tokenizer.encodeChat([{ role: "user", content: "x" }], true));
    await expect(open({ ...files, "chat_template.jinja": Uint8Array.of(0xff) })).rejects.toMatchObject({ code: "model/damaged", message: expect.stringContaining("chat_template.jinja") as string });
  });

  it("names the file that is missing", async () => {
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]) {
      await expect(open(without(name))).rejects.toMatchObject({ code: "model/missing-file", message: expect.stringContaining(name) as string });
    }
    await expect(open({ ...without("tokenizer.json"), "vocab.json": "{}", "merges.txt": "" })).rejects.toMatchObject({ code: "model/old-tokenizer", message: expect.stringContaining("tokenizer.json") as string });
  });

  it("refuses a tokenizer with more tokens than the model knows", async () => {
    await expect(open({ ...embedded, "config.json": JSON.stringify({ ...json("config.json"), vocab_size: 8191 }) })).rejects.toMatchObject({ code: "model/tokenizer", message: expect.stringContaining("8191") as string });
  });

  it("reads no weights where a small file is bad, and stops when told to", async () => {
    const files = memoryModel({ ...embedded, "config.json": "{" });
    const opened: string[] = [];
    const watched = { names: () => files.names(), open: (name: string) => (opened.push(name), files.open(name)) };
    await expect(openModelFiles(watched, f32)).rejects.toMatchObject({ code: "model/damaged" });
    expect(opened).toEqual(["config.json"]);
    await expect(openModelFiles(memoryModel(embedded), { ...f32, signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
