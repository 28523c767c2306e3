import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { float32ToFloat16 } from "./float16";
import { ADAPTER_FILE, blobSource, bytesSource, MODEL_FILE, readSafetensors, readSafetensorsHeader, readTensor, toFloat32, writeSafetensors } from "./safetensors";
import { fault } from "../testing/fault";

function file(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0), length?: number | bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

const valid = writeSafetensors(
  [
    { name: "b.weight", shape: [2, 3], data: Float32Array.of(1, -2, 3, 4.5, 1e-20, 6) },
    { name: "a.weight", shape: [], data: Float32Array.of(7) },
    { name: "c", shape: [0, 5], data: new Float32Array(0) },
  ],
  { format: "pt", note: "ünï\"" },
);

describe("writeSafetensors", () => {
  it("is read back to the same tensors and notes", () => {
    const { tensors, metadata } = readSafetensors(valid);
    expect({ ...metadata }).toEqual({ format: "pt", note: "ünï\"" });
    expect([...tensors.keys()]).toEqual(["a.weight", "b.weight", "c"]);
    expect(tensors.get("b.weight")?.shape).toEqual([2, 3]);
    expect(toFloat32(tensors.get("b.weight")!)).toEqual(Float32Array.of(1, -2, 3, 4.5, 1e-20, 6));
    expect(toFloat32(tensors.get("a.weight")!)).toEqual(Float32Array.of(7));
    expect(toFloat32(tensors.get("c")!)).toEqual(new Float32Array(0));
  });

  it("gives the same bytes whatever the order, with the data at a multiple of 8", () => {
    const a = { name: "a", shape: [1], data: Float32Array.of(1) };
    const b = { name: "b", shape: [1], data: Float32Array.of(2) };
    expect(writeSafetensors([b, a], { y: "1", x: "2" })).toEqual(writeSafetensors([a, b], { x: "2", y: "1" }));
    expect(new DataView(valid.buffer).getUint32(0, true) % 8).toBe(0);
  });

  it("writes a view of a larger buffer, and refuses a wrong length or a name used twice", () => {
    const view = new Float32Array([9, 8, 7, 6]).subarray(1, 3);
    expect(toFloat32(readSafetensors(writeSafetensors([{ name: "v", shape: [2], data: view }])).tensors.get("v")!)).toEqual(Float32Array.of(8, 7));
    expect(() => writeSafetensors([{ name: "v", shape: [3], data: view }])).toThrow(RangeError);
    expect(() => writeSafetensors([{ name: "v", shape: [2], data: view }, { name: "v", shape: [2], data: view }])).toThrow(RangeError);
  });
});

