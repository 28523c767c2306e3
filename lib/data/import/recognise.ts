/**
 * Which format a file has: by its first bytes, by what is inside where it is a
 * zip, by how its text begins, and only then by its name, which anyone can
 * change. What no reader reads is refused by name. Its tables of signs are
 * ../formats; reading is the readers'.
 */
import { DuctusError } from "../../core/errors";
import { archiveKind, binaryKind, READS, SAVE_TXT, textKind, withoutComments, type Kind } from "../formats";
import { decodeCharacters } from "../text";
import type { Archive } from "./archive";
import { damagedFile, encryptedFile } from "./faults";
import type { FormatName } from "./types";

/** What a name's ending says of a text that does not say it itself. */
const BY_ENDING = byEnding<FormatName>([
  ["markdown", "md markdown mdown mkd mdx"],
  ["html", "html htm xhtml xht"],
  ["csv", "csv tsv tab"],
  ["json", "json"],
  ["jsonl", "jsonl ndjson"],
  ["email", "eml mht mhtml"],
  ["mbox", "mbox"],
]);
/** Text of kinds that nobody calls writing. */
const UNREAD_ENDINGS = byEnding<string>([
  ["program code", "js mjs cjs ts jsx tsx py rb c h cc cpp hpp cs java kt swift go rs php pl sh bash zsh bat ps1 sql css scss less vue svelte lua r m ipynb wasm map"],
  ["a settings file", "yml yaml toml ini cfg conf properties lock plist reg desktop env gitignore"],
  ["an XML file", "xml svg opml rss atom fb2 xsd xsl kml gpx"],
  ["a LaTeX document", "tex sty cls bib"],
  ["subtitles", "srt vtt ass ssa sbv"],
  ["a calendar or an address book", "ics vcf"],
]);
/** Formats whose files do not begin as text does. */
const BINARY_ENDINGS = byEnding<string>([["a Word document", "docx doc"], ["an OpenDocument text", "odt"], ["an e-book (EPUB)", "epub"], ["a PDF document", "pdf"], ["a zip archive", "zip"]]);

function byEnding<T>(lists: readonly (readonly [T, endings: string])[]): ReadonlyMap<string, T> {
  return new Map(lists.flatMap(([kind, endings]) => endings.split(" ").map((ending): [string, T] => [ending, kind])));
}

/** Signs of formats in files that say by their names that they are of them, and do not begin so. */
const BEGINS_MAIL = /^From \S.*\d:\d\d.*\n[!-9;-~]{1,76}: /m;
const MAIL_SIGNS = /^(?:From|To|Subject|Date|Message-ID|MIME-Version|Content-Type|Content-Transfer-Encoding): |=[C-F][0-9A-F]=[0-9A-F]{2}|^--\S+--$|^[A-Za-z0-9+/]{60,76}$/im;
const PDF_SIGNS = /\bendobj\b|\bendstream\b|^\d+ \d+ obj\b|\bstartxref\b|\)\s*Tj\b/m;

/** As much of a text as its kind is told by, in bytes. */
const HEAD_BYTES = 64 * 1024;
/** How far into a file a PDF's first line may stand (ISO 32000-1, annex H, 3.4.1), and where bytes that no text has are looked for. */
const START_BYTES = 1024;

/**
 * @param fileName as it is shown
 * @param open the file as an archive; called where it begins as one
 * @throws DuctusError `file/not-text` naming what no reader reads, `file/encrypted`, `file/damaged`; what `open` throws
 */
