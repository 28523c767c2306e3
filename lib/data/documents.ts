/**
 * From files to documents, the unit by which writing is held out: a file is one
 * document unless it clearly holds several pieces. A novel's scene breaks are
 * not pieces: cutting there and dealing the scenes would put one book on both
 * sides of the split, so in doubt a file stays whole. Also what is left out,
 * with the reason in words, and whether there is enough to learn from.
 */
import { DuctusError } from "../core/errors";
import { decodeText } from "./text";
import { countWords } from "./words";

/** The least number of words, over all documents, that a hand is trained on. */
export const MIN_WORDS_TO_TRAIN = 300;

export interface SourceDocument {
  name: string;
  text: string;
  words: number;
  encoding?: string;
}

/** A document that is not used. */
export interface LeftOut {
  name: string;
  /** Why, as a sentence. */
  reason: string;
}

export interface FileReading {
  documents: SourceDocument[];
  leftOut: LeftOut[];
  /** Lines broken at a fixed width were joined into paragraphs. */
  unwrapped: boolean;
}

const MAX_FILE_NAME = 120;

/** A file's name as it is shown: without its folders, and tidied as {@link tidyName} does. */
export function tidyFileName(fileName: string): string {
  return tidyName(fileName.replace(/^.*[\\/]/s, "")) || "Unnamed file";
}

/** A name without what cannot be seen (control characters, signs that turn the direction of writing), and not endless; it may be empty. */
export function tidyName(givenName: string): string {
  const name = givenName.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "").trim();
  const letters = [...name.slice(0, 4 * MAX_FILE_NAME)];
  if (letters.length <= MAX_FILE_NAME) return name;
  const ending = /\.[A-Za-z0-9]{1,5}$/.exec(name)?.[0] ?? "";
  return `${letters.slice(0, MAX_FILE_NAME - ending.length - 1).join("")}…${ending}`;
}

/** A shown name without its ending. */
export function withoutEnding(fileName: string): string {
  return fileName.replace(/\.[A-Za-z0-9]{1,5}$/, "") || fileName;
}

/** Reads one dropped file of plain text. @throws DuctusError as decodeText. */
export function readFile(givenName: string, bytes: Uint8Array): FileReading {
  const fileName = tidyFileName(givenName);
  const { text, encoding, unwrapped } = decodeText(bytes, fileName);
  const { documents, leftOut } = documentsOf(withoutEnding(fileName), splitPieces(text));
  if (documents.length === 0) throw new DuctusError("file/empty", `“${fileName}” has no words in it.`, "Choose a file with writing in it.");
  return { documents: documents.map((document) => ({ ...document, encoding })), leftOut, unwrapped };
}

/** Names the pieces of one text: by their headings where there are several, else by the text's own name. */
export function documentsOf(name: string, pieces: readonly string[]): { documents: SourceDocument[]; leftOut: LeftOut[] } {
  const documents: SourceDocument[] = [];
  const leftOut: LeftOut[] = [];
  pieces.forEach((text, i) => {
    const own = pieces.length === 1 ? name : (heading(text) ?? `${name}, piece ${i + 1}`);
    const words = countWords(text);
    if (words === 0) leftOut.push({ name: own, reason: "It has no words." });
    else documents.push({ name: own, text, words });
  });
  return { documents, leftOut };
}

/** What makes two texts the same: their words, however they are spaced. */
const wordsAlone = (text: string): string => text.replace(/ \s+|[^\S ]\s*/g, " ").trim();

export const sameTextReason = (twin: string): string => `It is the same text as “${twin}”, which is already here.`;

/** Drops documents whose words are exactly those of an earlier one, among themselves or in `existing`. */
export function withoutDuplicates<Document extends { name: string; text: string } = SourceDocument>(documents: readonly Document[], existing: readonly { name: string; text: string }[] = []): { documents: Document[]; leftOut: LeftOut[] } {
  const seen = new Map(existing.map((d) => [wordsAlone(d.text), d.name]));
  const kept: Document[] = [];
  const leftOut: LeftOut[] = [];
  for (const document of documents) {
    const twin = seen.get(wordsAlone(document.text));
    if (twin === undefined) {
      seen.set(wordsAlone(document.text), document.name);
      kept.push(document);
    } else {
      leftOut.push({ name: document.name, reason: sameTextReason(twin) });
    }
  }
  return { documents: kept, leftOut };
}

/** @throws DuctusError `data/too-little` when the documents together have too few words to learn a hand from. */
export function requireEnoughWords(documents: readonly { words: number }[]): void {
  const words = documents.reduce((sum, d) => sum + d.words, 0);
  if (words >= MIN_WORDS_TO_TRAIN) return;
  throw new DuctusError(
    "data/too-little",
    `There ${words === 1 ? "is 1 word" : `are ${words} words`} here. At least ${MIN_WORDS_TO_TRAIN} are needed to learn from and to keep some aside to check; a few thousand teach much more.`,
    "Add more of your writing.",
  );
}

