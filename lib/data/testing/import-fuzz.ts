/**
 * What is imported to see whether it does harm, and what must come of each file:
 * a refusal in plain words, or the right text. After harmless changes that is all
 * of the writing. After others it cannot be known what is left of the writing;
 * but all its words are from a small vocabulary, so that what is not writing
 * shows. Damage is import-damage.ts's, hostile files are import-hostile.ts's.
 */
import { Random } from "../../core/random";
import type { SerializedError } from "../../core/errors";
import type { ImportEvent, InputFile } from "../import/import";
import { FORMATS, type FormatName } from "../import/types";
import { damage, spliced, type Damaged } from "./import-damage";
import { hostile, noise } from "./import-hostile";
import { makeSample, writing, type Sample } from "./import-samples";

export type Import = (files: InputFile[]) => AsyncIterable<ImportEvent>;

/** Different valid files of each format. */
const SAMPLES = 12;
/** Of 20 files of a format: changed harmlessly, damaged, of two files, hostile, noise. Three quarters are valid files, changed. */
const SHARES = { harmless: 5, damaged: 10, spliced: 1, hostile: 3 };

export interface FuzzInput extends Damaged {
  sample: Sample;
  /** Made to be hostile, noise, or of two files: what it has for text may be anything that letters can say. */
  foreign: boolean;
}

/** File `round` of a format. @param lineLength of the long lines and runs of hostile files */
export function makeInput(format: FormatName, round: number, seed: string, lineLength: number): FuzzInput {
  const random = new Random(`${seed} ${format} ${round}`);
  const sample = makeSample(format, `fuzz ${random.int(SAMPLES)}`);
  let kind = random.int(20);
  if ((kind -= SHARES.harmless) < 0) return { sample, foreign: false, ...damage(sample, format, random, true) };
  if ((kind -= SHARES.damaged) < 0) return { sample, foreign: false, ...damage(sample, format, random, false) };
  if ((kind -= SHARES.spliced) < 0) return { sample, foreign: true, ...spliced(sample, makeSample(random.pick(FORMATS), "splice"), random) };
  if ((kind -= SHARES.hostile) < 0) return { sample, foreign: true, whole: false, ...hostile(format, random, lineLength) };
  return { sample, foreign: true, whole: false, ...noise(format, random) };
}

/** What came of a file, in a word. @throws Error saying what is wrong with it */
export async function judge(input: FuzzInput, importFiles: Import): Promise<"read" | "left out" | "refused"> {
  const texts: string[] = [];
  let faults = 0, leftOut = 0, ended = false;
  for await (const event of importFiles([{ path: input.path, bytes: input.bytes.length, read: () => Promise.resolve(input.bytes) }])) {
    switch (event.type) {
      case "document":
        checkName(event.document.name);
        texts.push(event.document.text);
        break;
      case "left-out":
        checkName(event.name);
        checkWords("reason", event.reason);
        leftOut++;
        break;
      case "fault":
        checkError(event.error);
        faults++;
        break;
      case "file":
        break;
      case "progress":
        ended ||= event.name === "";
    }
  }
  if (!ended) throw new Error("the import did not say that it was at its end");
  const text = texts.join("\n\n");
  if (input.whole) checkWhole(text, input.sample);
  checkCharacters(text);
  if (!input.foreign) checkVocabulary(text);
  if (texts.length === 0 && faults + leftOut === 0) throw new Error("nothing was read, and nothing said");
  return texts.length > 0 ? "read" : faults > 0 ? "refused" : "left out";
}

