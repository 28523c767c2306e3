/** The written files against plain arithmetic, in every number type, in one file and in shards. */
import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { memoryModel, type ModelFiles } from "../model/files";
import { writeHeldModel } from "../model/held-file";
import { loraScale } from "../model/lora";
import { dequantize } from "../model/quantize";
import { loadHeldWeights, weightShapes } from "../model/weights";
import { randomAdapter, tinyModel } from "../testing/adapter";
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from "./float16";
import { mergedConfigJson, mergedVocabSize, openMergeSource, writeMergedWeights, type FileSink, type MergeOptions } from "./merge";
import { encodeHeader, readSafetensors, toFloat32, writeSafetensors, type FloatDType } from "./safetensors";
import type { LoraAdapter } from "./types";

const random = new Random("merge");
const values = new Map([...weightShapes(tinyModel)].map(([name, shape]) => [name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())]));
const list = [...weightShapes(tinyModel)].map(([name, shape]) => ({ name, shape, data: values.get(name)! }));
const base = memoryModel({ "model.safetensors": writeSafetensors(list) });

/** The files written, by name. */
async function merged(files: ModelFiles, adapter: LoraAdapter, options: MergeOptions = {}): Promise<Map<string, Uint8Array>> {
  const written = new Map<string, Uint8Array>();
  const sink: FileSink = {
    open: (name) => {
      const parts: Uint8Array[] = [];
      return Promise.resolve({
        write: (bytes) => Promise.resolve(void parts.push(bytes.slice())),
        close: () => Promise.resolve(void written.set(name, new Uint8Array(Buffer.concat(parts)))),
      });
    },
  };
  await writeMergedWeights(await openMergeSource(files, tinyModel), adapter, sink, options);
  return written;
}

/** W + s · B·A in f64. */
function expected(name: string, adapter: LoraAdapter): Float64Array {
  const out = Float64Array.from(values.get(name)!);
  const key = /^model\.(.*)\.weight$/.exec(name)?.[1] ?? "";
  const a = adapter.tensors.get(`${key}.lora_A`), b = adapter.tensors.get(`${key}.lora_B`);
  if (!a || !b) return out;
  const [rank, columns] = a.shape;
  for (let row = 0; row < b.shape[0]; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b.data[row * rank + k]! * a.data[k * columns + column]!;
      out[row * columns + column]! += loraScale(adapter) * sum;
    }
  }
  return out;
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.max(...Array.from(b, (value, i) => Math.abs(a[i]! - value) / Math.max(1, Math.abs(value))));

