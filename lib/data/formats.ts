/**
 * What a file is by what is in it: documents, archives, images and the like by
 * their first bytes (magic numbers), marked-up text, data, mail and tables by
 * their beginning. It names the kind in words, with the format that reads it
 * where one does; names of files and the deciding are import/recognise.ts's.
 * Chat exports have their own file, chat-lines.ts.
 */
import { parseJson } from "./bounded-json";
import type { FormatName } from "./import/types";

/** What this version reads, for every message that must say so. */
export const READS = "This version reads text, Markdown, web pages, Word (.docx), OpenDocument (.odt), RTF, PDF, EPUB, e-mail, CSV, JSON, and .zip files of these.";
export const SAVE_TXT = "Open it in the program that made it, save it as plain text (.txt), and drop that in.";

export interface Kind {
  /** Null where no reader takes it. */
  format: FormatName | null;
  /** "a Word document (.docx)" */
  what: string;
}

const unread = (what: string): Kind => ({ format: null, what });
const DOCX: Kind = { format: "docx", what: "a Word document (.docx)" };
const EPUB: Kind = { format: "epub", what: "an e-book (EPUB)" };
const ODT: Kind = { format: "odt", what: "an OpenDocument text (.odt)" };
const ZIP: Kind = { format: "zip", what: "a zip archive" };

const MAGIC: readonly [magic: string, kind: Kind][] = [
  ["%PDF-", { format: "pdf", what: "a PDF document" }],
  ["{\\rtf", { format: "rtf", what: "a rich text document (RTF)" }],
  ...([
    ["\x89PNG", "a PNG image"],
    ["\xff\xd8\xff", "a JPEG image"],
    ["GIF87a", "a GIF image"],
    ["GIF89a", "a GIF image"],
    ["II*\0", "a TIFF image"],
    ["MM\0*", "a TIFF image"],
    ["8BPS", "a Photoshop image"],
    ["\0\0\x01\0", "an icon"],
    ["AT&TFORM", "a scanned document (DjVu)"],
    ["%!PS", "a PostScript document"],
    ["ID3", "a sound file"],
    ["OggS", "a sound file"],
    ["fLaC", "a sound file"],
    ["\xff\xfb", "a sound file"],
    ["MThd", "a sound file (MIDI)"],
    ["\x1a\x45\xdf\xa3", "a film"],
    ["FLV\x01", "a film"],
    ["\x1f\x8b", "a compressed file (gzip)"],
    ["7z\xbc\xaf", "a compressed archive (7z)"],
    ["Rar!\x1a", "a compressed archive (RAR)"],
    ["\xfd7zXZ", "a compressed archive (xz)"],
    ["\x28\xb5\x2f\xfd", "a compressed file (Zstandard)"],
    ["BZh91AY", "a compressed archive (bzip2)"],
    ["SQLite format 3\0", "a database"],
    ["\0\x01\0\0Standard ", "a database (Access)"],
    ["\x7fELF", "a program"],
    ["\0asm", "a program"],
    ["\xca\xfe\xba\xbe", "a program"],
    ["\xcf\xfa\xed\xfe", "a program"],
    ["wOFF", "a font"],
    ["wOF2", "a font"],
    ["OTTO\0", "a font"],
    ["\0\x01\0\0\0", "a font"],
    ["\xffWPC", "a WordPerfect document"],
    ["ITOLITLS", "an e-book (LIT)"],
    ["bplist00", "a settings file of Apple's"],
    ["\0\0\0\x01Bud1", "a settings file of Apple's"],
    ["GGUF", "a language model (GGUF)"],
  ] as const).map(([magic, what]): [string, Kind] => [magic, unread(what)]),
];