/** What no person should read: of programs, of libraries, of what is not there. */
const TECHNICAL = /\bundefined\b|\bnull\b|\bNaN\b|\[object|=>|\b(?:Type|Range|Syntax|Reference)?Error\b|\bexception\b|\bstack\b|\bat \S+:\d+|node_modules\/|\bfunction\b|\basync\b|\bxref\b|\bparse[rd]?\b|\boffset\b|\bbuffer\b|\btoken\b|\bunexpected\b|invalid|0x[0-9a-f]/i;

function checkWords(what: string, words: string): void {
  // names of files stand in them, and may be anything
  const own = words.replace(/“[^”]*”/g, "“”");
  if (own.length > 500) throw new Error(`${what} is too long: ${own.slice(0, 600)}`);
  if (!/^[A-Z“\d][^]*[.!?]”?$/.test(own)) throw new Error(`${what} is no sentence: ${words.slice(0, 600)}`);
  if (TECHNICAL.test(own) || /[\p{Cc}\p{Co}]/u.test(own)) throw new Error(`${what} is not plain: ${words.slice(0, 600)}`);
}

/** Faults in our own code, which import.ts turns into a refusal like any other: what is thrown at us is a fault of the reader. */
const OWN_FAULT = /^(?:TypeError|RangeError|ReferenceError|app\/)|Internal check/;

function checkError({ code, message, next, details }: SerializedError): void {
  checkWords("message", message);
  checkWords("next step", next);
  if (!/^file\/[a-z-]+$/.test(code)) throw new Error(`refused with the code ${code}: ${message} ${details ?? ""}`);
  if (message.includes("in a way that this version does not know") && OWN_FAULT.test(details ?? "")) throw new Error(`a reader failed: ${details ?? ""}`);
}

function checkName(name: string): void {
  if (name === "" || [...name].length > 200) throw new Error(`a document is called “${name.slice(0, 300)}”`);
  if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(name.replace(/[\u200c\u200d]/g, ""))) throw new Error(`a name has invisible characters: ${JSON.stringify(name.slice(0, 300))}`);
}

const oneLine = (text: string): string => text.normalize("NFC").replace(/\s+/g, " ");

function checkWhole(text: string, { paragraphs }: Sample): void {
  const found = oneLine(text);
  const missing = paragraphs.filter((paragraph) => !found.includes(oneLine(paragraph)));
  if (missing.length > 0) throw new Error(`${missing.length} of ${paragraphs.length} paragraphs are missing: “${missing[0]!.slice(0, 200)}” in “${text.slice(0, 400)}”`);
}

const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
/** All words that are in the writing of any sample, and what its headings and mails have. */
const VOCABULARY = new Set([
  ...Array.from({ length: 60 }, (_, i) => writing(`vocabulary ${i}`, 6)).flatMap(({ title, paragraphs }) => words(`${title} ${paragraphs.join(" ")}`)),
  ..."chapter of a home link title".split(" "),
]);
/**
 * Words that are no words of the writing, whatever the length: an edit spoils the
 * words at its two ends, and lets a tag, a field of a head or a key through that
 * stood there. There are three edits at most; so much stands between two signs.
 */
const MAX_STRANGE = 24;
/** And with the length: one in so many, since a stretch of what is around the writing may be copied among it. */
const MAX_STRANGE_SHARE = 0.15;
/** Characters that are no text: controls, private, unassigned, replaced. Importing takes controls off, so that none may be left. */
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\p{Co}\p{Cn}\p{Cs}\ufffd]/gu;
const MAX_NO_TEXT_SHARE = 0.002;

function checkVocabulary(text: string): void {
  const all = words(text);
  const strange = all.filter((word) => !VOCABULARY.has(word));
  if (strange.length > MAX_STRANGE + MAX_STRANGE_SHARE * all.length) throw new Error(`${strange.length} of ${all.length} words are not of the writing: “${strange.slice(0, 60).join(" ").slice(0, 400)}” in “${text.slice(0, 300)}”`);
}

function checkCharacters(text: string): void {
  const odd = text.match(NO_TEXT)?.length ?? 0;
  if (odd > MAX_NO_TEXT_SHARE * text.length) throw new Error(`${odd} of ${text.length} characters are no text: ${JSON.stringify(text.slice(0, 300))}`);
}
