import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { info, randomAdapter, tinyModel, tinySha256 } from "../testing/adapter";
import { baseNamed, isCalled, openAdapter, packAdapter, withName, zipPeft, type BaseModel } from "./file";
import { adapterToPeft, peftSafetensors } from "./peft";
import { readSafetensors } from "./safetensors";
import { fault } from "../testing/fault";
import { writeZip } from "./zip";

const base: BaseModel = { id: "ductus-base", name: "Ductus Base", sha256: tinySha256, config: tinyModel };
const adapter = randomAdapter(5);
const packed = packAdapter(adapter, info);
const folder = adapterToPeft(adapter, info);

/** The one-file form with other notes. */
function repack(changes: Record<string, string | undefined>): Uint8Array {
  const metadata = { ...readSafetensors(packed).metadata, ...changes };
  return peftSafetensors(adapter, Object.fromEntries(Object.entries(metadata).filter((pair): pair is [string, string] => pair[1] !== undefined)));
}

describe("the one-file form", () => {
  it("comes back with everything, verified against the base", () => {
    expect(openAdapter(packed, base)).toEqual({ adapter, info, addedTokens: [], baseVerified: true });
    const { recipe: _recipe, report: _report, steps: _steps, trainTokens: _tokens, ...little } = info;
    expect(openAdapter(packAdapter(adapter, little), base).info).toEqual(little);
  });

  it("gives the same bytes each time", () => {
    expect(packAdapter(randomAdapter(5), { ...info })).toEqual(packed);
  });

  it("is no zip, even where its header's length begins with a zip's two letters", () => {
    const header = 0x4b50; // "PK" as the first two bytes
    let note = "";
    const length = (): number => new DataView(repack({ note }).buffer).getUint32(0, true);
    note = "x".repeat(header - length());
    expect(length()).toBe(header);
    expect(openAdapter(repack({ note }), base).adapter).toEqual(adapter);
  });

  it("leaves a report out that ran out of bounds, and stays readable", () => {
    const report = { ...info.report!, tuned: { ...info.report!.tuned, loss: Number.NaN, perplexity: Infinity } };
    const { report: _, ...rest } = info;
    expect(openAdapter(packAdapter(adapter, { ...info, report }), base).info).toEqual(rest);
  });

  it("refuses another model by its hash, in words", () => {
    const other = fault(() => openAdapter(packed, { ...base, id: "qwen", sha256: "b".repeat(64) }));
    expect(other.code).toBe("adapter/other-model");
    expect(other.message).toBe("This adapter was made for another model (ductus-base; the one in use is qwen).");
    expect(fault(() => openAdapter(packed, { ...base, sha256: "b".repeat(64) })).message).toContain("another version of Ductus Base");
  });

  it("refuses what is no adapter, lacks its settings, or is newer", () => {
    expect(fault(() => openAdapter(new Uint8Array(0), base)).code).toBe("adapter/unknown-form");
    expect(fault(() => openAdapter(new TextEncoder().encode("Dear diary, today it rained."), base)).code).toBe("adapter/unknown-form");
    const bare = fault(() => openAdapter(folder["adapter_model.safetensors"], base));
    expect(bare.code).toBe("adapter/no-settings");
    expect(bare.next).toContain("adapter_config.json");
    expect(fault(() => openAdapter(repack({ ductus_adapter: "2" }), base)).code).toBe("adapter/newer");
  });

  it.each([
    { run: "{" },
    { run: '{"report":{"base":{}}}' },
    { run: '{"steps":-1}' },
    { run: '{"recipe":{"lora":{"rank":"8"}}}' },
    { created_at: "yesterday" },
    { created_at: "9e15" },
    { created_at: undefined },
    { base_model_id: "../../x y" },
    { base_model_sha256: "abc" },
    { base_model_sha256: undefined },
    { name: "n".repeat(201) },
  ])("refuses notes such as %j", (changes) => {
    expect(fault(() => openAdapter(repack(changes), base)).code).toBe("adapter/damaged");
  });

  it("names the tokens that it adds", () => {
    const tokens = { ids: [64, 3], rows: new Float32Array(2 * tinyModel.hiddenSize).fill(0.5), headRows: null };
    const trained = { ...adapter, tokens };
    const addedTokens = [{ id: 64, content: "<|aside|>" }];
    expect(openAdapter(packAdapter(trained, { ...info, addedTokens }), base)).toEqual({ adapter: trained, info: { ...info, addedTokens }, addedTokens, baseVerified: true });
    expect(openAdapter(packAdapter(trained, info), base).addedTokens).toEqual([]);
    for (const bad of [[{ id: 5, content: "x" }], [{ id: 64, content: "" }], [{ id: -1, content: "x" }], { id: 64 }]) {
      expect(fault(() => openAdapter(packAdapter(trained, { ...info, addedTokens: bad as typeof addedTokens }), base)).code).toBe("adapter/damaged");
    }
  });

  it("is given another name, and nothing else of it changes", () => {
    const renamed = withName(packed, "A gardener’s “notes”");
    expect(openAdapter(renamed, base)).toEqual({ adapter, info: { ...info, name: "A gardener’s “notes”" }, addedTokens: [], baseVerified: true });
    expect(new TextDecoder("latin1").decode(renamed)).not.toContain(info.name);
    expect(withName(renamed, info.name)).toEqual(packed);
    expect(withName(packed, info.name)).toBe(packed);
    expect(openAdapter(withName(packed, "n".repeat(300)), base).info?.name).toBe("n".repeat(200));
    expect(withName(folder["adapter_model.safetensors"], "x"), "not one of ours").toBe(folder["adapter_model.safetensors"]);
    expect(fault(() => withName(packed.subarray(0, 2000), "x")).code).toBe("adapter/damaged");
  });

  it("ignores notes that it does not know", () => {
    expect(openAdapter(repack({ something: "else" }), base).info).toEqual(info);
    expect(openAdapter(repack({ run: '{"steps":35,"later":1}' }), base).info?.steps).toBe(35);
  });
});

