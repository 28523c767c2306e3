/**
 * From the lines of a PDF to paragraphs. A PDF says where letters stand and no
 * more: that a line ends a paragraph is seen by the gap below it, by the indent
 * of the next, or by its ending where the next word would still have fitted.
 * Where most lines of a block end so, they are verse (or an address, a list) and
 * keep their line ends. Words divided at line ends are put together again.
 */
import { commonSize, median, type PdfLine } from "./pdf-lines";

/** A gap between paragraphs, in distances between lines. */
const GAP = 1.3;
/** Of a first line, in sizes. */
const INDENT = 0.7;
const MOSTLY_SHORT = 0.6;

/** A line with where its column begins and ends. */
interface Placed extends PdfLine {
  left: number;
  right: number;
}

const ends = (text: string): boolean => /[.!?…:][)\]"'”’»]*$/.test(text);
const beginsSmall = (text: string): boolean => /^[("'“‘«]?\p{Ll}/u.test(text);
const beginsLarge = (text: string): boolean => /^[("'“‘«—–-]*\p{Lu}/u.test(text);

/** @param pages in order, the lines of each in reading order, without heads @returns text in which blank lines part paragraphs */
export function paragraphsOf(pages: readonly (readonly PdfLine[])[]): string {
  const lines = place(pages);
  const leading = leadingOf(lines);
  const blocks: Placed[][] = [];
  lines.forEach((line, i) => {
    const last = lines[i - 1];
    if (last !== undefined && !parts(last, line, leading)) (blocks.at(-1) as Placed[]).push(line);
    else blocks.push([line]);
  });
  const document = { join: joiner(lines), indent: indentOf(lines) };
  let text = "", last: { block: Placed[]; inLines: boolean } | null = null;
  for (const block of blocks) {
    const own = textOf(block, document);
    // a stanza may go over to the next page
    const goesOn = last !== null && last.inLines && own.inLines && !sameColumn(last.block.at(-1) as Placed, block[0] as Placed) && !ends((last.block.at(-1) as Placed).text);
    text += last === null ? own.text : (goesOn ? "\n" : "\n\n") + own.text;
    last = { block, inLines: own.inLines };
  }
  return text;
}

/** Columns begin at the left edge that several lines share, and are as wide as nearly all of their lines, over the whole document. */
function place(pages: readonly (readonly PdfLine[])[]): Placed[] {
  const body = commonSize(pages.flat());
  const placed = pages.map((lines) => lines.map((line): Placed => ({ ...line, left: line.x0, right: line.x1 })));
  for (const kind of [[0], [1, 2]]) {
    const widths: number[] = [];
    for (const lines of placed) {
      for (const column of kind) {
        const own = lines.filter((line) => line.column === column);
        const left = leftEdge(own);
        for (const line of own) line.left = Math.min(left, line.x0);
        for (const line of own) if (Math.abs(line.size - body) <= 1) widths.push(line.x1 - line.left);
      }
    }
    widths.sort((a, b) => a - b);
    const width = widths[Math.floor(0.95 * (widths.length - 1))] ?? 0;
    for (const lines of placed) for (const line of lines) if (kind.includes(line.column)) line.right = line.left + width;
  }
  return placed.flat();
}

function leftEdge(lines: readonly PdfLine[]): number {
  const counts = new Map<number, number>();
  for (const { x0 } of lines) counts.set(Math.round(x0), (counts.get(Math.round(x0)) ?? 0) + 1);
  const least = Math.max(2, 0.15 * lines.length);
  const edges = [...counts].filter(([, count]) => count >= least).map(([x]) => x);
  return Math.min(...(edges.length > 0 ? edges : lines.map(({ x0 }) => x0)));
}

/** The commonest distance between lines, in sizes. */
function leadingOf(lines: readonly Placed[]): number {
  const steps: number[] = [];
  lines.forEach((line, i) => {
    const last = lines[i - 1];
    if (last !== undefined && sameColumn(last, line) && line.y > last.y && Math.abs(line.size - last.size) <= 0.5) steps.push((line.y - last.y) / line.size);
  });
  return steps.length === 0 ? 1.2 : Math.min(median(steps), smallest(steps) * GAP);
}

/** Where texts have more paragraphs of one line than others, the lines' own distance is the smaller one. */
function smallest(steps: readonly number[]): number {
  return [...steps].sort((a, b) => a - b)[Math.floor(0.1 * steps.length)] as number;
}

const sameColumn = (a: PdfLine, b: PdfLine): boolean => a.page === b.page && a.column === b.column;
const isIndented = (line: Placed): boolean => line.x0 - line.left > INDENT * line.size;

/** How far the first lines of paragraphs commonly stand in, in points; null where they do not. */
function indentOf(lines: readonly Placed[]): number | null {
  const indents = lines.filter((line, i) => isIndented(line) && [lines[i - 1], lines[i + 1]].every((other) => other !== undefined && !isIndented(other))).map((line) => line.x0 - line.left);
  return indents.length < 2 ? null : median(indents);
}

/** Whether the first word of the next line would still have fitted. */
function endsShort(line: Placed, next: Placed): boolean {
  const word = (/^\S+/.exec(next.text) as RegExpExecArray)[0].length;
  const space = 0.25 * line.size;
  return line.x1 + space + (word / next.text.length) * (next.x1 - next.x0) < line.right - 0.02 * (line.right - line.left);
}

/** Whether a line begins a new block after another. */
function parts(last: Placed, line: Placed, leading: number): boolean {
  if (Math.abs(last.size - line.size) > 0.12 * Math.max(last.size, line.size)) return true;
  if (sameColumn(last, line)) return line.y - last.y > GAP * leading * line.size || line.y < last.y;
  // over the end of a column or page
  return !(beginsSmall(line.text) || (!endsShort(last, line) && !isIndented(line)));
}

interface Typesetting {
  /** How two lines of a paragraph are joined. */
  join: (before: string, line: string) => string;
  indent: number | null;
}

function textOf(block: readonly Placed[], { join, indent }: Typesetting): { text: string; inLines: boolean } {
  const interior = block.slice(0, -1);
  const short = interior.filter((line, i) => endsShort(line, block[i + 1] as Placed));
  const mostlyShort = short.length >= MOSTLY_SHORT * interior.length && interior.length > 0;
  // paragraphs of one line each, as in dialogue, end sentences; verse does so now and then
  const areSentences = short.filter((line) => ends(line.text)).length >= 0.8 * short.length && short.length > 2;
  const inLines = (mostlyShort && !areSentences) || isRowOfCapitals(block, short.length / interior.length);
  let text = (block[0] as Placed).text;
  let isFirst = true; // whether the line before is a paragraph's first
  block.slice(1).forEach((line, i) => {
    const last = block[i] as Placed;
    const isShort = endsShort(last, line);
    const begins = beginsParagraph(line, last, isFirst, indent) || (isShort && ends(last.text));
    isFirst = begins;
    if (inLines) text += `\n${line.text}`;
    else if (begins) text += `\n\n${line.text}`;
    else if (isShort && beginsLarge(line.text) && last.x1 - last.left < 0.75 * (last.right - last.left)) text += `\n${line.text}`;
    else text = join(text, line.text);
  });
  return { text, inLines };
}

/** Blank verse nearly fills its lines; each begins with a capital, as prose that is wrapped does not. */
function isRowOfCapitals(block: readonly PdfLine[], shortShare: number): boolean {
  const capitals = block.filter((line) => beginsLarge(line.text)).length;
  return (block.length >= 3 && shortShare >= 0.3 && capitals >= 0.9 * block.length) || (block.length >= 8 && capitals >= 0.95 * block.length);
}

/** Whether a line stands in as first lines do, or comes back from a passage that all stood in. */
function beginsParagraph(line: Placed, last: Placed, lastIsFirst: boolean, indent: number | null): boolean {
  const step = line.x0 - line.left - (last.x0 - last.left);
  if (isIndented(line)) return step > 0.5 * line.size || (ends(last.text) && indent !== null && Math.abs(line.x0 - line.left - indent) < 0.3 * line.size);
  return step < -0.5 * line.size && !lastIsFirst && ends(last.text);
}

/** How two lines are joined, by what the rest of the document does with divided words. */
function joiner(lines: readonly PdfLine[]): Typesetting["join"] {
  const words = new Set<string>(), compounds = new Set<string>();
  for (const { text } of lines) {
    for (const [word] of text.matchAll(/\p{L}+(?:[-‐]\p{L}+)*/gu)) (/[-‐]/.test(word) ? compounds : words).add(word.toLowerCase().replace("‐", "-"));
  }
  const halves = (before: string, line: string): [string, string] | null => {
    const head = /(\p{L}+)[-‐]$/u.exec(before.slice(-60))?.[1], tail = /^\p{Ll}+/u.exec(line)?.[0];
    return head === undefined || tail === undefined ? null : [head.toLowerCase(), tail];
  };
  // whether words are divided at all, other than where they have a hyphen anyway
  const divides = lines.some((line, i) => {
    const both = i === 0 ? null : halves((lines[i - 1] as PdfLine).text, line.text);
    return both !== null && words.has(both.join(""));
  });
  return (before, line) => {
    if (before.endsWith("\u00ad")) return before.slice(0, -1) + line;
    // a dash with a space on its other side has one on this
    if (/\S(?:--|—)$/.test(before) || /^(?:--|—)\S/.test(line)) return before + line;
    const both = halves(before, line);
    if (both === null) return /\p{L}[-‐]$/u.test(before.slice(-3)) ? before + line : `${before} ${line}`;
    const [head, tail] = both;
    const divided = words.has(head + tail) || (!compounds.has(`${head}-${tail}`) && (divides || !(words.has(head) && words.has(tail))));
    return divided ? before.slice(0, -1) + line : before + line;
  };
}