/** By the first bytes; null where they are those of no format that is known here. A zip's is a guess: {@link archiveKind} knows. */
export function binaryKind(bytes: Uint8Array): Kind | null {
  const head = latin(bytes.subarray(0, 4096));
  const start = head.replace(/^(?:\xef\xbb\xbf)?\s*/, "");
  if (head.startsWith("\xd0\xcf\x11\xe0")) return oleKind(bytes);
  if (head.startsWith("RIFF")) {
    if (head.startsWith("WEBP", 8)) return unread("a WebP image");
    if (head.startsWith("WAVE", 8)) return unread("a sound file");
    if (head.startsWith("AVI ", 8)) return unread("a film");
  }
  if (head.startsWith("\0\0") && head.startsWith("ftyp", 4)) return unread(/^M4[AB]/.test(head.slice(8)) ? "a sound file" : "a film or a HEIC image");
  if (head.startsWith("BM") && sizeAt2(bytes) === bytes.length) return unread("a BMP image");
  if (head.startsWith("MZ") && head.includes("\0")) return unread("a program");
  if (head.startsWith("ustar", 257)) return unread("an archive (tar)");
  if (head.startsWith("BOOKMOBI", 60)) return unread("an e-book (Kindle)");
  if (head.startsWith("PK\x03\x04") || head.startsWith("PK\x05\x06")) return zipKind(head + latin(bytes.subarray(-8192)));
  return MAGIC.find(([magic]) => start.startsWith(magic) || head.startsWith(magic))?.[1] ?? null;
}

const sizeAt2 = (bytes: Uint8Array): number => (bytes.length < 6 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(2, true));

function latin(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Microsoft's older container, by the names of the streams in it. */
function oleKind(bytes: Uint8Array): Kind {
  const names = new TextDecoder("utf-16le").decode(bytes.subarray(0, 1 << 20)) + new TextDecoder("utf-16le").decode(bytes.subarray(bytes.length > 2 << 20 ? bytes.length - (1 << 20) - (bytes.length % 2) : 0));
  if (names.includes("EncryptedPackage")) return unread("an Office document that is locked with a password");
  if (names.includes("WordDocument")) return unread("an old Word document (.doc)");
  if (names.includes("Workbook")) return unread("an old spreadsheet (.xls)");
  if (names.includes("PowerPoint Document")) return unread("old slides (.ppt)");
  if (names.includes("__substg1.0_")) return unread("an Outlook message (.msg)");
  return unread("an old Word or Office document");
}

/** The kind of a zip by the member names in its first bytes and in its directory at the end: where the directory cannot be read. */
function zipKind(names: string): Kind {
  if (names.includes("word/document.xml") || names.includes("word/_rels")) return DOCX;
  if (names.includes("application/epub+zip")) return EPUB;
  if (names.includes("opendocument.text")) return ODT;
  if (names.includes("xl/workbook")) return unread("a spreadsheet (.xlsx)");
  if (names.includes("[Content_Types].xml")) return unread("an Office document");
  return ZIP;
}

/** @param mimetype what the member of this name says, if there is one: EPUB and OpenDocument begin with it */
export function archiveKind(paths: ReadonlySet<string>, mimetype: string): Kind {
  if (paths.has("[Content_Types].xml")) {
    if (paths.has("word/document.xml") || paths.has("word/document2.xml")) return DOCX;
    if (paths.has("xl/workbook.xml") || paths.has("xl/workbook.bin")) return unread("a spreadsheet (.xlsx)");
    return unread(paths.has("ppt/presentation.xml") ? "slides (.pptx)" : "an Office document");
  }
  if (mimetype.startsWith("application/epub+zip") || paths.has("META-INF/container.xml")) return EPUB;
  const open = /^application\/vnd\.oasis\.opendocument\.(\w+)/.exec(mimetype)?.[1];
  if (open === "text") return ODT;
  if (open !== undefined) return unread(open === "spreadsheet" ? "a spreadsheet (.ods)" : open === "presentation" ? "slides (.odp)" : "an OpenDocument drawing");
  if (paths.has("Index/Document.iwa") || paths.has("Index.zip")) return unread("a document of Apple's Pages, Numbers or Keynote");
  if (paths.has("AndroidManifest.xml") || paths.has("META-INF/MANIFEST.MF")) return unread("a program");
  return ZIP;
}

/** Of decoded text that is not simply writing, by its beginning; null where it may be. `whole`: all of it, where `head` is a part. */
export function textKind(head: string, whole: () => string = () => head): Kind | null {
  const start = head.slice(0, 4096).trimStart();
  const bare = withoutComments(start);
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(bare)) return { format: "html", what: "a web page (HTML)" };
  if (/^<\?xml\b/i.test(start)) return /<html\b/i.test(start) ? { format: "html", what: "a web page (HTML)" } : unread("an XML file");
  if (/^<svg\b/i.test(bare)) return unread("a drawing (SVG)");
  if (/^\\documentclass\b/m.test(start)) return unread("a LaTeX document");
  if (/^BEGIN:(?:VCALENDAR|VCARD)\b/.test(start)) return unread("a calendar or an address book");
  if (/^-----BEGIN [A-Z ]+-----/.test(start)) return unread("a key or a certificate");
  const data = jsonKind(start, whole);
  if (data !== null) return data;
  if (/^(?:From \S+|Received:|Return-Path:|Delivered-To:|MIME-Version:)/.test(start) && /^(?:Message-ID|MIME-Version|Received):/im.test(start)) {
    return start.startsWith("From ") ? { format: "mbox", what: "saved e-mail" } : { format: "email", what: "saved e-mail" };
  }
  if (/^\d+\s*\n\d\d:\d\d:\d\d[,.]\d+ --> /.test(start) || start.startsWith("WEBVTT")) return unread("subtitles");
  return isTable(start) ? { format: "csv", what: "a table (CSV)" } : null;
}

