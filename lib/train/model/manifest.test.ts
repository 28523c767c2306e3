import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeManifest } from "../../../tools/models/make-manifest";
import { sha256Hex } from "../../core/hash";
import { loadManifest, loadModel, loadModelSettings, manifestSchema, MODEL_FILES, stopTokenIds, type FetchFn } from "./manifest";

const folder = fileURLToPath(new URL("../../../public/models", import.meta.url));
const BASE = "http://localhost/models";

/** Reads from disk; `change` may replace what a file holds. The body comes in pieces of `piece` bytes. */
function diskFetch(change: (path: string, bytes: Uint8Array) => Uint8Array | Response = (_, bytes) => bytes, piece = 1_000_003): FetchFn {
  return (url) => {
    const path = url.slice(BASE.length + 1);
    let content: Uint8Array | Response;
    try {
      content = change(path, new Uint8Array(readFileSync(`${folder}/${path}`)));
    } catch {
      return Promise.resolve(new Response("not found", { status: 404 }));
    }
    if (content instanceof Response) return Promise.resolve(content);
    const bytes = content;
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + piece));
        at += piece;
      },
    });
    return Promise.resolve(new Response(body));
  };
}

const only = (name: string, edit: (bytes: Uint8Array) => Uint8Array | Response) => diskFetch((path, bytes) => (path.endsWith(name) ? edit(bytes) : bytes));

describe("public/models/manifest.json", () => {
  it("is what the folder gives", () => {
    const manifest = readFileSync(`${folder}/manifest.json`, "utf8");
    expect(manifest).toBe(`${JSON.stringify(makeManifest(folder), null, 2)}\n`);
  });

  it("lists every file beside it but the model cards", () => {
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")));
    expect(readdirSync(folder).sort()).toEqual([...manifest.models.map(({ id }) => id), "manifest.json"].sort());
    for (const { id, files } of manifest.models) expect(readdirSync(`${folder}/${id}`).sort()).toEqual([...files.map(({ path }) => path), "README.md"].sort());
  });

  it("is refused with a file missing, listed twice, outside its folder, or another sha256", () => {
    const manifest = makeManifest(folder);
    const entry = manifest.models[0]!;
    const accepts = (changes: Partial<typeof entry>) => manifestSchema.safeParse({ ...manifest, models: [{ ...entry, ...changes }] }).success;
    expect(accepts({})).toBe(true);
    expect(accepts({ files: entry.files.slice(1) })).toBe(false);
    expect(accepts({ files: [...entry.files, entry.files[0]!] })).toBe(false);
    expect(accepts({ files: [...entry.files, { ...entry.files[0]!, path: "../secret" }] })).toBe(false);
    expect(accepts({ sha256: "0".repeat(64) })).toBe(false);
    expect(accepts({ id: "../x" })).toBe(false);
  });
});

describe("loadModelSettings", () => {
  it("reads what loadModel reads, but no weights, and trusts no byte more", async () => {
    const asked: string[] = [];
    const settings = await loadModelSettings(BASE, "ductus-base", diskFetch((path, bytes) => {
      asked.push(path);
      return bytes;
    }));
    expect(asked.map((path) => path.split("/").at(-1)).sort()).toEqual(["config.json", "manifest.json", "tokenizer.json", "tokenizer_config.json"]);
    const { config, tokenizerJson, tokenizerConfig, entry } = await loadModel(BASE, "ductus-base", diskFetch());
    expect(settings).toEqual({ config, tokenizerJson, tokenizerConfig, entry });
    const wrong = only("tokenizer.json", (bytes) => bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)));
    await expect(loadModelSettings(BASE, "ductus-base", wrong)).rejects.toMatchObject({ code: "model/corrupt" });
    await expect(loadModelSettings(BASE, "nothing", diskFetch())).rejects.toMatchObject({ code: "model/missing" });
  });
});

describe("loadModel", () => {
  it("loads all files with rising progress", async () => {
    const progress: [number, number][] = [];
    const model = await loadModel(`${BASE}/`, "ductus-base", diskFetch(), (done, total) => progress.push([done, total]));
    expect(model.config.family).toBe("qwen3");
    expect(model.weightsBytes.byteLength).toBe(22_960_184);
    expect(await sha256Hex(model.weightsBytes)).toBe(model.entry.sha256);
    expect(stopTokenIds(model)).toEqual([2, 0]);
    expect(model.tokenizerJson).toHaveProperty("model.type", "BPE");
    expect(model.tokenizerConfig).toHaveProperty("eos_token", "<|im_end|>");
    const total = model.entry.files.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(progress[0]).toEqual([0, total]);
    expect(progress.at(-1)).toEqual([total, total]);
    expect(progress.length).toBeGreaterThan(20);
    expect(progress.every(([done], i) => i === 0 || done >= progress[i - 1]![0])).toBe(true);
  });

  it.each(MODEL_FILES)("notices one wrong bit, one byte less and one more in %s", async (name) => {
    const flipped = only(name, (bytes) => ((bytes[bytes.length >> 1]! ^= 1), bytes));
    await expect(loadModel(BASE, "ductus-base", flipped)).rejects.toMatchObject({ code: "model/corrupt", message: expect.stringContaining(name) as string });
    await expect(loadModel(BASE, "ductus-base", only(name, (bytes) => bytes.slice(0, -1)))).rejects.toMatchObject({ code: "model/corrupt" });
    await expect(loadModel(BASE, "ductus-base", only(name, (bytes) => Uint8Array.from([...bytes.slice(0, 10), ...bytes])))).rejects.toMatchObject({ code: "model/corrupt" });
  });

  it("never reads on past the size in the manifest", async () => {
    let sent = 0;
    const endless = only("config.json", () => new Response(new ReadableStream<Uint8Array>({ pull: (controller) => (sent++, controller.enqueue(new Uint8Array(1000))) })));
    await expect(loadModel(BASE, "ductus-base", endless)).rejects.toMatchObject({ code: "model/corrupt" });
    expect(sent).toBeLessThan(5);
  });

  it("says in words what is missing, unreadable, or out of reach", async () => {
    await expect(loadModel(BASE, "nothing", diskFetch())).rejects.toMatchObject({ code: "model/missing" });
    await expect(loadModel(BASE, "ductus-base", only("tokenizer.json", () => new Response("", { status: 404 })))).rejects.toMatchObject({ code: "model/missing", message: expect.stringContaining("tokenizer.json") as string });
    await expect(loadManifest(BASE, only("manifest.json", () => new TextEncoder().encode("<!doctype html>")))).rejects.toMatchObject({ code: "model/manifest" });
    await expect(loadManifest(BASE, only("manifest.json", () => new TextEncoder().encode('{"version":2,"models":[]}')))).rejects.toMatchObject({ code: "model/manifest" });
    await expect(loadModel(BASE, "ductus-base", () => Promise.reject(new TypeError("Failed to fetch")))).rejects.toMatchObject({ code: "model/offline" });
    const breaking = only("model.safetensors", () => new Response(new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new TypeError("network error")) })));
    await expect(loadModel(BASE, "ductus-base", breaking)).rejects.toMatchObject({ code: "model/offline" });
  });

  it("ends with the signal's reason when it is aborted", async () => {
    const controller = new AbortController();
    const loading = loadModel(BASE, "ductus-base", (url, init) => (controller.abort(new Error("enough")), init?.signal?.aborted ? Promise.reject(new Error("aborted")) : diskFetch()(url)), undefined, controller.signal);
    await expect(loading).rejects.toThrow("enough");
  });
});