describe("merging", () => {
  it.each([{ useRslora: false }, { useRslora: true }])("adds s · B·A to every adapted weight and leaves the others as they are, %o", async ({ useRslora }) => {
    const adapter = { ...randomAdapter(1, ["q_proj", "down_proj"]), useRslora };
    const { tensors } = readSafetensors((await merged(base, adapter)).get("model.safetensors")!);
    expect([...tensors.keys()].sort()).toEqual([...values.keys()].sort());
    let changed = 0;
    for (const [name, tensor] of tensors) {
      const data = toFloat32(tensor);
      expect(worst(data, expected(name, adapter))).toBeLessThan(1e-6);
      if (/q_proj|down_proj/.test(name)) changed += Number(worst(data, values.get(name)!) > 0.1);
      else expect(data).toEqual(values.get(name));
    }
    expect(changed).toBe(2 * tinyModel.numLayers);
  });

  it.each([["F16", 2 ** -11], ["BF16", 2 ** -8]] as const)("rounds to the nearest %s", async (dtype: FloatDType, half: number) => {
    const adapter = randomAdapter(2);
    const { tensors } = readSafetensors((await merged(base, adapter, { dtype })).get("model.safetensors")!);
    for (const [name, tensor] of tensors) {
      expect(tensor.dtype).toBe(dtype);
      const exact = expected(name, adapter);
      expect(toFloat32(tensor).every((value, i) => Math.abs(value - exact[i]!) <= Math.abs(exact[i]!) * half * 1.0001 + 1e-7)).toBe(true);
    }
  });

  it("keeps the number type of each tensor, and the bits of those that it does not change", async () => {
    const half = new Map([...values].map(([name, data]) => [name, name.includes("norm") ? data : float32ToFloat16(data)]));
    const entries = list.map(({ name, shape }) => ({ name, shape, dtype: name.includes("norm") ? "F32" as const : "F16" as const }));
    const file = new Uint8Array(Buffer.concat([encodeHeader(entries, {}), ...entries.map(({ name }) => { const data = half.get(name)!; return Buffer.from(data.buffer, data.byteOffset, data.byteLength); })]));
    const written = readSafetensors((await merged(memoryModel({ "model.safetensors": file }), randomAdapter(3, ["v_proj"]))).get("model.safetensors")!).tensors;
    for (const [name, tensor] of readSafetensors(file).tensors) {
      expect(written.get(name)?.dtype).toBe(tensor.dtype);
      if (!name.includes("v_proj")) expect(Buffer.compare(written.get(name)!.bytes, tensor.bytes)).toBe(0);
    }
  });

  it("writes shards that are read back as one model", async () => {
    const adapter = randomAdapter(4);
    const files = await merged(base, adapter, { maxShardBytes: 8000 });
    const names = [...files.keys()];
    expect(names.length).toBeGreaterThan(4);
    expect(names.slice(0, -1)).toEqual(names.slice(0, -1).map((_, i) => `model-${String(i + 1).padStart(5, "0")}-of-${String(names.length - 1).padStart(5, "0")}.safetensors`));
    const weights = await loadHeldWeights(tinyModel, memoryModel(Object.fromEntries(files)), { matrices: "f32", embedding: "f32" });
    for (const [name, tensor] of weights) expect(worst(tensor.data as Float32Array, expected(name, adapter))).toBeLessThan(1e-6);
  });

  it("puts trained rows of the vocabulary in their places, and new ones behind the last", async () => {
    const { hiddenSize, vocabSize } = tinyModel;
    const ids = [5, vocabSize, vocabSize + 1];
    const rows = Float32Array.from({ length: ids.length * hiddenSize }, (_, i) => 100 + i);
    const adapter: LoraAdapter = { ...randomAdapter(5, ["o_proj"]), tokens: { ids, rows, headRows: null } };
    const table = readSafetensors((await merged(base, adapter)).get("model.safetensors")!).tensors.get("model.embed_tokens.weight")!;
    expect(table.shape).toEqual([vocabSize + 2, hiddenSize]);
    const data = toFloat32(table);
    ids.forEach((id, i) => expect(data.slice(id * hiddenSize, (id + 1) * hiddenSize)).toEqual(rows.slice(i * hiddenSize, (i + 1) * hiddenSize)));
    expect(data.slice(6 * hiddenSize, vocabSize * hiddenSize)).toEqual(values.get("model.embed_tokens.weight")!.slice(6 * hiddenSize));
    expect(mergedVocabSize(adapter, vocabSize)).toBe(vocabSize + 2);
  });

  it("reads weights that are held quantised", async () => {
    const config = { ...tinyModel, hiddenSize: 32, numHeads: 2, numKeyValueHeads: 1, headDim: 16, intermediateSize: 64 };
    const shaped = [...weightShapes(config)].map(([name, shape]) => ({ name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()) }));
    const held = await loadHeldWeights(config, memoryModel({ "model.safetensors": writeSafetensors(shaped) }), { matrices: "q4", embedding: "q8" });
    const parts: Uint8Array[] = [];
    await writeHeldModel(held, "0".repeat(64), (part) => void parts.push(part.slice()));
    const source = await openMergeSource(memoryModel({ "model.safetensors": new Uint8Array(Buffer.concat(parts)) }), config);
    for (const [name, tensor] of held) {
      const width = tensor.shape.slice(1).reduce((a, b) => a * b, 1);
      expect(await source.readRows(name, 1, tensor.shape[0]!)).toEqual(dequantize(tensor).slice(width));
    }
  });

  it("refuses an adapter of another shape, and weights too large for the number type", async () => {
    const other = randomAdapter(6, ["q_proj"]);
    other.tensors.get("layers.1.self_attn.q_proj.lora_A")!.shape = [4, 25];
    await expect(merged(base, other)).rejects.toMatchObject({ code: "adapter/shapes" });
    const huge = randomAdapter(6, ["q_proj"]);
    huge.tensors.get("layers.1.self_attn.q_proj.lora_B")!.data.fill(1e5);
    await expect(merged(base, huge, { dtype: "F16" })).rejects.toMatchObject({ code: "adapter/merge-range" });
    expect(float16ToFloat32(Uint16Array.of(0x7bff))[0]).toBe(65_504); // what F16 holds at most
    await merged(base, huge, { dtype: "BF16" });
    expect(bfloat16ToFloat32(Uint16Array.of(0x7f7f))[0]).toBeGreaterThan(3e38);
  });
});

describe("config.json of merged weights", () => {
  it("names the number type under the key that it had, and the vocabulary", () => {
    expect(JSON.parse(mergedConfigJson({ model_type: "qwen2", torch_dtype: "bfloat16", vocab_size: 5 }, { dtype: "F16", vocabSize: 7 }))).toEqual({ model_type: "qwen2", torch_dtype: "float16", vocab_size: 7 });
    expect(JSON.parse(mergedConfigJson({ vocab_size: 5 }, { dtype: "BF16", vocabSize: 5 }))).toEqual({ vocab_size: 5, dtype: "bfloat16" });
    expect(JSON.parse(mergedConfigJson({ torch_dtype: "bfloat16", vocab_size: 5 }, { vocabSize: 5 }))).toEqual({ torch_dtype: "bfloat16", vocab_size: 5 });
  });
});
