/**
 * One text file, from bytes to clean text: recognised, decoded, freed of what is
 * not the writer's (control characters, Project Gutenberg's own words, line
 * breaks of a fixed width), and otherwise left alone. What cannot be read to the
 * right text is refused in words. Splitting a file into documents is in
 * documents.ts.
 */
import { DuctusError } from "../core/errors";
import { looksLikeChat } from "./chat-lines";
import { decodeBytes, type TextEncoding } from "./encoding";
import { refuseKnownFormats, refuseMarkup } from "./formats";
import { unwrap } from "./wrapping";

/** The largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

export interface DecodedText {
  /** Clean text: "\n" line ends, NFC. A form feed, if the file had one, stands alone on its line (documents.ts resolves it). */
  text: string;
  encoding: TextEncoding;
  /** Lines broken at a fixed width were joined into paragraphs. */
  unwrapped: boolean;
  /** Project Gutenberg's header and footer were taken off. */
  gutenberg: boolean;
}

/**
 * @throws DuctusError `file/empty`, `file/too-large`, `file/not-text`, `file/binary`,
 * `file/damaged`, `file/encoding`, `file/chat`
 */
export function decodeText(bytes: Uint8Array, fileName: string): DecodedText {
  if (bytes.length === 0) throw empty(fileName);
  if (bytes.length > MAX_FILE_BYTES) {
    throw new DuctusError("file/too-large", `“${fileName}” is ${Math.ceil(bytes.length / 1048576)} MB; this version reads files of up to ${MAX_FILE_BYTES / 1048576} MB.`, "Split it into smaller text files, or choose a part of it.");
  }
  refuseKnownFormats(bytes, fileName);
  const { text: raw, encoding } = decodeBytes(bytes, fileName);
  if (hasManyControls(raw)) {
    throw new DuctusError("file/binary", `“${fileName}” is not a text file: it holds many characters that are not letters. This version reads plain text files.`, "Save your writing as plain text (.txt) and drop that in.");
  }
  const lines = normalise(raw);
  if (!/[\p{L}\p{N}]/u.test(lines)) throw empty(fileName);
  refuseMarkup(lines, fileName);
  if (looksLikeChat(lines)) {
    throw new DuctusError(
      "file/chat",
      `“${fileName}” looks like a conversation: most of its lines are messages, and some of them are other people's. This version reads prose and verse; a later one reads chats.`,
      "Drop in a text that is all your own writing.",
    );
  }
  const { text: own, gutenberg } = withoutGutenberg(withoutFrontMatter(lines));
  const { text, unwrapped } = unwrap(own.replace(/^\n+/, ""));
  const clean = tidy(text);
  if (clean === "") throw empty(fileName);
  return { text: clean, encoding, unwrapped, gutenberg };
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
const TOO_MANY_MARKS = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, "gu");

/**
 * Line ends, control and invisible characters, exotic spaces, NFC, trailing
 * spaces. Runs are matched at their beginning only (here by a look-behind): a
 * pattern that begins anew at each place of a long run takes quadratic time.
 */
function normalise(text: string): string {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029\v]/g, "\n")
    .replace(/\f/g, "\n\n\f\n\n")
    .replace(/\u001b\[[0-9;]*[A-Za-z]/g, "")
    // ZWJ and ZWNJ stay: Persian, Indic scripts and emoji need them.
    .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]/g, "")
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f]/g, " ")
    .replace(TOO_MANY_MARKS, "$1")
    .normalize("NFC")
    .replace(/(?<![ \t\u3000])[ \t\u3000]+$/gm, "");
}

/** After unwrapping: no tabs, no long runs of spaces or blank lines. */
function tidy(text: string): string {
  return text
    .replace(/\t/g, "    ")
    .replace(/(\S) {3,}/g, "$1 ")
    .replace(/(?<! ) +$/gm, "")
    .replace(/\n{4,}/g, "\n\n\n")
    .replace(/^\n+/, "")
    .trimEnd();
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
