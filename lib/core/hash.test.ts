import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex, sha256HexNow } from "./hash";
import { Random } from "./random";

const expected = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** Around every edge of the padding, and far beyond one block; not at the beginning of its buffer. */
const samples = [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 100_001].map((length) => {
  const random = new Random(`hash-${length}`);
  return Uint8Array.from({ length: length + 3 }, () => random.int(256)).subarray(3);
});

afterEach(() => void vi.unstubAllGlobals());

describe("sha256Hex", () => {
  it.each(["with", "without"])("is SHA-256 on a page %s the platform's own", async (which) => {
    if (which === "without") vi.stubGlobal("crypto", {});
    for (const bytes of samples) expect(await sha256Hex(bytes), `${bytes.length} bytes`).toBe(expected(bytes));
  });

  it("is the same at once", () => {
    for (const bytes of samples) expect(sha256HexNow(bytes), `${bytes.length} bytes`).toBe(expected(bytes));
  });
});
