/**
 * One text file, from bytes to clean text: recognised, decoded, freed of what is
 * not the writer's (control characters, Project Gutenberg's own words, line
 * breaks of a fixed width), and otherwise left alone. What cannot be read to the
 * right text is refused in words. Splitting a file into documents is in
 * documents.ts.
 */
import { DuctusError } from "../core/errors";
import { looksLikeChat } from "./chat-lines";
import { decodeBytes, type Decoded, type TextEncoding } from "./encoding";
import { binaryKind, READS, SAVE_TXT, textKind, type Kind } from "./formats";
import { unwrap } from "./wrapping";

/** The largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

export interface CleanText {
  /** "\n" line ends, NFC. A form feed, if a plain text had one, stands alone on its line (documents.ts resolves it). */
  text: string;
  /** Lines broken at a fixed width were joined into paragraphs. */
  unwrapped: boolean;
  /** Project Gutenberg's header and footer were taken off. */
  gutenberg: boolean;
}

export interface DecodedText extends CleanText {
  encoding: TextEncoding;
}

/**
 * A file that is recognised here, and refused unless it is plain text.
 * @throws DuctusError `file/empty`, `file/too-large`, `file/not-text`, `file/binary`,
 * `file/damaged`, `file/encoding`, `file/chat`
 */
export function decodeText(bytes: Uint8Array, fileName: string): DecodedText {
  requireReadableSize(bytes, fileName);
  const kind = binaryKind(bytes);
  if (kind !== null) throw notPlain(kind, fileName);
  const { text: raw, encoding } = decodeCharacters(bytes, fileName);
  return { ...cleanPlain(raw, fileName, (lines) => {
    const markup = textKind(lines);
    if (markup !== null) throw notPlain(markup, fileName);
  }), encoding };
}

/** The characters of a text file, as they stand in it. @throws DuctusError `file/empty`, `file/too-large`, `file/binary`, `file/damaged`, `file/encoding` */
export function decodeCharacters(bytes: Uint8Array, fileName: string): Decoded {
  requireReadableSize(bytes, fileName);
  const decoded = decodeBytes(bytes, fileName);
  if (hasManyControls(decoded.text)) {
    throw new DuctusError("file/binary", `“${fileName}” is not a text file: it holds many characters that are not letters. ${READS}`, "Save your writing as plain text (.txt) and drop that in.");
  }
  return decoded;
}

/**
 * Plain text freed of what is not the writer's, its paragraphs whole.
 * @param check sees it with its lines in order and nothing taken off
 * @throws DuctusError `file/empty`, `file/chat`, and what `check` throws
 */
export function cleanPlain(raw: string, fileName: string, check: (lines: string) => void = () => undefined): CleanText {
  const lines = normalise(raw);
  if (!/[\p{L}\p{N}]/u.test(lines)) throw empty(fileName);
  check(lines);
  if (looksLikeChat(lines)) throw chatRefusal(fileName);
  const { text: own, gutenberg } = withoutGutenberg(withoutFrontMatter(lines));
  const { text, unwrapped } = unwrap(withoutFirstLineEnds(own));
  const clean = tidy(text);
  if (clean === "") throw empty(fileName);
  return { text: clean, unwrapped, gutenberg };
}

/** Text whose line ends are meant, as a reader of documents gives it: cleaned, never unwrapped. @throws DuctusError `file/empty`, `file/chat` */
export function cleanParagraphs(raw: string, fileName: string): CleanText {
  const lines = normalise(raw.replace(/\f/g, "\n\n"));
  if (!/[\p{L}\p{N}]/u.test(lines)) throw empty(fileName);
  if (looksLikeChat(lines)) throw chatRefusal(fileName);
  const { text: own, gutenberg } = withoutGutenberg(lines);
  const clean = tidy(own);
  if (clean === "") throw empty(fileName);
  return { text: clean, unwrapped: false, gutenberg };
}

/** @param what follows "looks like a conversation: " */
export function chatRefusal(fileName: string, what = "most of its lines are messages, and some of them are other people's"): DuctusError {
  return new DuctusError("file/chat", `“${fileName}” looks like a conversation: ${what}. This version reads prose and verse; a later one reads chats.`, "Drop in a text that is all your own writing.");
}

function requireReadableSize(bytes: Uint8Array, fileName: string): void {
  if (bytes.length === 0) throw empty(fileName);
  if (bytes.length > MAX_FILE_BYTES) {
    throw new DuctusError("file/too-large", `“${fileName}” is ${Math.ceil(bytes.length / 1048576)} MB; this version reads texts of up to ${MAX_FILE_BYTES / 1048576} MB.`, "Split it into smaller text files, or choose a part of it.");
  }
}

function notPlain({ format, what }: Kind, fileName: string): DuctusError {
  return new DuctusError("file/not-text", `“${fileName}” looks like ${what}${format === null ? `. ${READS}` : ", not like plain text."}`, SAVE_TXT);
}

