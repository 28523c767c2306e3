/**
 * The pretraining corpus: documents a JSON object a line, split by the rule that
 * pretraining splits them by, and the training part as tokens. Encoding takes
 * minutes, so the tokens are kept in a folder outside the checkout under a hash
 * of what they were made from; a work folder of pretraining has them already.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import type { TextTokenizer } from "../../../lib/train/model/tokenizer";

const documentSchema = z.strictObject({ kind: z.enum(["book", "chat", "web", "dialogue"]), source: z.string().min(1), text: z.string() });
export type CorpusDocument = z.infer<typeof documentSchema>;
export const KINDS = documentSchema.shape.kind.options;
export type Kind = CorpusDocument["kind"];

const HELD_OUT_MODULO = 100n;

/** Whole documents are held out, by a hash of their source. */
export function isHeldOut({ source }: Pick<CorpusDocument, "source">): boolean {
  return BigInt(`0x${createHash("sha256").update(source).digest("hex")}`) % HELD_OUT_MODULO === 0n;
}

/** @param path JSON lines; one ending in .xz is unpacked by the system's xz. @throws Error where it cannot be read */
export async function* readCorpus(path: string): AsyncGenerator<CorpusDocument> {
  const packed = path.endsWith(".xz");
  const unpacker = packed ? spawn("xz", ["--decompress", "--stdout", path], { stdio: ["ignore", "pipe", "inherit"] }) : null;
  const ended = new Promise<Error | null>((resolve) => {
    unpacker?.once("error", (error) => resolve(new Error(`xz cannot be started: ${error.message}`)));
    unpacker?.once("close", (code) => resolve(code === 0 ? null : new Error(`xz ended with ${code}.`)));
    if (!unpacker) resolve(null);
  });
  try {
    let line = 0;
    for await (const text of createInterface({ input: unpacker?.stdout ?? createReadStream(path) })) {
      line++;
      const parsed = documentSchema.safeParse(JSON.parse(text));
      if (!parsed.success) throw new Error(`${path}, line ${line}: ${z.prettifyError(parsed.error)}`);
      yield parsed.data;
    }
    const fault = await ended;
    if (fault) throw fault;
  } finally {
    unpacker?.kill();
  }
}

export interface TrainingTokens {
  /** Documents one after another, each ended by the end token. */
  tokens: Uint16Array;
  /** Where they are from, in words. */
  from: string;
}

export interface TokenSources {
  /** The corpus. */
  corpus: string;
  /** A folder of the model, for its tokenizer.json. */
  model: string;
  /** Where tokens are kept. */
  cache: string;
  /** A work folder of pretraining. */
  work: string | undefined;
}

/** @throws Error where the work folder was made with another tokenizer, or the vocabulary is too large for 16 bits */
export async function trainingTokens(sources: TokenSources, tokenizer: TextTokenizer, endId: number, progress: (text: string) => void): Promise<TrainingTokens> {
  if (tokenizer.vocabSize > 0x10000) throw new Error("The vocabulary is too large for tokens of 16 bits.");
  const settings = readFileSync(join(sources.model, "tokenizer.json"));
  if (sources.work !== undefined) {
    const theirs = JSON.parse(readFileSync(join(sources.work, "tokenizer.json"), "utf8")) as { model?: unknown };
    if (JSON.stringify(theirs.model) !== JSON.stringify((JSON.parse(settings.toString()) as { model?: unknown }).model)) throw new Error(`${sources.work} was made with another tokenizer.`);
    return { tokens: readTokens(join(sources.work, "train.bin")), from: "train.bin of the work folder" };
  }
  const key = createHash("sha256").update("train/1").update(settings).update(await fileHash(sources.corpus)).digest("hex").slice(0, 16);
  const kept = join(sources.cache, `train-${key}.bin`);
  if (existsSync(kept)) return { tokens: readTokens(kept), from: "encoded before" };
  mkdirSync(sources.cache, { recursive: true });
  const parts: Uint16Array[] = [];
  let count = 0, told = 0;
  for await (const document of readCorpus(sources.corpus)) {
    if (isHeldOut(document)) continue;
    const ids = tokenizer.encode(document.text);
    const part = new Uint16Array(ids.length + 1);
    part.set(ids);
    part[ids.length] = endId;
    parts.push(part);
    count += part.length;
    if (count - told >= 4e6) progress(`encoding the training part: ${((told = count) / 1e6).toFixed(0)} million tokens`);
  }
  const tokens = new Uint16Array(count);
  let at = 0;
  for (const part of parts) {
    tokens.set(part, at);
    at += part.length;
  }
  writeFileSync(`${kept}.part`, tokens);
  renameSync(`${kept}.part`, kept);
  return { tokens, from: "encoded now" };
}

/** 16-bit little-endian, as every machine this runs on has them. */
function readTokens(path: string): Uint16Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
