import { describe, expect, it } from "vitest";
import { fault } from "../testing/fault";
import { filesModel, memoryModel, opfsModel, readJson, type ModelFiles } from "./files";

const text = (content: string) => new Blob([content]);
const picked = (...paths: string[]) => paths.map((path) => ({ path, file: text(path) }));
const content = async (files: ModelFiles, name: string) => {
  const source = await files.open(name);
  return new TextDecoder().decode(await source.read(0, source.size));
};

describe("filesModel", () => {
  it("takes the files beside config.json, and no others", async () => {
    const files = filesModel(picked("qwen/config.json", "qwen/model.safetensors", "qwen/original/params.json", "qwen/.git/config", "notes.txt"));
    expect([...files.names()].sort()).toEqual(["config.json", "model.safetensors"]);
    expect(await content(files, "model.safetensors")).toBe("qwen/model.safetensors");
    await expect(files.open("notes.txt")).rejects.toMatchObject({ code: "model/missing-file", message: expect.stringContaining("notes.txt") as string });
    await expect(files.open("toString")).rejects.toMatchObject({ code: "model/missing-file" });
  });

  it("takes loose files, paths with backslashes, and names that a path would spoil", async () => {
    expect([...filesModel(picked("config.json", "model.safetensors")).names()]).toEqual(["config.json", "model.safetensors"]);
    expect([...filesModel(picked("a\\b\\config.json", "a\\b\\x.safetensors")).names()]).toEqual(["config.json", "x.safetensors"]);
    expect(await content(filesModel(picked("./m//config.json", "/m/y.safetensors")), "y.safetensors")).toBe("/m/y.safetensors");
  });

  it("prefers the folder with weights, then the one that lies highest", async () => {
    expect(await content(filesModel(picked("m/config.json", "m/onnx/config.json", "m/onnx/x.safetensors")), "config.json")).toBe("m/onnx/config.json");
    expect(await content(filesModel(picked("m/config.json", "m/x.safetensors", "m/sub/config.json", "m/sub/x.safetensors")), "config.json")).toBe("m/config.json");
    expect(fault(() => filesModel(picked("a/config.json", "a/x.safetensors", "b/config.json", "b/x.safetensors"))).code).toBe("model/several");
    expect(fault(() => filesModel(picked("config.json", "config.json"))).code).toBe("model/several");
  });

  it("says so where there is no model", () => {
    for (const paths of [[], ["a.txt"], ["adapter_config.json", "adapter_model.safetensors"]]) expect(fault(() => filesModel(picked(...paths))).code).toBe("model/no-config");
  });

  it("says so where a file can no longer be read", async () => {
    const gone = { size: 10, slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }) } as unknown as Blob;
    const files = filesModel([{ path: "config.json", file: gone }]);
    await expect(readJson(files, "config.json", 100)).rejects.toMatchObject({ code: "model/unreadable", details: expect.stringContaining("gone") as string });
  });
});

describe("opfsModel", () => {
  const handle = (name: string, file: () => Promise<Blob>) => [name, { kind: "file", name, getFile: file }];
  const directory = (entries: unknown[]) => ({ entries: () => (async function* () { await Promise.resolve(); yield* entries; })() }) as unknown as FileSystemDirectoryHandle;

  it("reads the files of a directory", async () => {
    const files = await opfsModel(directory([handle("config.json", () => Promise.resolve(text("{}"))), ["sub", { kind: "directory", name: "sub" }]]));
    expect(files.names()).toEqual(["config.json"]);
    expect(await readJson(files, "config.json", 10)).toEqual({});
    await expect(files.open("sub")).rejects.toMatchObject({ code: "model/missing-file" });
  });

  it("fails in words where the browser has cleared them", async () => {
    const lost = () => Promise.reject(new DOMException("x", "NotFoundError"));
    const files = await opfsModel(directory([handle("config.json", lost)]));
    await expect(files.open("config.json")).rejects.toMatchObject({ code: "model/unreadable" });
    const gone = { entries: () => ({ [Symbol.asyncIterator]: () => ({ next: lost }) }) } as unknown as FileSystemDirectoryHandle;
    await expect(opfsModel(gone)).rejects.toMatchObject({ code: "model/unreadable" });
  });
});

describe("readJson", () => {
  it("refuses what is large, no UTF-8, no JSON, or repeats a key", async () => {
    const read = (bytes: Uint8Array | string, limit = 1000) => readJson(memoryModel({ "config.json": bytes }), "config.json", limit);
    expect(await read('{"a":[1,{"a":2}]}')).toEqual({ a: [1, { a: 2 }] });
    for (const bad of ["", "{", '{"a":1,"a":1}', "\ufeff{}", Uint8Array.of(0x22, 0xff, 0x22)]) await expect(read(bad)).rejects.toMatchObject({ code: "model/damaged", message: expect.stringContaining("config.json") as string });
    await expect(read('{"a":1}', 6)).rejects.toMatchObject({ code: "model/damaged", message: expect.stringContaining("larger") as string });
  });
});