/** Without the comments it begins with. One at a time: a pattern for all of them could divide them in too many ways. */
export function withoutComments(head: string): string {
  let rest = head;
  while (rest.startsWith("<!--")) {
    const end = rest.indexOf("-->", 4);
    if (end < 0) break;
    rest = rest.slice(end + 3).trimStart();
  }
  return rest;
}

function jsonKind(start: string, whole: () => string): Kind | null {
  if (start.startsWith("window.YTD.")) return { format: "json", what: "a data file (JSON)" }; // an archive of Twitter's
  if (!/^[{[]/.test(start)) return null;
  // A poem may begin with a bracket, and a chat with a date in one: no key and no value of a list stands there.
  const isLikely = /^(?:\[\s*)*\{\s*"[^"\n]{0,200}"\s*:/.test(start);
  const text = whole();
  const lines = firstLines(text);
  if (lines.length > 1 && lines.every((line) => line.startsWith("{") && isJson(line))) return { format: "jsonl", what: "a data file (JSON)" };
  return isLikely || (/^[{[]\s*["{[\]}\d\-tfn]/.test(start) && isJson(text)) ? { format: "json", what: "a data file (JSON)" } : null;
}

/** The first two lines that are not empty. */
function firstLines(text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length && lines.length < 2; ) {
    const end = text.indexOf("\n", from);
    const line = text.slice(from, end < 0 ? text.length : end).trim();
    if (line !== "") lines.push(line);
    from = end < 0 ? text.length : end + 1;
  }
  return lines;
}

const isJson = (text: string): boolean => typeof parseJson(text) === "object";

/** The same number of separators in each of the first lines: at least two tabs or semicolons, or three commas. */
function isTable(head: string): boolean {
  const lines = head.split("\n").slice(0, -1).filter((line) => line.trim() !== "").slice(0, 20);
  if (lines.length < 5) return false;
  return ([["\t", 2], [";", 2], [",", 3]] as const).some(([separator, least]) => {
    const counts = lines.map((line) => line.replace(/"[^"]*"/g, "").split(separator).length - 1);
    return (counts[0] as number) >= least && counts.every((n) => n === counts[0]);
  });
}
