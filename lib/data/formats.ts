/**
 * Recognises what a dropped file is when it is not plain prose: other document
 * formats by their first bytes (magic numbers), marked-up text and tables by
 * their beginning. It names them in words; it does not read them. Chat exports
 * have their own file, chat-lines.ts.
 */
import { DuctusError } from "../core/errors";

const PLAIN = "This version reads plain text files.";
const SAVE_TXT = "Open it in the program that made it, save it as plain text (.txt), and drop that in.";

const MAGIC: readonly [what: string, test: string][] = [
  ["a PDF document", "%PDF-"],
  ["a rich text document (RTF)", "{\\rtf"],
  ["an old Word or Office document", "\xd0\xcf\x11\xe0"],
  ["a PNG image", "\x89PNG"],
  ["a JPEG image", "\xff\xd8\xff"],
  ["a GIF image", "GIF87a"],
  ["a GIF image", "GIF89a"],
  ["a TIFF image", "II*\0"],
  ["a TIFF image", "MM\0*"],
  ["a sound file", "ID3"],
  ["a sound file", "OggS"],
  ["a sound file", "fLaC"],
  ["a compressed file (gzip)", "\x1f\x8b"],
  ["a compressed archive (7z)", "7z\xbc\xaf"],
  ["a compressed archive (RAR)", "Rar!\x1a"],
  ["a compressed archive (xz)", "\xfd7zXZ"],
  ["a compressed archive (bzip2)", "BZh91AY"],
  ["a database", "SQLite format 3\0"],
  ["a program", "\x7fELF"],
  ["a font", "wOFF"],
  ["a font", "wOF2"],
];

/** @throws DuctusError `file/not-text` naming the format, when the first bytes are those of a known format. */
export function refuseKnownFormats(bytes: Uint8Array, fileName: string): void {
  const head = latin(bytes.subarray(0, 4096));
  const start = head.replace(/^(?:\xef\xbb\xbf)?\s*/, "");
  let what = MAGIC.find(([, magic]) => start.startsWith(magic))?.[0];
  if (head.startsWith("RIFF")) {
    if (head.startsWith("WEBP", 8)) what = "a WebP image";
    if (head.startsWith("WAVE", 8)) what = "a sound file";
    if (head.startsWith("AVI ", 8)) what = "a film";
  }
  if (head.startsWith("\0\0") && head.startsWith("ftyp", 4)) what = "a film or a HEIC image";
  if (what === undefined && (head.startsWith("PK\x03\x04") || head.startsWith("PK\x05\x06"))) what = zipKind(head, latin(bytes.subarray(-8192)));
  if (what !== undefined) throw new DuctusError("file/not-text", `“${fileName}” looks like ${what}. ${PLAIN}`, SAVE_TXT);
}

function latin(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The kind of a zip by the member names in its first bytes and in its directory at the end. */
function zipKind(head: string, tail: string): string {
  const names = head + tail;
  if (names.includes("word/document.xml") || names.includes("word/_rels")) return "a Word document (.docx)";
  if (names.includes("application/epub+zip")) return "an e-book (EPUB)";
  if (names.includes("opendocument.text")) return "an OpenDocument text (.odt)";
  if (names.includes("xl/workbook")) return "a spreadsheet (.xlsx)";
  if (names.includes("[Content_Types].xml")) return "an Office document";
  return "a zip archive";
}

/** @throws DuctusError `file/not-text` when decoded text is a web page, data, a table, a mailbox or subtitles, not prose. */
export function refuseMarkup(text: string, fileName: string): void {
  const what = markupKind(text);
  if (what !== null) throw new DuctusError("file/not-text", `“${fileName}” looks like ${what}, not like writing on its own. ${PLAIN}`, "Copy the writing itself into a plain text file (.txt) and drop that in.");
}

function markupKind(text: string): string | null {
  const head = text.slice(0, 4096).trimStart();
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(withoutComments(head))) return "a web page (HTML)";
  if (/^<\?xml\b/i.test(head)) return "an XML file";
  if (/^\\documentclass\b/m.test(head)) return "a LaTeX document";
  if (/^[{[]/.test(head) && isJson(text)) return "a data file (JSON)";
  if (/^(?:From \S+|Received:|Return-Path:|Delivered-To:|MIME-Version:)/.test(head) && /^(?:Message-ID|MIME-Version|Received):/im.test(head)) return "saved e-mail";
  if (/^\d+\s*\n\d\d:\d\d:\d\d[,.]\d+ --> /.test(head) || head.startsWith("WEBVTT")) return "subtitles";
  return isTable(head) ? "a table (CSV)" : null;
}

/** Without the comments it begins with. One at a time: a pattern for all of them could divide them in too many ways. */
function withoutComments(head: string): string {
  let rest = head;
  while (rest.startsWith("<!--")) {
    const end = rest.indexOf("-->", 4);
    if (end < 0) break;
    rest = rest.slice(end + 3).trimStart();
  }
  return rest;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // a file of one JSON object a line
    const lines = text.split("\n", 3).map((line) => line.trim());
    try {
      return lines.length > 1 && lines.slice(0, 2).every((line) => typeof JSON.parse(line) === "object");
    } catch {
      return false;
    }
  }
}

/** The same number of separators in each of the first lines: at least two tabs or semicolons, or three commas. */
function isTable(head: string): boolean {
  const lines = head.split("\n").slice(0, -1).filter((line) => line.trim() !== "").slice(0, 20);
  if (lines.length < 5) return false;
  return ([["\t", 2], [";", 2], [",", 3]] as const).some(([separator, least]) => {
    const counts = lines.map((line) => line.replace(/"[^"]*"/g, "").split(separator).length - 1);
    return (counts[0] as number) >= least && counts.every((n) => n === counts[0]);
  });
}