describe("a zip of a PEFT folder", () => {
  it("comes back with the adapter, its base not verified", () => {
    expect(openAdapter(zipPeft(folder), base)).toEqual({ adapter, info: null, addedTokens: [], baseVerified: false });
    expect(zipPeft(folder)).toEqual(writeZip(Object.fromEntries(Object.entries(folder).reverse())));
  });

  it("opens deflated, inside a folder, beside other files", () => {
    const zip = zipSync({ "my adapter/sub/adapter_config.json": new TextEncoder().encode(folder["adapter_config.json"]), "my adapter/sub/adapter_model.safetensors": folder["adapter_model.safetensors"], "__MACOSX/my adapter/._adapter_config.json": new Uint8Array(9), "../../etc/passwd": new Uint8Array(3) }, { level: 9 });
    expect(openAdapter(zip, base).adapter).toEqual(adapter);
  });

  it("says which model its settings name, and a misfit says it too", () => {
    const naming = (name: unknown) => writeZip({ ...folder, "adapter_config.json": JSON.stringify({ ...(JSON.parse(folder["adapter_config.json"]) as object), base_model_name_or_path: name }) });
    for (const [said, heard] of [["Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B"], ["/home/me/models/Tiny/", "Tiny"], ["C:\\models\\Tiny", "Tiny"], ["./Tiny", "Tiny"], ["", null], [7, null]] as const) expect(baseNamed(naming(said)), String(said)).toBe(heard);
    expect(baseNamed(packed)).toBeNull();
    expect(baseNamed(zipPeft(folder).subarray(0, 900))).toBeNull();
    expect([isCalled("Qwen/Qwen2.5-0.5B", "qwen2.5-0.5b"), isCalled("ductus-base", "ductus-base"), isCalled("other", "ductus-base")]).toEqual([true, true, false]);
    expect(openAdapter(naming("Qwen/Qwen2.5-0.5B"), base).adapter, "a name alone refuses nothing").toEqual(adapter);
    const larger = { ...base, config: { ...tinyModel, hiddenSize: 48 } };
    const misfit = fault(() => openAdapter(naming("Qwen/Qwen2.5-0.5B"), larger));
    expect([misfit.code, misfit.message]).toEqual(["adapter/shapes", expect.stringMatching(/does not fit the model in use.*“Qwen\/Qwen2\.5-0\.5B” as its model, and the one in use is Ductus Base\.$/)]);
    expect(fault(() => openAdapter(zipPeft(folder), larger)).message).not.toContain("Its settings name");
  });

  it("takes the names of trained tokens from the tokenizer beside them", () => {
    const tokens = { ids: [64, 3], rows: new Float32Array(2 * tinyModel.hiddenSize).fill(0.5), headRows: null };
    const files = adapterToPeft({ ...adapter, tokens }, info);
    const withTokenizer = (tokenizer: string | Uint8Array) => openAdapter(writeZip({ ...files, "tokenizer.json": tokenizer }), base);
    const added = [{ id: 3, content: "<|a|>", special: true }, { id: 4, content: "<|b|>" }, { id: 64, content: "<|c|>" }];
    expect(withTokenizer(JSON.stringify({ added_tokens: added, model: {} })).addedTokens).toEqual([{ id: 3, content: "<|a|>" }, { id: 64, content: "<|c|>" }]);
    expect(openAdapter(zipPeft(files), base).addedTokens).toEqual([]);
    for (const bad of ["{", "[]", '{"added_tokens":[{"id":"3"}]}', Uint8Array.of(0xff)]) expect(fault(() => withTokenizer(bad)).code).toBe("adapter/tokenizer");
    // An adapter without trained tokens has no use for a tokenizer.
    expect(openAdapter(writeZip({ ...folder, "tokenizer.json": "{" }), base).addedTokens).toEqual([]);
  });

  it("refuses one that lacks a file, or whose settings are not text", () => {
    expect(fault(() => openAdapter(writeZip({ "README.md": "x" }), base)).message).toContain("no adapter_config.json");
    expect(fault(() => openAdapter(writeZip({ "adapter_config.json": "{}" }), base)).message).toContain("no adapter_model.safetensors");
    expect(fault(() => openAdapter(writeZip({ ...folder, "adapter_config.json": Uint8Array.of(0xff, 0xfe) }), base)).code).toBe("adapter/config");
  });
});

describe("damage", () => {
  it.each([["one file", packed], ["zip", zipPeft(folder)]] as const)("of the %s: 300 mutations are refused in words, or read with finite values in the right shapes", (_, original) => {
    const random = new Random("adapter mutations");
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      let bytes = original.slice();
      // Most of the file is numbers; half of the edits go where structure is.
      const at = () => (random.uniform() < 0.5 ? random.int(Math.min(1200, bytes.length)) : random.int(bytes.length));
      if (random.uniform() < 0.2) bytes = bytes.slice(0, random.int(bytes.length));
      else for (let edits = 1 + random.int(6); edits > 0; edits--) bytes[at()] = random.int(256);
      try {
        const { adapter: read } = openAdapter(bytes, base);
        for (const [key, { shape, data }] of read.tensors) {
          expect(shape, key).toEqual(adapter.tensors.get(key)?.shape);
          expect(data.every(Number.isFinite)).toBe(true);
        }
      } catch (error) {
        if (!(error instanceof DuctusError)) throw error;
        expect(error.code).toMatch(/^adapter\//);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(60);
    expect(refused).toBeLessThan(300);
  });
});