/** Cleans text that came as characters (a sample, pasted text) as a file's would be, without recognising or unwrapping. */
export function cleanText(text: string): string {
  return tidy(normalise(text));
}

function empty(fileName: string): DuctusError {
  return new DuctusError("file/empty", `“${fileName}” has no words in it.`, "Choose a file with writing in it.");
}

function hasManyControls(text: string): boolean {
  let n = 0;
  for (const _ of text.matchAll(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/g)) if (++n > 2 && n > 0.005 * text.length) return true;
  return false;
}

/** Marks on one letter that are kept; no script has more, and NFC sorts them in quadratic time (UAX #15's Stream-Safe Text Format draws the line here too). */
const MAX_MARKS = 30;
const MAX_LINE_ENDS = 3;

/**
 * Line ends, control and invisible characters, exotic spaces, NFC, trailing
 * spaces. Runs are matched at their beginning only (here by a look-behind): a
 * pattern that begins anew at each place of a long run takes quadratic time. Runs
 * that may be megabytes long are cut without a pattern, whose stack they overflow.
 */
function normalise(text: string): string {
  const lines = text
    .replace(/\r\n?|[\u0085\u2028\u2029\v]/g, "\n")
    .replace(/\f/g, "\n\n\f\n\n")
    .replace(/\u001b\[[0-9;]*[A-Za-z]/g, "")
    // ZWJ and ZWNJ stay: Persian, Indic scripts and emoji need them.
    .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]/g, "")
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f]/g, " ");
  return withShortRuns(withFewMarks(lines)
    .normalize("NFC")
    .replace(/(?<![ \t\u3000])[ \t\u3000]+$/gm, ""));
}

/** After unwrapping: no tabs, no long runs of spaces or blank lines. */
function tidy(text: string): string {
  return withoutFirstLineEnds(withShortRuns(text
    .replace(/\t/g, "    ")
    .replace(/(\S) {3,}/g, "$1 ")
    .replace(/(?<! ) +$/gm, "")))
    .trimEnd();
}

function withoutFirstLineEnds(text: string): string {
  let from = 0;
  while (text[from] === "\n") from++;
  return text.slice(from);
}

/** Two blank lines at most. */
function withShortRuns(text: string): string {
  const tooLong = "\n".repeat(MAX_LINE_ENDS + 1);
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf(tooLong); at >= 0; at = text.indexOf(tooLong, from)) {
    parts.push(text.slice(from, at + MAX_LINE_ENDS));
    from = at + tooLong.length;
    while (text[from] === "\n") from++;
  }
  return from === 0 ? text : parts.join("") + text.slice(from);
}

function withFewMarks(text: string): string {
  const tooMany = new RegExp(`\\p{M}{${MAX_MARKS}}(?=\\p{M})`, "gu"), more = /\p{M}{1,1000}/uy;
  const parts: string[] = [];
  let from = 0;
  for (let match = tooMany.exec(text); match !== null; match = tooMany.exec(text)) {
    parts.push(text.slice(from, tooMany.lastIndex));
    more.lastIndex = from = tooMany.lastIndex;
    while (more.test(text)) from = more.lastIndex;
    tooMany.lastIndex = from;
  }
  return from === 0 ? text : parts.join("") + text.slice(from);
}

/** Takes off the settings (YAML between two rules) that note-taking programs and sites put above a Markdown text. */
function withoutFrontMatter(text: string): string {
  const lines = text.slice(0, 20_000).split("\n");
  if (lines[0] !== "---") return text;
  const end = lines.findIndex((line, i) => i > 0 && (line === "---" || line === "..."));
  const settings = lines.slice(1, end);
  const areSettings = end > 1 && /^[\w-]+:/.test(settings[0] as string) && settings.every((line) => /^(?:[\w-]+:(?: |$)|\s*- |\s+\S|\s*#|$)/.test(line));
  return areSettings ? lines.slice(0, end + 1).reduce((rest, line) => rest.slice(line.length + 1), text) : text;
}

const PG_START = /^.{0,8}\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG EBOOK[^]*?\*{3}.*$/im;
const PG_OLD_START = /^\*END\W*THE SMALL PRINT!.*$/im;
const PG_END = /^.{0,8}(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG EBOOK|End of (?:the |this )?Project Gutenberg(?:'s)? )/im;

/** Takes off Project Gutenberg's header, its producers' note, and its footer. */
function withoutGutenberg(text: string): { text: string; gutenberg: boolean } {
  const start = PG_START.exec(text) ?? PG_OLD_START.exec(text);
  const from = start !== null && start[0].length < 500 ? start.index + start[0].length : 0;
  const end = PG_END.exec(text.slice(from));
  if (from === 0 && end === null) return { text, gutenberg: false };
  const body = text.slice(from, end === null ? text.length : from + end.index);
  return { text: body.replace(/^\s*(?:Produced by|E-?text prepared by|This (?:e-?text|etext) was (?:produced|prepared) by)[^]*?\n{2,}/i, "\n"), gutenberg: true };
}
