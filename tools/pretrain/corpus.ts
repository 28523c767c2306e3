/**
 * The prepared corpus as the forms need it: one part's tokens and the list of
 * its documents, from which places are drawn, every token of a kind as likely
 * as any other. Text is what the tokenizer gives back, so it is in NFC.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { DuctusError } from "../../lib/core/errors";
import type { Random } from "../../lib/core/random";
import type { TextTokenizer } from "../../lib/train/model/tokenizer";

const documentSchema = z.strictObject({
  kind: z.string(),
  source: z.string(),
  /** With the token that ends it. */
  tokens: z.int().positive(),
  /** UTF-8 bytes of the text. */
  bytes: z.int().nonnegative(),
});
export type CorpusDocument = z.infer<typeof documentSchema>;

export type PartName = "train" | "held";

/** @throws DuctusError `data/corpus` */
export function readDocuments(work: string, part: PartName): CorpusDocument[] {
  const parsed = z.array(documentSchema).safeParse(JSON.parse(readFileSync(join(work, `${part}.docs.json`), "utf8")));
  if (!parsed.success) throw new DuctusError("data/corpus", `${part}.docs.json is not a list of documents.`, "Prepare the corpus again.", { details: z.prettifyError(parsed.error) });
  return parsed.data;
}

/** uint16, little-endian. */
export function readTokens(path: string): Uint16Array {
  const bytes = readFileSync(path);
  if (bytes.byteLength % 2 !== 0) throw new DuctusError("data/corpus", `${path} is cut off.`, "Make it again.");
  return new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** A stretch of a document. */
export interface Stretch {
  text: string;
  /** Nothing of the document comes before it. */
  fromBeginning: boolean;
  /** Nothing of the document comes after it. */
  toEnd: boolean;
}

interface Place {
  /** Of its first token. */
  start: number;
  /** After its last token of text. */
  end: number;
}

export class Corpus {
  private readonly places = new Map<string, { documents: Place[]; ends: Float64Array }>();

  constructor(
    private readonly tokens: Uint16Array,
    documents: readonly CorpusDocument[],
    private readonly tokenizer: Pick<TextTokenizer, "decode">,
  ) {
    const byKind = new Map<string, Place[]>();
    let start = 0;
    for (const { kind, tokens } of documents) {
      const places = byKind.get(kind);
      const place = { start, end: start + tokens - 1 };
      if (places === undefined) byKind.set(kind, [place]);
      else places.push(place);
      start += tokens;
    }
    if (start !== this.tokens.length) throw new DuctusError("data/corpus", "The list of documents does not fit the file of tokens.", "Prepare the corpus again.");
    for (const [kind, documents] of byKind) {
      let sum = 0;
      this.places.set(kind, { documents, ends: Float64Array.from(documents, (place) => (sum += place.end - place.start)) });
    }
  }

  static read(work: string, part: PartName, tokenizer: Pick<TextTokenizer, "decode">): Corpus {
    return new Corpus(readTokens(join(work, `${part}.bin`)), readDocuments(work, part), tokenizer);
  }

  get kinds(): string[] {
    return [...this.places.keys()];
  }

  /** At most `tokens` tokens from a place of this kind on, which are cut at characters, not at words. */
  draw(kind: string, tokens: number, random: Random): Stretch {
    const { documents, ends } = this.places.get(kind) as { documents: Place[]; ends: Float64Array };
    const at = random.uniform() * (ends.at(-1) as number);
    let low = 0, high = ends.length - 1; // the first whose end is behind `at`
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    const place = documents[low] as Place;
    const first = Math.min(place.end, place.start + Math.floor(at - (low === 0 ? 0 : (ends[low - 1] as number))));
    // Places near the end begin earlier, so that they are not short.
    const start = Math.max(place.start, Math.min(first, place.end - tokens));
    const end = Math.min(place.end, start + tokens);
    const text = this.tokenizer.decode([...this.tokens.subarray(start, end)]);
    return { text: text.replace(/^\uFFFD+|\uFFFD+$/gu, ""), fromBeginning: start === place.start, toEnd: end === place.end };
  }
}
