/**
 * A .zip as a person might have made it of years of writing: notes, pages,
 * documents, mail and tables in nested folders, made by seed until the archive
 * has the size asked for. Its words are those of a text, drawn as often as they
 * stand in it, so that nothing repeats anything and it shrinks as writing does.
 */
import { strToU8, Zip, ZipDeflate, zipSync } from "fflate";
import { Random } from "../../../lib/core/random";

export const KINDS = ["txt", "md", "html", "docx", "csv", "jsonl", "eml", "mbox"] as const;
type Kind = (typeof KINDS)[number];

export interface MixedArchive {
  bytes: Uint8Array;
  files: number;
  /** Pieces of writing that are in it, and their characters. */
  pieces: number;
  chars: number;
}

const FOLDERS = ["diary", "letters", "drafts/old", "web/posts", "work/reports/final", "mail/sent"];
/** So that the same archive comes at any time of the day. */
const WRITTEN = "2020-01-02T03:04:06";
const MONTHS = ["january", "march", "june", "october"];

export function mixedArchive(bytes: number, seed: string, text: string): MixedArchive {
  const random = new Random(`mixed ${seed}`);
  const words = text.split(/\s+/).filter((word) => /^[\w’'-]+[.,;:]?$/.test(word));
  const parts: Uint8Array[] = [];
  let size = 0, files = 0, pieces = 0, chars = 0;
  const zip = new Zip((error, part) => {
    if (error !== null) throw error;
    parts.push(part);
    size += part.length;
  });
  while (size < bytes) {
    const kind = KINDS[files % KINDS.length]!;
    const { content, texts } = makeFile(kind, random, words);
    const entry = new ZipDeflate(`${random.pick(FOLDERS)}/${1998 + random.int(28)}/${random.pick(MONTHS)}/${kind} ${files}.${kind}`, { level: 6 });
    entry.mtime = WRITTEN;
    zip.add(entry);
    entry.push(typeof content === "string" ? strToU8(content) : content, true);
    files++;
    pieces += texts.length;
    chars += texts.reduce((sum, one) => sum + one.length, 0);
  }
  zip.end();
  return { bytes: Buffer.concat(parts), files, pieces, chars };
}

/** @returns a file and the pieces of writing that are in it */
function makeFile(kind: Kind, random: Random, words: readonly string[]): { content: string | Uint8Array; texts: string[] } {
  const write = (paragraphs: number): string[] => Array.from({ length: paragraphs }, () => paragraph(random, words));
  const title = `${sentence(random, words, 3).slice(0, -1)} ${random.int(1000)}`;
  const several = Array.from({ length: 4 + random.int(12) }, () => write(1 + random.int(4)).join("\n\n"));
  const one = write(6 + random.int(40));
  switch (kind) {
    case "txt":
      return { content: `${one.join("\n\n")}\n`, texts: [one.join("\n\n")] };
    case "md":
      return { content: `# ${title}\n\n${one.join("\n\n")}\n`, texts: [one.join("\n\n")] };
    case "html":
      return { content: `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>p { margin: 1em }</style></head><body><h1>${title}</h1>\n${one.map((p) => `<p>${p}</p>`).join("\n")}</body></html>\n`, texts: [one.join("\n\n")] };
    case "docx":
      return { content: docx(one), texts: [one.join("\n\n")] };
    case "csv":
      return { content: `id,title,text\n${several.map((text, i) => `${i},${title} ${i},"${text}"`).join("\n")}\n`, texts: several };
    case "jsonl":
      return { content: several.map((text, i) => `${JSON.stringify({ id: i, title: `${title} ${i}`, text })}\n`).join(""), texts: several };
    case "eml":
      return { content: mail(title, one.join("\n\n")), texts: [one.join("\n\n")] };
    case "mbox":
      return { content: several.map((text, i) => `From ann@example.org Mon Mar  4 10:11:${10 + i} 2019\n${mail(`${title} ${i}`, text)}\n`).join(""), texts: several };
  }
}

function sentence(random: Random, words: readonly string[], length = 5 + random.int(18)): string {
  const text = Array.from({ length }, () => random.pick(words)).join(" ").replace(/[.,;:]?$/, ".");
  return text[0]!.toUpperCase() + text.slice(1);
}

const paragraph = (random: Random, words: readonly string[]): string => Array.from({ length: 2 + random.int(6) }, () => sentence(random, words)).join(" ");

const mail = (subject: string, text: string): string => `From: Ann Writer <ann@example.org>\nTo: bob@example.org\nSubject: ${subject}\nDate: Mon, 04 Mar 2019 10:11:12 +0100\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${text}\n`;

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';
const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const docx = (paragraphs: readonly string[]): Uint8Array => zipSync({
  "[Content_Types].xml": strToU8(`${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`),
  "_rels/.rels": strToU8(`${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`),
  "word/document.xml": strToU8(`${XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${paragraphs.map((p) => `<w:p><w:r><w:t xml:space="preserve">${escape(p)}</w:t></w:r></w:p>`).join("")}</w:body></w:document>`),
}, { level: 6, mtime: WRITTEN });
