/**
 * What stands at the top and bottom of a PDF's pages and is not the writing:
 * running heads and feet (the same words, but for numbers, at the same height on
 * several pages), page numbers, and notes in small print under the text.
 */
import type { PdfLine } from "./pdf-lines";

/** On as many pages a line at one height is a running head: of two that alternate, each is on half of them. */
const MIN_PAGES = 3;
const MIN_PAGES_OF_FEW = 2;
const FEW_PAGES = 8;
/** In points. */
const SAME_HEIGHT = 4;
/** Lines from a page's top and bottom that may be a head or foot. */
const MAX_DEEP = 3;
const PAGE_NUMBER = /^[-–—|\s[(]*(?:page\s+|p\.\s*|seite\s+)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|\/|von)\s*\d{1,4})?[-–—|\s\])]*$/i;

/** @param pages lines of each page in any order @returns the lines that stay, in the order they had */
export function withoutHeads(pages: readonly (readonly PdfLine[])[]): PdfLine[][] {
  const gone = new Set<PdfLine>();
  for (const ofTop of [true, false]) {
    let edges = pages.map((lines) => inOrder(lines, ofTop));
    for (let depth = 0; depth < MAX_DEEP; depth++) {
      const found = repeated(edges.map((lines) => lines[0]), edges.map((lines) => lines[1]));
      if (found.size === 0) break;
      for (const line of found) gone.add(line);
      edges = edges.map((lines) => (lines[0] !== undefined && found.has(lines[0]) ? lines.slice(1) : lines));
    }
  }
  return pages.map((lines) => lines.filter((line) => !gone.has(line)));
}

function inOrder(lines: readonly PdfLine[], fromTop: boolean): PdfLine[] {
  return [...lines].sort((a, b) => (fromTop ? a.y - b.y : b.y - a.y));
}

/** The outermost lines of the pages that repeat, or count the pages. */
function repeated(lines: readonly (PdfLine | undefined)[], inner: readonly (PdfLine | undefined)[]): Set<PdfLine> {
  const found = new Set<PdfLine>();
  const byKey = new Map<string, PdfLine[]>();
  lines.forEach((line, i) => {
    if (line === undefined) return;
    const isNumber = PAGE_NUMBER.test(line.text);
    if (!isNumber && !standsApart(line, inner[i])) return;
    const key = isNumber ? "#" : line.text.toLowerCase().replace(/\d+/g, "#").replace(/\b[ivxlc]+\b/g, "#");
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [line]);
    else same.push(line);
  });
  const pages = lines.filter((line) => line !== undefined).length;
  const enough = pages < FEW_PAGES ? MIN_PAGES_OF_FEW : MIN_PAGES;
  const byOffset = new Map<number, PdfLine[]>();
  for (const line of lines) {
    // a chapter's name with the page's number, on the chapter's pages only
    const [, first, last] = /^(\d{1,4})?\b.*?(\d{1,4})?$/.exec(line?.text ?? "") ?? [];
    for (const number of new Set([first, last])) {
      if (line === undefined || number === undefined) continue;
      byOffset.set(Number(number) - line.page, [...(byOffset.get(Number(number) - line.page) ?? []), line]);
    }
  }
  for (const counted of byOffset.values()) {
    for (const line of counted) if (counted.filter((other) => Math.abs(other.y - line.y) <= SAME_HEIGHT).length >= Math.max(enough, 0.25 * pages)) found.add(line);
  }
  for (const same of byKey.values()) {
    for (const line of same) {
      const level = same.filter((other) => Math.abs(other.y - line.y) <= SAME_HEIGHT).length;
      if (level >= enough) found.add(line);
    }
  }
  if (pages === 1) {
    // the only page may be numbered at its foot
    const [line] = lines, [next] = inner;
    if (line !== undefined && next !== undefined && line.y > next.y && PAGE_NUMBER.test(line.text) && standsApart(line, next)) found.add(line);
  }
  return found;
}

/** Further from the text than its lines are from one another, in another size, or with a number. */
function standsApart(line: PdfLine, inner: PdfLine | undefined): boolean {
  return inner === undefined || Math.abs(line.y - inner.y) > 1.6 * Math.max(line.size, inner.size) || Math.abs(line.size - inner.size) > 0.5 || /\d/.test(line.text);
}

/** Takes off the small print at the foot of a page, where it begins with a note's mark. */
export function withoutNotes(lines: readonly PdfLine[], bodySize: number): PdfLine[] {
  const down = inOrder(lines, true);
  let first = down.length;
  while (first > 0 && (down[first - 1] as PdfLine).size <= 0.9 * bodySize) first--;
  while (first < down.length && !/^(?:\d{1,3}|[*†‡§])\.?\s*\p{L}/u.test((down[first] as PdfLine).text)) first++;
  const notes = new Set(down.slice(first));
  return notes.size === 0 || notes.size === lines.length ? [...lines] : lines.filter((line) => !notes.has(line));
}

