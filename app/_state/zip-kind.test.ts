import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { zipKind } from "./zip-kind";

const zip = (files: Record<string, Uint8Array>): Blob => new Blob([zipSync(files, { level: 0 })]);
const content = new Uint8Array(100_000).fill(65);

describe("what a zip is meant as", () => {
  it("is told by what is in it, wherever its folder lies", async () => {
    expect(await zipKind(zip({ "adapter_config.json": content, "adapter_model.safetensors": content }))).toBe("adapter");
    expect(await zipKind(zip({ "mine/README.md": content, "mine/adapter_model.safetensors": content, "mine/adapter_config.json": content }))).toBe("adapter");
    expect(await zipKind(zip({ "ductus.json": content, "hands/a/hand.json": content }))).toBe("everything");
    expect(await zipKind(zip({ "letters/one.txt": content, "letters/two.docx": content }))).toBe("other");
  });

  it("is nothing where it is no zip", async () => {
    expect(await zipKind(new Blob(["adapter_config.json ductus.json"]))).toBe("other");
    expect(await zipKind(new Blob([]))).toBe("other");
  });
});