describe("readSafetensors", () => {
  it("reads F16 and BF16, at odd addresses too", () => {
    const half = new Uint8Array(float32ToFloat16(Float32Array.of(1.5, -0.25)).buffer);
    const data = new Uint8Array(9);
    data.set(half, 1);
    data.set([0x80, 0x3f, 0x49, 0xc0], 5);
    const bytes = file(`{"u":${entry("U8", [1], 0, 1)},"h":${entry("F16", [2], 1, 5)},"b":${entry("BF16", [2], 5, 9)}}`, data);
    const { tensors } = readSafetensors(bytes);
    expect(toFloat32(tensors.get("h")!)).toEqual(Float32Array.of(1.5, -0.25));
    expect(toFloat32(tensors.get("b")!)).toEqual(Float32Array.of(1, -3.140625));
    expect(fault(() => toFloat32(tensors.get("u")!)).code).toBe("model/number-type");
    expect(tensors.get("u")?.bytes.buffer).toBe(bytes.buffer); // a view
  });

  it("reads Node's Buffer, whose slices are views, as any other bytes", () => {
    const { tensors } = readSafetensors(Buffer.concat([Buffer.from(valid)]));
    expect(toFloat32(tensors.get("b.weight")!)).toEqual(Float32Array.of(1, -2, 3, 4.5, 1e-20, 6));
    const copy = toFloat32(tensors.get("b.weight")!);
    copy[0] = 99;
    expect(toFloat32(tensors.get("b.weight")!)[0]).toBe(1);
  });

  it("treats a name such as __proto__ as any other", () => {
    const { tensors, metadata } = readSafetensors(file(`{"__metadata__":{"__proto__":"x"},"__proto__":${entry("U8", [2], 0, 2)},"constructor":${entry("U8", [], 2, 3)}}`, new Uint8Array(3)));
    expect([...tensors.keys()]).toEqual(["__proto__", "constructor"]);
    expect(Object.keys(metadata)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  const data4 = new Uint8Array(4);
  const one = (name: string, dtype: string, shape: number[], begin: number, end: number) => `"${name}":${entry(dtype, shape, begin, end)}`;
  const bad: [string, Uint8Array, string, RegExp][] = [
    ["an empty file", new Uint8Array(0), "not-safetensors", /not a safetensors/],
    ["seven bytes", new Uint8Array(7), "not-safetensors", /not a safetensors/],
    ["plain text", new TextEncoder().encode("It was a dark and stormy night."), "not-safetensors", /not a safetensors/],
    ["a header of more than 100 MB", file("{}", data4, 100_000_001), "not-safetensors", /not a safetensors/],
    ["a header length of 2^63", file("{}", data4, 2n ** 63n), "not-safetensors", /not a safetensors/],
    ["a header longer than the file", file("{}", data4, 7), "damaged", /ends within/],
    ["no UTF-8", file(Uint8Array.of(0x7b, 0xff, 0x7d)), "damaged", /cannot be read/],
    ["no JSON", file("{nope}"), "damaged", /cannot be read/],
    ["an array", file("[]"), "damaged", /wrong form/],
    ["null", file("null"), "damaged", /wrong form/],
    ["a repeated tensor", file(`{${one("a", "U8", [4], 0, 4)},${one("a", "U8", [4], 0, 4)}}`, data4), "damaged", /listed twice/],
    ["notes that are no text", file('{"__metadata__":{"a":1}}'), "damaged", /not text/],
    ["notes that are a list", file('{"__metadata__":[]}'), "damaged", /notes/],
    ["an unknown number type", file(`{${one("a", "F4", [8], 0, 4)}}`, data4), "number-type", /F4/],
    ["a type out of Object.prototype", file(`{${one("a", "toString", [4], 0, 4)}}`, data4), "number-type", /toString/],
    ["a negative dimension", file(`{${one("a", "U8", [-4], 0, 4)}}`, data4), "damaged", /wrong form/],
    ["a dimension that is no integer", file(`{${one("a", "U8", [0.5, 8], 0, 4)}}`, data4), "damaged", /wrong form/],
    ["dimensions that overflow", file(`{${one("a", "U8", [4294967296, 4294967296, 4294967296], 0, 4)}}`, data4), "damaged", /impossibly large/],
    ["too many dimensions", file(`{${one("a", "U8", new Array<number>(17).fill(1), 0, 1)}}`, new Uint8Array(1)), "damaged", /wrong form/],
    ["offsets backwards", file(`{${one("a", "U8", [4], 4, 0)}}`, data4), "damaged", /as many bytes/],
    ["more bytes than the shape", file(`{${one("a", "F32", [], 0, 8)}}`, new Uint8Array(8)), "damaged", /as many bytes/],
    ["offsets past the end", file(`{${one("a", "U8", [5], 0, 5)}}`, data4), "damaged", /ends too early/],
    ["an overlap", file(`{${one("a", "U8", [3], 0, 3)},${one("b", "U8", [2], 2, 4)}}`, data4), "damaged", /overlaps/],
    ["the same bytes twice", file(`{${one("a", "U8", [4], 0, 4)},${one("b", "U8", [4], 0, 4)}}`, data4), "damaged", /overlaps/],
    ["a hole", file(`{${one("a", "U8", [1], 0, 1)},${one("b", "U8", [2], 2, 4)}}`, data4), "damaged", /hole/],
    ["a hole at the beginning", file(`{${one("a", "U8", [3], 1, 4)}}`, data4), "damaged", /hole/],
    ["bytes behind the last tensor", file(`{${one("a", "U8", [3], 0, 3)}}`, data4), "damaged", /behind/],
    ["an unknown field", file('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}', data4), "damaged", /wrong form/],
    ["deep nesting", file(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`), "damaged", /./],
  ];
  it.each(bad)("refuses %s in words", (_, bytes, code, message) => {
    const error = fault(() => readSafetensors(bytes, ADAPTER_FILE));
    expect(error.code).toBe(`adapter/${code}`);
    expect(error.message).toMatch(message);
    expect(error.next).not.toBe("");
    expect(fault(() => readSafetensors(bytes, MODEL_FILE)).code).toBe(`model/${code}`);
  });

  it("reads or refuses 300 mutations of a valid file, and a read one is whole", () => {
    const random = new Random("safetensors mutations");
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      let bytes = valid.slice();
      for (let edits = 1 + random.int(3); edits > 0; edits--) {
        switch (random.int(5)) {
          case 0: // any byte of the file
            bytes[random.int(bytes.length)] = random.int(256);
            break;
          case 1: // a byte of the header, by a sign that JSON may take
            bytes[8 + random.int(200)] = '0123456789",:[]{}-.eE\\ '.charCodeAt(random.int(23));
            break;
          case 2: // cut
            bytes = bytes.slice(0, random.int(bytes.length + 1));
            break;
          case 3: { // a stretch is repeated
            const at = random.int(bytes.length + 1);
            const stretch = bytes.slice(at, at + random.int(40));
            bytes = Uint8Array.from([...bytes.slice(0, at), ...stretch, ...bytes.slice(at)]);
            break;
          }
          default: // the header's length
            if (bytes.length > 8) bytes[random.int(8)] = random.int(256);
        }
        if (bytes.length === 0) break;
      }
      try {
        const { tensors } = readSafetensors(bytes, ADAPTER_FILE);
        const sum = [...tensors.values()].reduce((total, tensor) => total + tensor.bytes.length, 0);
        expect(8 + new DataView(bytes.buffer).getUint32(0, true) + sum).toBe(bytes.length);
      } catch (error) {
        if (!(error instanceof DuctusError)) throw error;
        expect(error.code).toMatch(/^adapter\/(damaged|not-safetensors|number-type)$/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(150);
    expect(refused).toBeLessThan(300);
  });
});

describe("reading by slices", () => {
  it("reads no more than the header and the tensors asked for", async () => {
    const inner = bytesSource(valid);
    const reads: [number, number][] = [];
    const source = { size: inner.size, read: (start: number, end: number) => (reads.push([start, end]), inner.read(start, end)) };
    const { entries, metadata } = await readSafetensorsHeader(source);
    expect(metadata["format"]).toBe("pt");
    const tensor = await readTensor(source, entries.get("b.weight")!);
    expect(toFloat32(tensor)).toEqual(Float32Array.of(1, -2, 3, 4.5, 1e-20, 6));
    expect(reads).toHaveLength(3);
    expect(reads[2]).toEqual([valid.length - 24, valid.length]);
  });

  it("reads from a Blob, and refuses one that ends too early", async () => {
    const { entries } = await readSafetensorsHeader(blobSource(new Blob([valid as BlobPart])));
    expect([...entries.keys()]).toEqual(["a.weight", "b.weight", "c"]);
    await expect(readSafetensorsHeader(blobSource(new Blob([valid.slice(0, -1) as BlobPart])))).rejects.toMatchObject({ code: "model/damaged" });
    await expect(readSafetensorsHeader(bytesSource(new Uint8Array(3)))).rejects.toMatchObject({ code: "model/not-safetensors" });
    const shrunk = { size: valid.length, read: () => Promise.resolve(new Uint8Array(1)) };
    await expect(readSafetensorsHeader(shrunk)).rejects.toMatchObject({ code: "model/damaged" });
  });
});
