/**
 * A valid file of every format that is imported, with the writing that must come
 * out of it. The files are as small as programs write them, and have around the
 * writing what such files have: styles, heads, notes, other parts.
 */
import { strToU8, zipSync } from "fflate";
import { Random } from "../../core/random";
import type { FormatName } from "../import/types";
import { joined, pdfFile, setInCourier, toWindows1252 } from "./pdf-file";
import { paragraph, wrap } from "./prose";

export interface Sample {
  path: string;
  bytes: Uint8Array;
  /** The paragraphs that must come out. */
  paragraphs: string[];
  /** Of an archive: its entries, so that they can be damaged and packed again. */
  entries?: Record<string, Uint8Array>;
}

/** Letters of one to three bytes, so that a wrong encoding shows. */
const PHRASES = ["“naïve”, she said — and a café", "façade, déjà vu, the señor’s hat", "à la carte; “no”, he said", "the coöperative’s élan – over"];

/** A title and paragraphs of some forty words. */
export function writing(seed: string, count = 4): { title: string; paragraphs: string[] } {
  const random = new Random(seed);
  const title = `The ${random.pick(["river", "lantern", "window", "orchard", "kettle"])} of ${random.pick(["winter", "copper", "morning", "shadow"])}`;
  return { title, paragraphs: Array.from({ length: count }, () => `${paragraph(random, 4)} ${random.pick(PHRASES)}.`) };
}

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const inParagraphs = (paragraphs: readonly string[]) => paragraphs.map((p) => `<p>${escape(p)}</p>`).join("\n");
const page = (title: string, paragraphs: readonly string[]) => `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>p { margin: 1em; color: #333 }</style></head>\n<body><nav><a href="/home">Home</a></nav><h1>${title}</h1>\n${inParagraphs(paragraphs)}<script>var counted = 1 < 2;</script></body></html>\n`;
const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';

function docx(title: string, paragraphs: readonly string[]): Record<string, Uint8Array> {
  const w = (text: string, style = "") => `<w:p>${style && `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:rPr><w:sz w:val="24"/></w:rPr><w:t xml:space="preserve">${escape(text)}</w:t></w:r></w:p>`;
  return files({
    "[Content_Types].xml": `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
    "_rels/.rels": `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
    "word/document.xml": `${XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${w(title, "Heading1")}${paragraphs.map((p) => w(p)).join("")}<w:sectPr/></w:body></w:document>`,
    "word/styles.xml": `${XML}<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>`,
  });
}

function odt(title: string, paragraphs: readonly string[]): Record<string, Uint8Array> {
  const names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"';
  return files({
    mimetype: "application/vnd.oasis.opendocument.text",
    "content.xml": `${XML}<office:document-content ${names} office:version="1.3"><office:body><office:text><text:h text:outline-level="1">${title}</text:h>${paragraphs.map((p) => `<text:p text:style-name="P1">${escape(p)}</text:p>`).join("")}</office:text></office:body></office:document-content>`,
    "META-INF/manifest.xml": `${XML}<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/></manifest:manifest>`,
  });
}

function epub(title: string, paragraphs: readonly string[]): Record<string, Uint8Array> {
  const chapter = (n: number, own: readonly string[]) => `${XML}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>${title}</title></head><body><h2>Chapter ${n}</h2>${inParagraphs(own)}</body></html>`;
  const half = Math.ceil(paragraphs.length / 2);
  return files({
    mimetype: "application/epub+zip",
    "META-INF/container.xml": `${XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`,
    "OEBPS/book.opf": `${XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">x</dc:identifier><dc:title>${title}</dc:title><dc:language>en</dc:language></metadata><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>`,
    "OEBPS/a.xhtml": chapter(1, paragraphs.slice(0, half)),
    "OEBPS/b.xhtml": chapter(2, paragraphs.slice(half)),
  });
}

function rtf(title: string, paragraphs: readonly string[]): Uint8Array {
  const bytes = (text: string) => [...toWindows1252(text)].map((byte) => (byte >= 0x80 ? `\\'${byte.toString(16)}` : String.fromCharCode(byte))).join("");
  return strToU8(`{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\froman\\fcharset0 Times New Roman;}}{\\colortbl;\\red0\\green0\\blue0;}{\\stylesheet{\\s0 Normal;}}{\\info{\\title ${title}}}{\\header\\pard The head\\par}\n\\pard\\f0\\fs24 ${paragraphs.map(bytes).join("\\par\n")}\\par}`);
}

const quotedPrintable = (text: string) => [...strToU8(text)].map((byte) => (byte === 0x0a ? "\n" : byte >= 0x80 || byte === 0x3d ? `=${byte.toString(16).toUpperCase().padStart(2, "0")}` : String.fromCharCode(byte))).join("").replace(/([^\n]{60,72}) (?=[^\n])/g, "$1 =\n");
const base64 = (text: string) => btoa(String.fromCharCode(...strToU8(text))).replace(/.{76}/g, "$&\n");

/** @param kind which of the ways of writing mail */
function mail(title: string, paragraphs: readonly string[], kind: number): string {
  const text = paragraphs.join("\n\n");
  const head = `From: Ann Writer <ann@example.org>\nTo: bob@example.org\nSubject: ${title}\nDate: Mon, 04 Mar 2019 10:11:12 +0100\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n`;
  if (kind === 0) return `${head}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n${quotedPrintable(text)}\n`;
  if (kind === 1) return `${head}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n${base64(text)}\n`;
  return `${head}Content-Type: multipart/alternative; boundary="part=of=it"\n\n--part=of=it\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${text}\n\n--part=of=it\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n${quotedPrintable(`<div>${inParagraphs(paragraphs)}</div>`)}\n--part=of=it--\n`;
}

const files = (texts: Record<string, string>) => Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, strToU8(text)]));
const archive = (path: string, entries: Record<string, Uint8Array>, paragraphs: string[]): Sample => ({ path, bytes: zipSync(entries, { level: 6, mtime: "2020-01-02" }), entries, paragraphs });
const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;

