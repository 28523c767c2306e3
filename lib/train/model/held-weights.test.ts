import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../adapter/safetensors";
import { concat, encodeTensor, exactWeights, safetensorsFile, shardedFiles, type RawTensor } from "../testing/checkpoint";
import { parseModelConfig } from "./config";
import { memoryModel, type ModelFiles } from "./files";
import type { Storage } from "./held";
import { writeHeldModel } from "./held-file";
import { dequantize, hold } from "./quantize";
import { loadCheckpoint, loadHeldWeights, weightShapes } from "./weights";

const json = {
  model_type: "qwen2", vocab_size: 50, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1,
  intermediate_size: 48, max_position_embeddings: 64, tie_word_embeddings: false,
};
const config = parseModelConfig(json);
const tied = parseModelConfig({ ...json, tie_word_embeddings: true });
const exact = exactWeights(config, 1);
const f32 = { matrices: "f32", embedding: "f32" } as const;
const q4 = { matrices: "q4", embedding: "f16" } as const;

const raw = (dtype: RawTensor["dtype"]) => [...exact].map(([name, tensor]) => encodeTensor(name, tensor, dtype));
const single = (dtype: RawTensor["dtype"]) => memoryModel({ "model.safetensors": safetensorsFile(raw(dtype)) });
const sha = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** The files, with every read noted. */
function watched(files: ModelFiles): { files: ModelFiles; reads: { name: string; start: number; end: number }[] } {
  const reads: { name: string; start: number; end: number }[] = [];
  return {
    reads,
    files: {
      names: () => files.names(),
      open: async (name) => {
        const source = await files.open(name);
        return { size: source.size, read: (start, end) => (reads.push({ name, start, end }), source.read(start, end)) } satisfies ByteSource;
      },
    },
  };
}

