/** What it reads of real archives is tested with lib/data/import/archive. */
import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32";
import { readZipDirectory } from "./zip-directory";

describe("crc32", () => {
  it.each<[string, number]>([
    ["", 0],
    ["123456789", 0xcbf43926], // the check value of CRC-32/ISO-HDLC
    ["The quick brown fox jumps over the lazy dog", 0x414fa339],
  ])("of %j", (text, sum) => {
    expect(crc32(new TextEncoder().encode(text))).toBe(sum);
  });
});

describe("what is no archive", () => {
  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["text", new TextEncoder().encode("PK, he wrote, and no more. ".repeat(10))],
    ["a file of zeros", new Uint8Array(200_000)],
  ])("%s", (_, bytes) => {
    expect(readZipDirectory(bytes)).toBe("none");
  });

  it("an empty archive has no entries", () => {
    const bytes = new Uint8Array(22);
    bytes.set([0x50, 0x4b, 5, 6]);
    expect(readZipDirectory(bytes)).toEqual([]);
  });
});