export function makeSample(format: FormatName, seed: string): Sample {
  const { title, paragraphs } = writing(`${format} ${seed}`);
  const kind = new Random(`kind ${format} ${seed}`).int(3);
  const file = (path: string, text: string | Uint8Array): Sample => ({ path, bytes: typeof text === "string" ? strToU8(text) : text, paragraphs });
  switch (format) {
    case "text":
      return file("notes.txt", `${title}\n\n${kind === 0 ? wrap(paragraphs.join("\n\n"), 72) : paragraphs.join("\n\n")}\n`);
    case "markdown":
      return file("notes.md", `---\ntitle: ${title}\n---\n\n# ${title}\n\n${paragraphs.map((p, i) => (i === 1 ? `> ${p}` : p)).join("\n\n")}\n\n[link]: https://example.org\n`);
    case "html":
      return file("page.html", page(title, paragraphs));
    case "docx":
      return archive("letter.docx", docx(title, paragraphs), paragraphs);
    case "odt":
      return archive("letter.odt", odt(title, paragraphs), paragraphs);
    case "epub":
      return archive("book.epub", epub(title, paragraphs), paragraphs);
    case "rtf":
      return file("letter.rtf", rtf(title, paragraphs));
    case "pdf":
      return file("letter.pdf", pdfFile(setInCourier(paragraphs.map((p) => wrap(p, 55).split("\n"))).map((texts, i) => [...texts, { x: 205, y: 30, text: String(i + 1), size: 9 }]), { packed: kind > 0 }));
    case "email":
      return file("letter.eml", mail(title, paragraphs, kind));
    case "mbox":
      return file("sent.mbox", paragraphs.map((p, i) => `From ann@example.org Mon Mar  4 10:11:1${i} 2019\n${mail(`${title} ${i}`, [p], (kind + i) % 3)}\n`).join(""));
    case "csv":
      return file("posts.csv", `id,title,text\n${paragraphs.map((p, i) => `${i},${cell(`${title} ${i}`)},${cell(p)}`).join("\n")}\n`);
    case "json":
      return file("posts.json", JSON.stringify({ version: 2, posts: paragraphs.map((text, i) => ({ id: i, title: `${title} ${i}`, text })) }, null, kind));
    case "jsonl":
      return file("posts.jsonl", paragraphs.map((text, i) => `${JSON.stringify({ id: i, title: `${title} ${i}`, text })}\n`).join(""));
    case "zip": {
      const inner = writing(`zip ${seed} inner`);
      const entries = { "notes/a.txt": strToU8(paragraphs.join("\n\n")), "notes/b.html": strToU8(page(inner.title, inner.paragraphs)), "__MACOSX/._a.txt": Uint8Array.of(0, 5, 22, 7) };
      return archive("all.zip", entries, [...paragraphs, ...inner.paragraphs]);
    }
  }
}

/** Something else behind a file, as a careless copy leaves it. */
export const withTail = (bytes: Uint8Array, tail: Uint8Array): Uint8Array => joined([bytes, tail]);