export async function recognise(bytes: Uint8Array, fileName: string, open: () => Promise<Archive>): Promise<FormatName> {
  const kind = binaryKind(bytes);
  if (kind !== null) return taken(bytes[0] === 0x50 && bytes[1] === 0x4b ? await archiveOrGuess(open, kind) : kind, fileName);
  const { head, isAscii } = readHead(bytes);
  const ending = /\.([A-Za-z0-9]{1,9})$/.exec(fileName)?.[1]?.toLowerCase() ?? "";
  if (/^%PDF-\d/m.test(new TextDecoder("latin1").decode(bytes.subarray(0, START_BYTES))) && (ending === "pdf" || hasControls(bytes))) return "pdf";

  const named = BY_ENDING.get(ending);
  const said = textKind(head, () => decodeCharacters(bytes, fileName).text);
  // Markdown may hold a table, or begin with a key or subtitles that it speaks about.
  if (said !== null && !(named === "markdown" && (said.format === "csv" || said.format === null))) return taken(said, fileName);
  if (isAscii && beginsWithHeaders(head)) return head.startsWith("From ") ? "mbox" : "email";
  if (named === "mbox" && BEGINS_MAIL.test(head)) return "mbox"; // damaged before its first whole mail
  if ((named === "mbox" || named === "email") && MAIL_SIGNS.test(head)) throw damagedFile(fileName, "it does not begin as mail does");
  if (named !== undefined && named !== "email" && named !== "mbox" && (named !== "html" || /<[a-z!]/i.test(head))) return named;
  const what = UNREAD_ENDINGS.get(ending);
  if (what !== undefined) throw refusal(fileName, what);
  const broken = BINARY_ENDINGS.get(ending);
  if (broken !== undefined && (hasControls(bytes) || (ending === "pdf" && PDF_SIGNS.test(head)))) throw damagedFile(fileName, `it does not begin as ${broken} does`);
  return isPageFragment(head) ? "html" : "text";
}

/** The directory is the whole truth; where it is damaged, what the first and last bytes say, so that the reader can say what of. */
async function archiveOrGuess(open: () => Promise<Archive>, guess: Kind): Promise<Kind> {
  let archive: Archive;
  try {
    archive = await open();
  } catch (error) {
    if (error instanceof DuctusError && error.code === "file/damaged") return guess;
    throw error;
  }
  const mimetype = archive.has("mimetype") ? new TextDecoder().decode((await archive.read("mimetype")).subarray(0, 200)) : "";
  return archiveKind(new Set(archive.entries.map((entry) => entry.path)), mimetype);
}

/** A letter's head: at least three of the fields that mail has, and nothing but fields, up to a blank line (RFC 5322, 2.2). */
function beginsWithHeaders(head: string): boolean {
  const lines = head.trimStart().split("\n", 100);
  const end = lines.findIndex((line) => line.trim() === "");
  const fields = (end < 0 ? lines : lines.slice(0, end)).filter((line, i) => !/^[ \t]/.test(line) && !(i === 0 && line.startsWith("From ")));
  if (!fields.every((line) => /^[\w-]{1,60}:/.test(line))) return false;
  return fields.filter((line) => /^(?:From|To|Cc|Subject|Date|Reply-To|Message-ID|MIME-Version|Content-Type|Received|Sender|X-[\w-]+):/i.test(line)).length >= 3;
}

/** A part of a page, as programs copy and export it: it begins with an element and closes one. */
function isPageFragment(head: string): boolean {
  return /^<(?:p|div|h[1-6]|article|section|main|table|ul|ol|span|meta|title|style|script|blockquote|a|b|i|em|strong)\b[^<>]*>/i.test(withoutComments(head.trimStart())) && /<\/[a-z][a-z0-9]*>/i.test(head);
}

function taken({ format, what }: Kind, fileName: string): FormatName {
  if (what.endsWith("password")) throw encryptedFile(fileName);
  if (format === null) throw refusal(fileName, what);
  return format;
}

function refusal(fileName: string, what: string): DuctusError {
  return new DuctusError("file/not-text", `“${fileName}” looks like ${what}. ${READS}`, SAVE_TXT);
}

/** The beginning of a text, leniently; marks and zero bytes tell UTF-16, and the signs of every format are ASCII. */
function readHead(bytes: Uint8Array): { head: string; isAscii: boolean } {
  const [b0, b1] = bytes;
  const big = (b0 === 0xfe && b1 === 0xff) || (b0 === 0 && b1 !== 0), little = (b0 === 0xff && b1 === 0xfe) || (b0 !== 0 && b1 === 0);
  const head = new TextDecoder(big ? "utf-16be" : little ? "utf-16le" : "utf-8").decode(bytes.subarray(0, HEAD_BYTES));
  return { head: head.replace(/\r\n?/g, "\n"), isAscii: !big && !little };
}

const hasControls = (bytes: Uint8Array): boolean => bytes.subarray(0, START_BYTES).some((byte) => byte < 9 || (byte > 13 && byte < 27));
