import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readZipEntries, writeZip } from "./zip";
import { fault } from "../testing/fault";

const names = ["a.txt", "b.bin"];
const text = (value: string) => new TextEncoder().encode(value);

describe("readZipEntries", () => {
  it("reads the names asked for and no others", () => {
    const zip = writeZip({ "x/a.txt": "hello", "x/b.bin": Uint8Array.of(1, 2), "x/c.txt": "no" });
    const found = readZipEntries(zip, names, 100);
    expect([...found.keys()].sort()).toEqual(names);
    expect(new TextDecoder().decode(found.get("a.txt"))).toBe("hello");
    expect(readZipEntries(zip, ["nothing"], 100).size).toBe(0);
  });

  it("stops a bomb at the limit, whatever size the archive claims", () => {
    const bomb = zipSync({ "a.txt": new Uint8Array(50_000_000) }, { level: 9 });
    expect(bomb.length).toBeLessThan(100_000);
    expect(fault(() => readZipEntries(bomb, names, 1_000_000)).code).toBe("adapter/too-large");
    // The positive control: with room enough it is read.
    expect(readZipEntries(bomb, names, 50_000_000).get("a.txt")).toHaveLength(50_000_000);
    // The claim in the local header (offset 22) made small: found out as soon as it is passed.
    const liar = bomb.slice();
    new DataView(liar.buffer).setUint32(22, 10, true);
    expect(fault(() => readZipEntries(liar, names, 1_000_000)).code).toBe("adapter/too-large");
    expect(fault(() => readZipEntries(liar, names, 60_000_000)).code).toBe("adapter/zip");
  });

  it("does not inflate what was not asked for", () => {
    const zip = zipSync({ "bomb.txt": new Uint8Array(50_000_000), "a.txt": text("hello") }, { level: 9 });
    expect(new TextDecoder().decode(readZipEntries(zip, names, 100).get("a.txt"))).toBe("hello");
  });

  it("refuses too many files, two folders, a name twice, a cut archive, and no archive", () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}.txt`, ""]));
    expect(fault(() => readZipEntries(writeZip(many), names, 100)).message).toContain("too many files");
    expect(fault(() => readZipEntries(writeZip({ "x/a.txt": "1", "y/b.bin": "2" }), names, 100)).message).toContain("different folders");
    expect(fault(() => readZipEntries(writeZip({ "x/a.txt": "1", "y/a.txt": "2" }), names, 100)).message).toContain("more than one a.txt");
    const whole = writeZip({ "a.txt": "hello hello hello" });
    expect(fault(() => readZipEntries(whole.slice(0, 40), names, 100)).code).toBe("adapter/zip");
    expect(readZipEntries(text("PK no archive at all"), names, 100).size).toBe(0);
  });

  it("refuses bytes that are not those of the checksum, and what needs a password", () => {
    for (const level of [0, 9] as const) {
      const zip = zipSync({ "é/a.txt": text("hello ".repeat(50)) }, { level });
      expect(new TextDecoder().decode(readZipEntries(zip, names, 1000).get("a.txt"))).toBe("hello ".repeat(50));
      const directory = new DataView(zip.buffer).getUint32(zip.length - 22 + 16, true);
      const other = zip.slice();
      new DataView(other.buffer).setUint32(directory + 16, 1, true);
      expect(fault(() => readZipEntries(other, names, 1000)).message).toContain("damaged");
      const locked = zip.slice();
      new DataView(locked.buffer).setUint16(directory + 8, 1 | 0x800, true);
      expect(fault(() => readZipEntries(locked, names, 1000)).message).toContain("password");
    }
    const flipped = writeZip({ "a.txt": "hello hello hello" });
    flipped[40]! ^= 1; // among the stored bytes
    expect(fault(() => readZipEntries(flipped, names, 1000)).message).toContain("damaged");
  });
});

describe("writeZip", () => {
  it("gives the same bytes in any order of the files", () => {
    expect(writeZip({ b: "2", a: Uint8Array.of(1) })).toEqual(writeZip({ a: Uint8Array.of(1), b: "2" }));
  });
});
