import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { openArchive } from "./archive";
import { codeOf, damaged, otherSoftwares, testContext, whatItHolds, zipOf } from "../testing/reading";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Where the directory's end stands in an archive without a comment. */
const endOf = (bytes: Uint8Array) => bytes.length - 22;
const listed = (bytes: Uint8Array, index = 0): number => {
  const v = view(bytes);
  let at = v.getUint32(endOf(bytes) + 16, true);
  for (let i = 0; i < index; i++) at += 46 + v.getUint16(at + 28, true) + v.getUint16(at + 30, true) + v.getUint16(at + 32, true);
  return at;
};
const joined = (...parts: readonly (Uint8Array | readonly number[])[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const all = async (bytes: Uint8Array): Promise<Record<string, string>> => {
  const archive = openArchive(bytes, testContext("a.zip"));
  const found: Record<string, string> = {};
  for (const { path } of archive.entries) found[path] = text(await archive.read(path));
  return found;
};

describe("what it reads", () => {
  it("an archive of Python's: sizes behind the data, 64-bit sizes, stored and empty files, a comment, a folder", async () => {
    expect(await all(otherSoftwares("notes.zip"))).toEqual(whatItHolds.zip);
  });

  const FILES = { "a.txt": "one ".repeat(500), "b/c.txt": "two" };
  it("an archive of fflate's, with what it takes of the budget", async () => {
    const context = testContext("a.zip");
    const archive = openArchive(zipOf(FILES), context);
    expect(archive.entries).toEqual([{ path: "a.txt", bytes: 2000 }, { path: "b/c.txt", bytes: 3 }]);
    expect(context.taken).toEqual({ bytes: 0, entries: 2 });
    expect(text(await archive.read("b/c.txt"))).toBe("two");
    expect(context.taken.bytes).toBe(3);
    expect(archive.has("B/c.txt")).toBe(false);
  });

  it("one that something was put before", async () => {
    expect(await all(joined(strToU8("#!/bin/sh\n".repeat(30)), zipOf(FILES)))).toEqual(FILES);
  });

  it("one whose comment looks like the end of a directory", async () => {
    const bytes = zipOf(FILES), comment = strToU8("PK\x05\x06".padEnd(60, "\xff"));
    view(bytes).setUint16(bytes.length - 2, comment.length, true);
    expect(await all(joined(bytes, comment))).toEqual(FILES);
  });

  it("one whose directory's end is written for 64 bits", async () => {
    const bytes = zipOf(FILES), end = endOf(bytes), v = view(bytes);
    const record = new Uint8Array(56), locator = new Uint8Array(20);
    record.set([0x50, 0x4b, 6, 6]);
    view(record).setBigUint64(4, 44n, true);
    for (const at of [24, 32]) view(record).setBigUint64(at, 2n, true);
    view(record).setBigUint64(40, BigInt(v.getUint32(end + 12, true)), true);
    view(record).setBigUint64(48, BigInt(v.getUint32(end + 16, true)), true);
    locator.set([0x50, 0x4b, 6, 7]);
    view(locator).setBigUint64(8, BigInt(end), true);
    view(locator).setUint32(16, 1, true);
    const last = bytes.slice(end);
    last.fill(0xff, 8, 20);
    expect(await all(joined(bytes.subarray(0, end), record, locator, last))).toEqual(FILES);
  });

  it.each<[string, number[], number, string]>([
    ["code page 437", [0x63, 0x61, 0x66, 0x82, 0xe1], 0, "caféß"],
    ["UTF-8 that is not said to be", [0x63, 0xc3, 0xa9, 0x2e, 0x74], 0, "cé.t"],
    ["UTF-8 that is said to be", [0x63, 0xc3, 0xa9, 0x2e, 0x74], 0x800, "cé.t"],
    ["backslashes", [0x61, 0x5c, 0x62, 0x2e, 0x74], 0, "a/b.t"],
  ])("names in %s", async (_, name, flags, expected) => {
    const bytes = zipOf({ "x.txt": "words" });
    bytes.set(name, listed(bytes) + 46);
    view(bytes).setUint16(listed(bytes) + 8, flags, true);
    expect(await all(bytes)).toEqual({ [expected]: "words" });
  });

  it("of two files with one path the last", async () => {
    const bytes = zipOf({ "a.txt": "first", "b.txt": "second" });
    bytes.set(strToU8("a.txt"), listed(bytes, 1) + 46);
    expect(await all(bytes)).toEqual({ "a.txt": "second" });
  });

  it("keeps a path such as __proto__ a path", async () => {
    const archive = openArchive(zipOf({ "x/__proto__": "words" }), testContext("a.zip"));
    expect([archive.has("__proto__"), archive.has("constructor"), text(await archive.read("x/__proto__"))]).toEqual([false, false, "words"]);
  });
});

describe("what it refuses", () => {
  const zeros = (bytes: number) => zipSync({ "zeros.txt": new Uint8Array(bytes) }, { level: 9, mtime: "2020-01-02" });
  const change = (bytes: Uint8Array, at: number, value: number, width: 16 | 32 = 32) => {
    if (width === 16) view(bytes).setUint16(at, value, true);
    else view(bytes).setUint32(at, value, true);
    return bytes;
  };
  const read = (bytes: Uint8Array, limits = {}, path = "zeros.txt") => {
    const context = testContext("a.zip", limits);
    return { context, code: codeOf(() => openArchive(bytes, context).read(path)) };
  };

  it("to take more than the budget has", async () => {
    const { context, code } = read(zeros(30_000_000), { bytes: 1_000_000 });
    expect(await code).toBe("file/too-large");
    expect(context.taken.bytes).toBe(0);
  });

  it("an entry larger than it claims, before more than it claims is kept", async () => {
    const bytes = zeros(30_000_000);
    const { context, code } = read(change(bytes, listed(bytes) + 24, 1000), { bytes: 1_000_000 });
    expect(await code).toBe("file/damaged");
    expect(context.taken.bytes).toBe(1000);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ["an entry smaller than it claims", (bytes) => change(bytes, listed(bytes) + 24, 300_001), "file/damaged"],
    ["one that claims what deflate cannot do", (bytes) => change(bytes, listed(bytes) + 24, 0x7fffffff), "file/damaged"],
    ["a wrong checksum", (bytes) => change(bytes, listed(bytes) + 16, 1), "file/damaged"],
    ["a password", (bytes) => change(bytes, listed(bytes) + 8, 1, 16), "file/encrypted"],
    ["an unknown compression", (bytes) => change(bytes, listed(bytes) + 10, 14, 16), "file/not-text"],
    ["an entry outside", (bytes) => change(bytes, listed(bytes) + 42, 0x7ffffff0), "file/damaged"],
    ["one whose data run into the directory", (bytes) => change(bytes, listed(bytes) + 20, 0x7fff), "file/damaged"],
    ["a missing directory", (bytes) => bytes.subarray(0, listed(bytes)), "file/damaged"],
    ["one part of several", (bytes) => change(bytes, endOf(bytes) + 4, 1, 16), "file/damaged"],
    ["another count", (bytes) => change(bytes, endOf(bytes) + 8, 0x00020002), "file/damaged"],
    ["a directory that begins before the archive", (bytes) => change(bytes, endOf(bytes) + 12, 0x7fffffff), "file/damaged"],
  ])("%s", async (_, make, code) => {
    expect(await read(make(zeros(300_000))).code).toBe(code);
  });

  it("entries over the same bytes, which make a bomb of a few", async () => {
    const bytes = zipOf({ "a.txt": "words ".repeat(90), "b.txt": "words ".repeat(90) });
    expect(openArchive(bytes, testContext("a.zip")).entries).toHaveLength(2);
    change(bytes, listed(bytes, 1) + 42, view(bytes).getUint32(listed(bytes) + 42, true));
    expect(await codeOf(() => openArchive(bytes, testContext("a.zip")))).toBe("file/damaged");
  });

  it("a file quoted by the one before it, as Fifield's bomb has them", async () => {
    const bytes = zipOf({ "a.txt": "words ".repeat(90), "b.txt": "words ".repeat(90) });
    // its bytes begin behind its own header, so that this many reach into the second
    change(bytes, listed(bytes) + 20, view(bytes).getUint32(listed(bytes, 1) + 42, true));
    expect(await codeOf(() => openArchive(bytes, testContext("a.zip")))).toBe("file/damaged");
  });

  it("more entries than the budget has, before they are kept", async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.txt`, ""]));
    const context = testContext("a.zip", { entries: 100 });
    expect(await codeOf(() => openArchive(zipOf(files), context))).toBe("file/too-large");
    expect(context.taken.entries).toBe(100);
  });

  it("to go on when it is stopped", async () => {
    const stop = new AbortController();
    const archive = openArchive(zipOf({ a: "words" }), testContext("a.zip", { signal: stop.signal }));
    stop.abort(new RangeError("stopped"));
    await expect(archive.read("a")).rejects.toThrow(new RangeError("stopped"));
  });

  it("damage, or reads what was there", async () => {
    const whole = otherSoftwares("notes.zip");
    let refused = 0;
    for (const bytes of damaged(whole, "archive", 300)) {
      try {
        const archive = openArchive(bytes, testContext("a.zip"));
        // names have no checksum
        for (const { path } of archive.entries) expect(Object.values(whatItHolds.zip)).toContain(text(await archive.read(path)));
      } catch (error) {
        expect(error).toHaveProperty("name", "DuctusError");
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });
});