const SEPARATOR = /^ {0,3}(?:-{3,}|={3,}|\*{3,}|_{3,}|#{3,}|~{3,})$/;
const MIN_PIECE_WORDS = 15;
/** Longer stretches between rules without headings are rather a book's scenes than pieces. */
const MAX_UNHEADED_WORDS = 600;

/** The pieces of a clean text: several only where form feeds or ruled lines clearly part them. */
export function splitPieces(text: string): string[] {
  const feeds = text.split(/\n*\f\n*/).filter((s) => s.trim() !== "");
  const whole = feeds.length > 1 && !areSeparatePieces(feeds, "page") ? joinPages(feeds) : feeds.join("\f");
  return whole.split("\f").flatMap(splitAtRules).map((piece) => piece.replace(/^\n+/, "").trimEnd());
}

/** Pages of one text, as programs print them: a page may end in the middle of a sentence. */
function joinPages(pages: readonly string[]): string {
  let before = "";
  return pages.map((page) => {
    const join = before === "" ? "" : endsSentence(before) ? "\n\n" : /^\s*\p{Ll}/u.test(page) ? " " : "\n";
    const text = before === "" ? page.trimEnd() : page.trim();
    before = page;
    return join + text;
  }).join("");
}

/** A person's file has not so many; of one made to overflow, the pieces would fill the memory. */
const MAX_RULES = 20_000;
const ANY_SEPARATOR = new RegExp(SEPARATOR.source, "gm");

function splitAtRules(text: string): string[] {
  let rules = 0;
  for (const _ of text.matchAll(ANY_SEPARATOR)) if (++rules > MAX_RULES) break;
  if (rules === 0 || rules > MAX_RULES) return [text];
  const lines = text.split("\n");
  const byRule = new Map<string, number[]>();
  lines.forEach((line, i) => {
    // A rule right under a line of text is a Markdown heading, not a separator.
    if (SEPARATOR.test(line) && (i === 0 || lines[i - 1] === "" || lines[i + 1] === "") && !isUnderline(lines, i)) {
      const rule = line.trim()[0] as string;
      const at = byRule.get(rule);
      if (at === undefined) byRule.set(rule, [i]);
      else at.push(i);
    }
  });
  let best: string[] = [text];
  for (const [rule, at] of byRule) {
    const bounds = [-1, ...at, lines.length];
    const pieces = bounds.slice(1).map((end, k) => lines.slice((bounds[k] as number) + 1, end).join("\n")).filter((s) => s.trim() !== "");
    if (pieces.length > best.length && areSeparatePieces(pieces, rule === "-" || rule === "=" ? "rule" : "scene")) best = pieces;
  }
  return best;
}

function isUnderline(lines: readonly string[], i: number): boolean {
  const above = lines[i - 1] ?? "";
  return above !== "" && /^[-=]/.test(lines[i] as string) && Math.abs(above.length - (lines[i] as string).length) <= 3;
}

/**
 * Whether stretches are pieces of their own: of some length, and either headed
 * (not as a book's chapters are) or short and at least three. `between` says
 * what else the separator may mean: a page's end, so that sentences must end
 * there, or a change of scene, so that only headings convince.
 */
function areSeparatePieces(pieces: readonly string[], between: "page" | "rule" | "scene"): boolean {
  const words = pieces.map(countWords).sort((a, b) => a - b);
  const median = words[Math.floor(words.length / 2)] as number;
  const share = (test: (piece: string) => boolean): number => pieces.filter(test).length / pieces.length;
  if (pieces.length < 2 || median < MIN_PIECE_WORDS) return false;
  if (share((piece) => heading(piece) !== null) >= 0.7) return pieces.length >= (between === "scene" ? 3 : 2) && share(isChapter) < 0.3;
  return between !== "scene" && pieces.length >= 3 && median <= MAX_UNHEADED_WORDS && (between === "rule" || share(endsSentence) >= 0.8);
}

function isChapter(piece: string): boolean {
  return /^(?:chapter|part|book|scene|act|canto)\b|^(?:[ivxlc]+|\d+)\.?$/i.test(heading(piece) ?? "");
}

function endsSentence(piece: string): boolean {
  return !/[\p{Ll}\p{Lo},;\-–]$/u.test(piece.trimEnd().slice(-2));
}

/** A short first line that stands apart from what follows; null where there is none. */
function heading(piece: string): string | null {
  const lines = piece.replace(/^\s+/, "").split("\n");
  const first = (lines[0] as string).replace(/^#+\s*/, "").trim();
  if (lines.length < 2 || first === "" || first.length > 80 || (lines[1] !== "" && !/^[-=]{3,}$/.test(lines[1] as string))) return null;
  if (countWords(first) > 12 || /[,;:]$|[^.]\.$|[!?]["”’]$/.test(first)) return null;
  return lines.slice(1).some((line) => line.trim() !== "" && !/^[-=]{3,}$/.test(line)) ? first : null;
}