describe("loadHeldWeights", () => {
  it("reads f32, f16 and bf16, in one file or in shards, to the same weights", async () => {
    const expected = new Map([...exact].map(([name, { shape, data }]) => [name, { storage: "f32", shape, data }]));
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      expect(await loadHeldWeights(config, single(dtype), f32)).toEqual(expected);
      for (const shards of [1, 3]) expect(await loadHeldWeights(config, memoryModel(shardedFiles(raw(dtype), shards)), f32)).toEqual(expected);
    }
  });

  it("holds matrices, embedding and head as asked, vectors as f32, and short rows as f16", async () => {
    for (const [matrices, embedding] of [["q4", "f16"], ["q8", "q4"], ["f16", "q8"], ["f32", "f32"]] as [Storage, Storage][]) {
      for (const dtype of ["F32", "F16", "BF16"] as const) {
        const weights = await loadHeldWeights(config, single(dtype), { matrices, embedding });
        expect([...weights.keys()]).toEqual([...weightShapes(config).keys()]);
        for (const [name, { shape, data }] of exact) {
          const asked = shape.length === 1 ? "f32" : /embed_tokens|lm_head/.test(name) ? embedding : matrices;
          const storage = name.includes("down_proj") && asked !== "f32" ? "f16" : asked; // 48 columns
          expect(weights.get(name), name).toEqual(hold(data, shape, storage));
        }
      }
    }
  });

  it("reads every byte once, in order, and counts them", async () => {
    const { files, reads } = watched(memoryModel(shardedFiles(raw("BF16"), 2)));
    const progress: number[] = [];
    let total = 0;
    await loadHeldWeights(config, files, { ...q4, onProgress: (done, all) => (progress.push(done), (total = all)) });
    const bytes = [...exact.values()].reduce((sum, { data }) => sum + 2 * data.length, 0);
    expect(total).toBeGreaterThan(bytes);
    expect(progress.at(-1)).toBe(total);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    const header = reads.filter(({ start }) => start <= 8);
    const body = reads.filter(({ start }) => start > 8);
    expect(header.length).toBe(7); // of each shard: length, header, and both again for the hash; and the index
    for (let i = 1; i < body.length; i++) if (body[i]!.name === body[i - 1]!.name) expect(body[i]!.start).toBe(body[i - 1]!.end);
  });

  it("cuts large tensors into pieces and gets the same", async () => {
    // One matrix of 17 MB as f32: two pieces, many steps.
    const wide = parseModelConfig({ ...json, num_hidden_layers: 1, vocab_size: 136_000, tie_word_embeddings: true });
    const weights = exactWeights(wide, 2);
    const { files, reads } = watched(memoryModel({ "model.safetensors": safetensorsFile([...weights].map(([name, tensor]) => encodeTensor(name, tensor, "F32"))) }));
    for (const embedding of ["f16", "q4"] as const) {
      const loaded = await loadHeldWeights(wide, files, { matrices: "q4", embedding });
      const { shape, data } = weights.get("model.embed_tokens.weight")!;
      const [ours, expected] = [loaded.get("model.embed_tokens.weight")!.data, hold(data, shape, embedding).data];
      expect(Buffer.from(ours.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    }
    expect(Math.max(...reads.map(({ start, end }) => end - start))).toBe(16 * 1024 * 1024);
  });

  it("passes over a tied head that is stored as well", async () => {
    const weights = await loadHeldWeights(tied, single("BF16"), f32);
    expect(weights.has("lm_head.weight")).toBe(false);
    expect(weights.size).toBe(exact.size - 1);
  });

  it("says which weights they are", async () => {
    const file = safetensorsFile(raw("BF16"));
    expect((await loadCheckpoint(config, memoryModel({ "model.safetensors": file }), q4)).sha256).toBe(sha(file));
    // A stored copy of a tied head counts, too.
    expect((await loadCheckpoint(tied, memoryModel({ "model.safetensors": file }), q4)).sha256).toBe(sha(file));
    const files = shardedFiles(raw("F16"), 2);
    const lines = Object.entries(files).filter(([name]) => name.endsWith(".safetensors")).map(([name, bytes]) => `${sha(bytes)}  ${name}\n`);
    expect(lines).toHaveLength(2);
    expect((await loadCheckpoint(config, memoryModel(files), q4)).sha256).toBe(sha(lines.join("")));
    expect((await loadCheckpoint(config, memoryModel(files), { ...q4, sha256: "known" })).sha256).toBe("known");
  });

  it("stops when it is told to, with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let calls = 0;
    const loading = loadHeldWeights(config, single("F32"), { ...q4, signal: controller.signal, onProgress: () => { if (++calls === 5) controller.abort(reason); } });
    await expect(loading).rejects.toBe(reason);
    expect(calls).toBe(5);
    await expect(loadHeldWeights(config, single("F32"), { ...q4, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("refuses values that are no numbers, in whatever form they are held", async () => {
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        const broken = raw(dtype).map((tensor) => {
          if (!tensor.name.endsWith("1.mlp.down_proj.weight")) return tensor;
          const data = exact.get(tensor.name)!.data.slice();
          data[data.length - 1] = value;
          return encodeTensor(tensor.name, { shape: tensor.shape, data }, dtype);
        });
        for (const options of [f32, q4]) await expect(loadHeldWeights(config, memoryModel({ "model.safetensors": safetensorsFile(broken) }), options)).rejects.toMatchObject({ code: "model/damaged", message: expect.stringContaining("down_proj") as string });
      }
    }
  });

  it("refuses numbers too large for 16 bits, and reads them as f32", async () => {
    const large = raw("BF16").map((tensor) => (tensor.name === "lm_head.weight" ? encodeTensor(tensor.name, { shape: tensor.shape, data: new Float32Array(50 * 32).fill(65_536) }, "BF16") : tensor));
    const files = memoryModel({ "model.safetensors": safetensorsFile(large) });
    await expect(loadHeldWeights(config, files, q4)).rejects.toMatchObject({ code: "model/range" });
    expect((await loadHeldWeights(config, files, f32)).get("lm_head.weight")!.data[0]).toBe(65_536);
  });

  it("refuses a checkpoint of other numbers, or that lacks or adds a tensor", async () => {
    const rest = raw("F32").slice(1);
    const [first] = raw("F32");
    const ids = { ...first!, dtype: "I32" as unknown as "F32" };
    await expect(loadHeldWeights(config, memoryModel({ "model.safetensors": safetensorsFile([ids, ...rest]) }), f32)).rejects.toMatchObject({ code: "model/number-type" });
    await expect(loadHeldWeights(config, memoryModel({ "model.safetensors": safetensorsFile(rest) }), f32)).rejects.toMatchObject({ code: "model/tensors" });
    await expect(loadHeldWeights(config, memoryModel({ "model.safetensors": safetensorsFile([...raw("F32"), { ...first!, name: "model.extra" }]) }), f32)).rejects.toMatchObject({ code: "model/tensors", message: expect.stringContaining("model.extra") as string });
  });
});

describe("shards", () => {
  const files = shardedFiles(raw("BF16"), 3);
  const names = Object.keys(files).filter((name) => name.endsWith(".safetensors"));
  const index = JSON.parse(files["model.safetensors.index.json"] as string) as { weight_map: Record<string, string> };
  const withMap = (change: Record<string, unknown>, remove: string[] = []) => {
    const map = Object.fromEntries(Object.entries({ ...index.weight_map, ...change }).filter(([name]) => !remove.includes(name)));
    return { ...files, "model.safetensors.index.json": JSON.stringify({ weight_map: map }) };
  };
  const fault = (changed: Record<string, Uint8Array | string>) => loadHeldWeights(config, memoryModel(changed), q4).then(() => { throw new Error("was accepted"); }, (error: unknown) => error as { code: string; message: string });

  it("a missing one is named", async () => {
    const { [names[1]!]: _, ...rest } = files;
    expect(await fault(rest)).toMatchObject({ code: "model/missing-file", message: expect.stringContaining("model-00002-of-00003.safetensors") as string });
  });

  it("must hold exactly what the index says", async () => {
    expect(await fault(withMap({ "lm_head.weight": names[0] }))).toMatchObject({ code: "model/index", message: expect.stringContaining("lm_head.weight") as string });
    expect(await fault(withMap({ "model.other": names[0] }))).toMatchObject({ code: "model/index", message: expect.stringContaining("model.other") as string });
    expect(await fault(withMap({}, ["lm_head.weight"]))).toMatchObject({ code: "model/index", message: expect.stringContaining("lm_head.weight") as string });
    const twice = { ...files, [names[2]!]: safetensorsFile([...raw("BF16").slice(-2), encodeTensor("model.embed_tokens.weight", exact.get("model.embed_tokens.weight")!, "BF16")]) };
    expect((await fault(twice)).code).toBe("model/index");
  });

  it("lie in the folder itself", async () => {
    for (const name of ["../model-00001-of-00003.safetensors", "/etc/x.safetensors", "a/b.safetensors", "a\\b.safetensors", "x.bin", "", 3, null, {}]) {
      expect((await fault(withMap({ "lm_head.weight": name }))).code).toBe("model/index");
    }
  });

  it("have an index that is one", async () => {
    const hidden = (files["model.safetensors.index.json"] as string).replace('"weight_map": {', '"weight_map": {"__proto__": "x.safetensors",');
    for (const text of [hidden, "", "nope", "[]", "{}", '{"weight_map":[]}', '{"weight_map":{}}', '{"weight_map":null}', '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}']) {
      expect(["model/index", "model/damaged", "model/missing-file"]).toContain((await fault({ ...files, "model.safetensors.index.json": text })).code);
    }
  });

  it("are not looked at where there is one whole file", async () => {
    const whole = { ...files, "model.safetensors": safetensorsFile(raw("F32")), [names[0]!]: new Uint8Array(3) };
    expect((await loadHeldWeights(config, memoryModel(whole), f32)).size).toBe(exact.size);
  });

  it("are asked for where the weights have another form", async () => {
    expect(await fault({ "pytorch_model.bin": new Uint8Array(4) })).toMatchObject({ code: "model/pickle", message: expect.stringContaining("pytorch_model.bin") as string });
    expect((await fault({ [names[0]!]: files[names[0]!]! })).code).toBe("model/missing-file");
    expect(await fault({})).toMatchObject({ code: "model/missing-file", message: expect.stringContaining("model.safetensors") as string });
  });
});

describe("writeHeldModel", () => {
  const source = "5e".repeat(32);
  async function written(options: { matrices: Storage; embedding: Storage }): Promise<{ bytes: Uint8Array; weights: Awaited<ReturnType<typeof loadHeldWeights>> }> {
    const weights = await loadHeldWeights(config, single("BF16"), options);
    const parts: Uint8Array[] = [];
    await writeHeldModel(weights, source, (part) => void parts.push(part.slice()));
    return { bytes: concat(parts), weights };
  }

  it("is read back to the same bytes by the same loader, whatever is asked for", async () => {
    for (const options of [q4, { matrices: "q8", embedding: "q4" }, { matrices: "q4", embedding: "f32" }] as const) {
      const { bytes, weights } = await written(options);
      expect((await written(options)).bytes).toEqual(bytes);
      const back = await loadCheckpoint(config, memoryModel({ "model.safetensors": bytes }), options);
      expect(back.weights).toEqual(weights);
      expect(back.sha256).toBe(source);
      const wider = await loadHeldWeights(config, memoryModel({ "model.safetensors": bytes }), { matrices: "f32", embedding: "f32" });
      for (const [name, tensor] of weights) expect(dequantize(wider.get(name)!)).toEqual(dequantize(tensor));
    }
  });

  it("counts its bytes, hands out no large part, and stops when told to", async () => {
    const { bytes, weights } = await written(q4);
    let last: [number, number] = [0, 0];
    await writeHeldModel(weights, source, () => {}, (...progress) => { last = progress; });
    expect(last).toEqual([bytes.length, bytes.length]);
    await expect(writeHeldModel(weights, source, () => {}, undefined, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    await expect(writeHeldModel(weights, "no hash", () => {})).rejects.toThrow(RangeError);
  });

  it("is refused where scales are missing, endless or of another shape, and without its notes", async () => {
    const weights = await loadHeldWeights(config, single("BF16"), q4);
    const name = "model.layers.0.self_attn.q_proj.weight";
    const tensor = weights.get(name)!;
    if (!("scales" in tensor)) throw new Error("is not quantised");
    const read = async (changed: typeof weights, edit = (file: Uint8Array) => file) => {
      const parts: Uint8Array[] = [];
      await writeHeldModel(changed, source, (part) => void parts.push(part.slice()));
      return loadHeldWeights(config, memoryModel({ "model.safetensors": edit(concat(parts)) }), q4);
    };
    for (const scale of [Number.NaN, Infinity, 1e38]) {
      const scales = tensor.scales.slice();
      scales[3] = scale;
      await expect(read(new Map([...weights, [name, { ...tensor, scales }]]))).rejects.toMatchObject({ code: "model/damaged" });
    }
    const swap = (from: string, to: string) => (file: Uint8Array) => {
      const at = Buffer.from(file.buffer, file.byteOffset, file.byteLength).indexOf(from);
      expect(at).toBeGreaterThan(0);
      file.set(new TextEncoder().encode(to), at);
      return file;
    };
    await expect(read(weights)).resolves.toBeDefined();
    await expect(read(weights, swap(`${name}.scales`, `${name}.scalez`))).rejects.toMatchObject({ code: "model/tensors" });
    await expect(read(weights, swap("ductus_held\":\"1", "ductus_held\":\"2"))).rejects.toMatchObject({ code: "model/newer" });
    await expect(read(weights, swap("ductus_held", "ductus_hold"))).rejects.toMatchObject({ code: "model/tensors" });
    await expect(read(weights, swap("5e5e", "5E5E"))).rejects.toMatchObject({ code: "model/damaged" });
    await expect(read(weights, swap("[32,1,16]", "[16,1,32]"))).rejects.toMatchObject({ code: "model/tensors" });
  });

  it("is refused where a projection is held in more than one form: q with k and v, and over all layers", async () => {
    const weights = await loadHeldWeights(config, single("BF16"), q4);
    const withOther = async (name: string, storage: Storage) => {
      const { shape, data } = exact.get(name)!;
      const parts: Uint8Array[] = [];
      await writeHeldModel(new Map([...weights, [name, hold(data, shape, storage)]]), source, (part) => void parts.push(part.slice()));
      return loadHeldWeights(config, memoryModel({ "model.safetensors": concat(parts) }), q4);
    };
    for (const [projection, storage] of [["k_proj", "q8"], ["v_proj", "f16"]] as const) {
      await expect(withOther(`model.layers.0.self_attn.${projection}.weight`, storage)).rejects.toMatchObject({ code: "model/tensors", message: expect.stringMatching(new RegExp(`${projection}.*q_proj`)) as string });
    }
    await expect(withOther("model.layers.1.mlp.up_proj.weight", "q8")).rejects.toMatchObject({ code: "model/tensors", message: expect.stringMatching(/layers\.1.*layers\.0/) as string });
    await expect(withOther("lm_head.weight", "q4")).resolves.toBeDefined();
  });
});
