/** A folder of a test's own with a tiny model and adapter in it, and what tests of commands ask again and again. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { call, TINY_CONFIG, writeTinyAdapter, writeTinyModel, type Call } from "./folders";

/** A line of `logits`. */
export interface Logits {
  tokens: number[];
  logits: number[][];
}

export const TEXT = "The garden was wet, and so was he.";

let folder: string;

/** A path in the folder: `model` and `adapter` are there already. */
export const at = (...parts: string[]) => join(folder, ...parts);

/** Writes a file, and names it. */
export const text = (name: string, content: string) => (writeFileSync(at(name), content), at(name));
export const jsonl = (name: string, rows: unknown[]) => text(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

/** To be called once by a test file. */
export function useWorkspace(): void {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ductus-cli-"));
    writeTinyModel(at("model"));
    writeTinyAdapter(at("adapter"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
}

/** A command that must succeed. */
export async function ok(...args: string[]): Promise<Call> {
  const result = await call(...args);
  expect(result.error, result.stderr).toBeUndefined();
  expect(result.code).toBe(0);
  return result;
}

export async function logitsOf(model: string, adapter?: string, content = TEXT): Promise<Logits> {
  const { lines } = await ok("logits", "--model", model, "--text", text("t.txt", content), ...(adapter ? ["--adapter", adapter] : []));
  expect(lines.length).toBe(1);
  return lines[0] as Logits;
}

/** The largest distance of the logits of `a` from those of `b` at the same positions. */
export const gap = (a: Logits, b: Logits) =>
  a.logits.reduce((most, row, t) => Math.max(most, ...row.map((value, i) => Math.abs(value - b.logits[t]![i]!))), 0);

/**
 * An adapter that trains the token 300 and adds `<|new|>` behind the vocabulary, its tokenizer beside it.
 * @param headRows of an untied head too
 */
export function writeTokenAdapter(path: string, headRows: boolean, changes: Partial<typeof TINY_CONFIG> = {}): void {
  const { hidden_size: width, vocab_size: vocab } = TINY_CONFIG;
  const rows = (phase: number) => Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i + phase)); // [2, hidden]
  writeTinyAdapter(path, 2, undefined, changes, { ids: [300, vocab], rows: rows(0), headRows: headRows ? rows(1) : null });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) cpSync(at("model", name), join(path, name));
  const tokenizer = JSON.parse(readFileSync(join(path, "tokenizer.json"), "utf8")) as { added_tokens: object[] };
  tokenizer.added_tokens.push({ id: vocab, content: "<|new|>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
  writeFileSync(join(path, "tokenizer.json"), JSON.stringify(tokenizer));
}
