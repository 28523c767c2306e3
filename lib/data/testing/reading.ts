/**
 * What tests of readers share: a context that counts what is taken, small
 * archives, the documents that other software wrote (tools/reference/documents.py),
 * and damage of every kind to a file. Never part of the product.
 */
import { readFileSync } from "node:fs";
import { strToU8, unzipSync, zipSync } from "fflate";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import type { Reader, ReaderContext } from "../import/types";

export interface TestContext extends ReaderContext {
  taken: { bytes: number; entries: number };
}

export function testContext(name: string, limits: { bytes?: number; entries?: number; signal?: AbortSignal } = {}): TestContext {
  const taken = { bytes: 0, entries: 0 };
  const take = (what: "bytes" | "entries") => (n: number) => {
    if (taken[what] + n > (limits[what] ?? Infinity)) throw new DuctusError("file/too-large", `too many ${what}`);
    taken[what] += n;
  };
  return { name, taken, budget: { takeBytes: take("bytes"), takeEntries: take("entries") }, signal: limits.signal ?? new AbortController().signal };
}

export const zipOf = (files: Readonly<Record<string, string>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)])), { mtime: "2020-01-02" });

const DOCUMENTS = new URL("../../../tools/reference/data/documents/", import.meta.url);

export const otherSoftwares = (file: string): Uint8Array => new Uint8Array(readFileSync(new URL(file, DOCUMENTS)));

export const whatItHolds = JSON.parse(readFileSync(new URL("expected.json", DOCUMENTS), "utf8")) as { docx: string[]; odt: string[]; epub: string[]; zip: Record<string, string>; title: string };

/** The error's code; fails where there is none, or another kind of error. */
export async function codeOf(reading: () => unknown): Promise<string> {
  try {
    await reading();
  } catch (error) {
    if (error instanceof DuctusError) return error.code;
    throw error;
  }
  throw new Error("it was read");
}

const LONG = process.env["DUCTUS_LONG"] === "1";

/** The same file cut short, with some bytes changed, and (an archive) packed rightly with a part that has some bytes changed. */
export function* damaged(bytes: Uint8Array, seed: string, flips = LONG ? 600 : 60): Generator<Uint8Array> {
  const random = new Random(seed);
  const cuts = Math.max(10, LONG ? 10 : Math.ceil(bytes.length / 200));
  for (let end = 0; end < bytes.length; end += cuts) yield bytes.subarray(0, end);
  const flip = (whole: Uint8Array): Uint8Array => {
    const copy = whole.slice();
    for (let k = 1 + random.int(4); k > 0 && copy.length > 0; k--) copy[random.int(copy.length)] = random.int(2) === 0 ? random.int(256) : random.pick([60, 62, 47, 38, 34, 0, 91]);
    return copy;
  };
  for (let i = 0; i < flips; i++) yield flip(bytes);
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return;
  const parts = unzipSync(bytes);
  const paths = Object.keys(parts).filter((path) => /\.(?:xml|xhtml|opf|rels)$/.test(path));
  for (let i = 0; i < flips && paths.length > 0; i++) {
    const path = random.pick(paths);
    yield zipSync({ ...parts, [path]: flip(parts[path] as Uint8Array) }, { level: 1, mtime: "2020-01-02" });
  }
}

/** Reads each damaged file: it is refused in words or gives text. @throws where one throws anything else */
export async function readDamaged(reader: Reader, files: Iterable<Uint8Array>): Promise<{ read: number; refused: number }> {
  const count = { read: 0, refused: 0 };
  for (const bytes of files) {
    try {
      const { extracts } = await reader(bytes, testContext("a file"));
      if (extracts.some(({ text }) => typeof text !== "string" || text.includes("\r"))) throw new TypeError("no text");
      count.read++;
    } catch (error) {
      if (!(error instanceof DuctusError) || error.message === "" || error.next === "") throw error;
      count.refused++;
    }
  }
  return count;
}
