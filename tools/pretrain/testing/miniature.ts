/**
 * A corpus small enough for tests, of texts written for them: a baker's, and two
 * conversations. Its tokenizer, miniature.tokenizer.json, is what prepare.py
 * makes from it by miniature.json (pretrain.test.ts checks that where there is
 * Python). Never part of the product.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTokenizer, type TextTokenizer } from "../../../lib/train/model/tokenizer";
import { tokenizerConfig } from "../export-files";
import { readRecipe, type Recipe } from "../recipe";

export const MINIATURE = fileURLToPath(new URL("../miniature.json", import.meta.url));
export const TOKENIZER_URL = new URL("miniature.tokenizer.json", import.meta.url);

const CHAT = `Ida: has anybody seen the big sieve
Tom: Ida: it was by the trough last night, I left it there
Ida: Tom: it's not there now
Ben: I took it home to mend the rim
Ida: Ben: you could have said so!
Ben: Ida: sorry, I thought nobody sieves on a Monday
Tom: nobody did, until Ida began with the spelt
Ida: Tom: the spelt has stones in it, I found two today
Ben: stones? from which mill?
Ida: Ben: the one over the bridge, the same as always
Tom: then we should tell them before the next sack comes
Ida: Tom: I wrote to them this morning. no answer yet
Ben: Ida: the rim is glued, you have it back tomorrow at four
Ida: Ben: thank you. bring the small one too, if you have that as well
Ben: Ida: I do not! look in the cellar
Tom: it's in the cellar, I am standing beside it
Ida: Tom: of course it is`;

const DIALOGUE = `A: Good morning. Do you have the dark loaf today?
B: Two are left. Shall I keep one for you?
A: Keep both, please. My sister is coming for the week.
B: Both, then. Do you want them sliced?
A: No, whole. When do you close on Saturday?
B: At one, but the dark bread is mostly gone by ten.
A: Then I will send the boy at nine.
B: I'll put your name on a bag.`;

export interface MiniatureDocument {
  kind: string;
  source: string;
  text: string;
}

/** The baker's text in stretches of four paragraphs, and each conversation twice: once in each part. */
export function miniatureDocuments(): MiniatureDocument[] {
  const paragraphs = readFileSync(new URL("../../../e2e/fixtures/night-bread.txt", import.meta.url), "utf8").trim().split(/\n\s*\n/);
  const books = Array.from({ length: Math.ceil(paragraphs.length / 4) }, (_, i) => ({ kind: "book", source: `night-bread/${i}`, text: paragraphs.slice(4 * i, 4 * i + 4).join("\n\n") }));
  const others = ["night-bread/a", "night-bread/b", "night-bread/c", "night-bread/d"].flatMap((source) => [{ kind: "chat", source: `${source}/chat`, text: CHAT }, { kind: "dialogue", source: `${source}/dialogue`, text: DIALOGUE }]);
  return [...books, ...others];
}

/** As is_held_out in prepare.py. */
export function isHeldOut(source: string, modulo: number): boolean {
  return BigInt(`0x${createHash("sha256").update(source).digest("hex")}`) % BigInt(modulo) === 0n;
}

export function writeMiniatureCorpus(path: string): void {
  writeFileSync(path, miniatureDocuments().map((document) => `${JSON.stringify(document)}\n`).join(""));
}

export function miniatureTokenizer(recipe: Recipe = readRecipe(MINIATURE)): TextTokenizer {
  return createTokenizer(JSON.parse(readFileSync(TOKENIZER_URL, "utf8")), tokenizerConfig(recipe));
}

/** What prepare.py writes but for the order of the documents, so that tests need no Python. */
export function writePrepared(work: string, recipe: Recipe = readRecipe(MINIATURE)): void {
  mkdirSync(work, { recursive: true });
  const tokenizer = miniatureTokenizer(recipe);
  writeFileSync(join(work, "tokenizer.json"), readFileSync(TOKENIZER_URL));
  for (const part of ["train", "held"] as const) {
    const documents = miniatureDocuments().filter(({ source }) => isHeldOut(source, recipe.heldOutModulo) === (part === "held"));
    const tokens = documents.map(({ text }) => [...tokenizer.encode(text), 0]);
    writeFileSync(join(work, `${part}.bin`), new Uint8Array(Uint16Array.from(tokens.flat()).buffer));
    writeFileSync(join(work, `${part}.docs.json`), JSON.stringify(documents.map(({ kind, source, text }, i) => ({ kind, source, tokens: tokens[i]?.length, bytes: Buffer.byteLength(text) }))));
  }
}
