/**
 * Writes small PDFs for tests: text at given places in the standard fonts that
 * every reader knows, packed or not (ISO 32000-1, 7.5). Courier's letters are all
 * 0.6 of their size wide, so that lines can be set by counting.
 */
import { strToU8, zlibSync } from "fflate";

export interface PdfText {
  /** In points, from the page's lower left corner. */
  x: number;
  y: number;
  text: string;
  size?: number;
}

export interface PdfOptions {
  packed?: boolean;
  font?: "Courier" | "Times-Roman" | "Helvetica";
  /** Of each content stream's dictionary, in place of what its bytes are. */
  filter?: string;
  trailer?: string;
  /** Turns the pages, in degrees. */
  rotate?: number;
}

export const COURIER = 0.6;
/** A5, in points. */
export const PAGE = { width: 420, height: 595 };
const WINDOWS_1252 = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

/** One byte a letter; those of windows-1252 beyond Latin-1 too. */
export function toWindows1252(text: string): Uint8Array {
  return Uint8Array.from([...text], (c) => (WINDOWS_1252.includes(c) ? 0x80 + WINDOWS_1252.indexOf(c) : c.charCodeAt(0)));
}

export function pdfFile(pages: readonly (readonly PdfText[])[], options: PdfOptions = {}): Uint8Array {
  const contents = pages.map((texts) => texts.map(({ x, y, text, size = 10 }) => `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${text.replace(/[\\()]/g, "\\$&")}) Tj ET\n`).join(""));
  return pdfOf(contents.map((content) => toWindows1252(content)), options);
}

/** @param contents the content stream of each page, unpacked */
export function pdfOf(contents: readonly Uint8Array[], { packed = true, font = "Courier", filter, trailer = "", rotate = 0 }: PdfOptions = {}): Uint8Array {
  const objects: Uint8Array[] = [];
  const add = (dictionary: string, stream?: Uint8Array) => {
    const body = stream === undefined ? [strToU8(dictionary)] : [strToU8(`${dictionary}\nstream\n`), stream, strToU8("\nendstream")];
    objects.push(joined([strToU8(`${objects.length + 1} 0 obj\n`), ...body, strToU8("\nendobj\n")]));
    return objects.length;
  };
  const first = 4;
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add(`<< /Type /Pages /Count ${contents.length} /Kids [${contents.map((_, i) => `${first + 2 * i} 0 R`).join(" ")}] >>`);
  add(`<< /Type /Font /Subtype /Type1 /BaseFont /${font} /Encoding /WinAnsiEncoding >>`);
  for (const content of contents) {
    add(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${PAGE.width} ${PAGE.height}] /Rotate ${rotate} /Resources << /Font << /F1 3 0 R >> >> /Contents ${objects.length + 2} 0 R >>`);
    const data = packed ? zlibSync(content) : content;
    add(`<< /Length ${data.length} ${filter ?? (packed ? "/Filter /FlateDecode" : "")} >>`, data);
  }
  const head = strToU8("%PDF-1.4\n");
  let at = head.length;
  const offsets = objects.map((object) => (at += object.length) - object.length);
  const xref = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")}`;
  return joined([head, ...objects, strToU8(`${xref}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`)]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Lines of Courier from the top down, a blank line between paragraphs. @returns pages */
export function setInCourier(paragraphs: readonly (readonly string[])[], { size = 9, top = 540, bottom = 60, left = 60 } = {}): PdfText[][] {
  const pages: PdfText[][] = [[]];
  let y = top;
  for (const lines of paragraphs) {
    for (const text of lines) {
      if (y < bottom) {
        pages.push([]);
        y = top;
      }
      (pages.at(-1) as PdfText[]).push({ x: left, y, text, size });
      y -= 1.2 * size;
    }
    y -= 1.2 * size;
  }
  return pages;
}
