import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { DuctusError } from "../../core/errors";
import { prose } from "../testing/prose";
import { openArchive } from "./archive";
import { FileBudget, LIMITS } from "./budget";
import { recognise } from "./recognise";
import type { FormatName } from "./types";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const utf16 = (text: string): Uint8Array => new Uint8Array(Uint16Array.from(`\ufeff${text}`, (c) => c.charCodeAt(0)).buffer);
const zip = (files: Record<string, string>): Uint8Array => zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)])), { level: 0 });
const MAIL = "From: Ann <ann@example.org>\nTo: bo@example.org\nSubject: The river\nDate: Tue, 5 Mar 2024 10:00:00 +0000\n\nIt stood high.";

function kindOf(bytes: Uint8Array, name: string): Promise<FormatName> {
  return recognise(bytes, name, () => Promise.resolve(openArchive(bytes, { name, budget: new FileBudget(name, bytes.length, LIMITS), signal: new AbortController().signal })));
}

async function refusal(bytes: Uint8Array, name: string): Promise<DuctusError> {
  const error = await kindOf(bytes, name).then((format) => new Error(`was taken for ${format}`), (reason: unknown) => reason);
  if (error instanceof DuctusError) return error;
  throw error;
}

describe("what a file says of itself comes before its name", () => {
  const docx = zip({ "[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>" });
  const epub = zip({ mimetype: "application/epub+zip", "META-INF/container.xml": "<container/>" });
  it.each<[string, Uint8Array, string, FormatName]>([
    ["a PDF called text", latin("%PDF-1.7\n%\xe2\xe3\n1 0 obj"), "a.txt", "pdf"],
    ["a PDF behind other bytes", latin("\0\x01junk\n%PDF-1.4\n1 0 obj"), "a", "pdf"],
    ["RTF called .doc", utf8("{\\rtf1\\ansi Hello}"), "a.doc", "rtf"],
    ["docx called .zip", docx, "a.zip", "docx"],
    ["docx with a thousand images behind it", zip({ "[Content_Types].xml": "", "word/document.xml": "", ...Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x/a-rather-long-name-of-an-image-${i}.png`, ""])) }), "a", "docx"],
    ["epub without a name", epub, "book", "epub"],
    ["epub whose type is missing", zip({ "META-INF/container.xml": "<container/>" }), "book.zip", "epub"],
    ["odt", zip({ mimetype: "application/vnd.oasis.opendocument.text", "content.xml": "<x/>" }), "a.odt", "odt"],
    ["a template of OpenDocument", zip({ mimetype: "application/vnd.oasis.opendocument.text-template", "content.xml": "<x/>" }), "a.ott", "odt"],
    ["a zip that holds a docx", zipSync({ "letter.docx": [docx, { level: 0 }] }), "a.docx", "zip"],
    ["a zip of what was a docx", zip({ "old/[Content_Types].xml": "", "old/word/document.xml": "" }), "a.zip", "zip"],
    ["a docx whose end is missing", docx.subarray(0, 120), "a.docx", "docx"],
    ["a page called .txt", utf8("<!-- saved -->\n<!DOCTYPE html>\n<html><body>Hello</body></html>"), "a.txt", "html"],
    ["a page in UTF-16", utf16("<html><body>Hello</body></html>"), "a", "html"],
    ["XHTML", utf8('<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><p>Hello</p></html>'), "a.xml", "html"],
    ["a part of a page", utf8("<div class=x><p>Hello there</p></div>"), "a.txt", "html"],
    ["JSON called .txt", utf8('{"text": "cut off in the mid'), "a.txt", "json"],
    ["JSON lines called .json", utf8('{"text": "a"}\n{"text": "b"}\n'), "a.json", "jsonl"],
    ["JSON in UTF-16", utf16('[{"text": "hello"}]'), "a", "json"],
    ["an archive of posts", utf8('window.YTD.tweets.part0 = [ {"tweet": {}} ]'), "tweets.js", "json"],
    ["a table called .txt", utf8("id;date;text\n".repeat(8)), "a.txt", "csv"],
    ["a letter called .txt", utf8(MAIL), "a.txt", "email"],
    ["many letters", utf8(`From ann@example.org Tue Mar  5 10:00:00 2024\n${MAIL}\n`), "inbox", "mbox"],
    ["a saved page of a browser", utf8("From: <Saved by Blink>\nSubject: A page\nMIME-Version: 1.0\nContent-Type: multipart/related;\n\tboundary=x\n\n--x"), "a.mht", "email"],
  ])("%s", async (_, bytes, name, format) => {
    expect(await kindOf(bytes, name)).toBe(format);
  });
});

describe("a name says what a text does not say itself", () => {
  it.each<[string, string, FormatName]>([
    ["# A walk\n\nIt rained.", "a.md", "markdown"],
    ["# A walk\n\nIt rained.", "a.txt", "text"],
    ["| a | b |\n|---|---|\n", "a.MARKDOWN", "markdown"],
    ["<p align=center><img src=a.png></p>\n\n# A walk", "README.md", "markdown"],
    ["a;b;c\n".repeat(9), "table.md", "markdown"],
    ["text\nIt rained all day.", "a.csv", "csv"],
    ["It <i>rained</i>.", "a.html", "html"],
    ["It rained.", "a.html", "text"],
    ["It rained.", "a.eml", "text"],
    ["It rained.", "a.docx", "text"],
    ["nonsense", "a.json", "json"],
    ['"one line"\n', "a.jsonl", "jsonl"],
    ["It rained.", "noname", "text"],
    ["It rained.", "__proto__", "text"],
    ["It rained.", "a.__proto__", "text"],
    ["[Enter a ghost]\nMark me.", "a.txt", "text"],
    ["[12/03/2024, 21:04] Ann: hello", "a.txt", "text"],
    ["{curly} words begin this", "a.txt", "text"],
    ["PK said nothing", "a.txt", "text"],
    ["BM is a station", "a.txt", "text"],
    ["%PDF-1.7 is how they begin, he said.\nAnd more.", "a.txt", "pdf"],
    ["Files begin so:\n%PDF-1.7\nAnd more.", "a.txt", "text"],
    ["From Paris he wrote: come.\n\nSubject: none", "a.txt", "text"],
    ["From: here\n\nIt is far.", "a.txt", "text"],
    ["MZ. 1812.", "a.txt", "text"],
  ])("%j in %s", async (text, name, format) => {
    expect(await kindOf(utf8(text), name)).toBe(format);
  });
});

describe("what no reader reads is refused by name", () => {
  const ole = (stream: string): Uint8Array => Uint8Array.from([0xd0, 0xcf, 0x11, 0xe0, ...new Uint8Array(508), ...utf16(stream).subarray(2)]);
  it.each<[Uint8Array, string, RegExp, string?]>([
    [latin("\x89PNG\r\n\x1a\n"), "a.txt", /a PNG image/],
    [latin("BM\x0a\0\0\0\0\0\0\0"), "a.bmp", /a BMP image/],
    [latin("\0\0\0\x18ftypM4A "), "a", /a sound file/],
    [latin("\x1f\x8b\x08"), "a.txt.gz", /gzip/],
    [latin("7z\xbc\xaf\x27\x1c"), "a.7z", /7z/],
    [latin("Rar!\x1a\x07"), "a.rar", /RAR/],
    [latin("SQLite format 3\0"), "notes.db", /a database/],
    [latin(`${"\0".repeat(257)}ustar\0`), "a.tar", /archive \(tar\)/],
    [latin(`${"a\0".repeat(30)}BOOKMOBI`), "a.azw", /Kindle/],
    [ole("WordDocument"), "a.doc", /an old Word document \(\.doc\)/],
    [ole("Workbook"), "a.xls", /an old spreadsheet/],
    [ole("EncryptedPackage"), "a.docx", /protected by a password/, "file/encrypted"],
    [zip({ "[Content_Types].xml": "", "xl/workbook.xml": "" }), "a.xlsx", /a spreadsheet \(\.xlsx\)/],
    [zip({ "[Content_Types].xml": "", "ppt/presentation.xml": "" }), "a.pptx", /slides \(\.pptx\)/],
    [zip({ mimetype: "application/vnd.oasis.opendocument.spreadsheet" }), "a.ods", /a spreadsheet \(\.ods\)/],
    [zip({ "Index/Document.iwa": "" }), "a.pages", /Apple's Pages/],
    [utf8("\\documentclass{article}\n\\begin{document}"), "a.txt", /LaTeX/],
    [utf8("\\section{A walk}"), "a.tex", /LaTeX/],
    [utf8('<?xml version="1.0"?><opml/>'), "a.txt", /an XML file/],
    [utf8("<svg xmlns='x'/>"), "a", /a drawing/],
    [utf8("1\n00:00:01,000 --> 00:00:02,000\nHello"), "a.txt", /subtitles/],
    [utf8("WEBVTT\n\n"), "a", /subtitles/],
    [utf8("BEGIN:VCALENDAR\n"), "a", /a calendar/],
    [utf8("def walk(): pass"), "a.py", /program code/],
    [latin("\x00\x9c\x12random"), "a.docx", /damaged: it does not begin as a Word document/, "file/damaged"],
  ])("%#", async (bytes, name, words, code = "file/not-text") => {
    const error = await refusal(bytes, name);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`“${name}”`);
    expect(error.next).not.toBe("");
  });

  it("says what is read instead, and only what is", async () => {
    expect((await refusal(latin("\x89PNG\r\n"), "a")).message).toBe("“a” looks like a PNG image. This version reads text, Markdown, web pages, Word (.docx), OpenDocument (.odt), RTF, PDF, EPUB, e-mail, CSV, JSON, and .zip files of these.");
  });
});

it("takes prose for prose", async () => {
  for (let seed = 0; seed < 50; seed++) expect(await kindOf(utf8(prose(seed, 4)), "a")).toBe("text");
});
