/**
 * From the text runs of a PDF page, with their places, to lines in reading
 * order: runs on one baseline, parted into two columns where a gutter is clear.
 * Raised note numbers go, initials that are set over several lines join the word
 * they begin. It looks at one page; paragraphs and what repeats over pages are
 * pdf-paragraphs.ts's and pdf-heads.ts's.
 */

/** Places in points (1/72 inch) from the page's upper left corner, as it is shown. */
export interface PdfRun {
  text: string;
  x: number;
  /** Of the baseline. */
  y: number;
  width: number;
  /** Of the font. */
  size: number;
  rightToLeft: boolean;
}

export interface PdfPage {
  width: number;
  height: number;
  runs: readonly PdfRun[];
}

export interface PdfLine {
  text: string;
  page: number;
  /** 0 over the whole page, 1 and 2 of two columns. */
  column: 0 | 1 | 2;
  x0: number;
  x1: number;
  y: number;
  size: number;
}

/** Runs belong to one line when their baselines are closer than this share of their size. */
const SAME_LINE = 0.45;
/** A space is missing where runs stand further apart than this share of their size. */
const SPACE = 0.17;
/** A gutter is at least this wide, in sizes, where both columns have text. */
const GUTTER = 0.9;
const MIN_COLUMN_LINES = 5;

interface Row {
  y: number;
  size: number;
  /** From left to right. */
  runs: PdfRun[];
}

export function linesOf(page: PdfPage, number: number): PdfLine[] {
  const runs = page.runs.filter((run) => run.size > 0 && run.text.trim() !== "");
  const body = commonSize(runs);
  const initials = runs.filter((run) => run.size >= 1.8 * body && /^\p{Lu}$|^["“‘']\p{Lu}$/u.test(run.text.trim()) && runs.some((r) => r !== run && standsBeside(r, run)));
  const rows = rowsOf(runs.filter((run) => !initials.includes(run)));
  const gutter = gutterOf(rows);
  const lines: PdfLine[] = [];
  let left: PdfLine[] = [], right: PdfLine[] = [];
  const flush = () => {
    lines.push(...left, ...right);
    left = [];
    right = [];
  };
  for (const row of rows) {
    const [before, after] = gutter === null ? [null, null] : parted(row, gutter);
    if (before === null) {
      flush();
      lines.push(lineOf(row.runs, number, 0));
    } else {
      if (before.length > 0) left.push(lineOf(before, number, 1));
      if (after.length > 0) right.push(lineOf(after, number, 2));
    }
  }
  flush();
  for (const initial of initials) setInitial(lines, initial);
  return lines.filter((line) => line.text !== "");
}

/** The size of most letters, to half a point. */
export function commonSize(runs: readonly { text: string; size: number }[]): number {
  const letters = new Map<number, number>();
  for (const { text, size } of runs) letters.set(Math.round(2 * size) / 2, (letters.get(Math.round(2 * size) / 2) ?? 0) + text.length);
  let best = 0, most = 0;
  for (const [size, count] of letters) if (count > most) [best, most] = [size, count];
  return best;
}

function rowsOf(runs: readonly PdfRun[]): Row[] {
  const rows: Row[] = [];
  for (const run of [...runs].sort((a, b) => a.y - b.y)) {
    const near = rows.slice(-3).reverse().find((row) => Math.abs(row.y - run.y) <= SAME_LINE * Math.max(row.size, run.size));
    if (near === undefined) rows.push({ y: run.y, size: run.size, runs: [run] });
    else {
      near.runs.push(run);
      if (run.size > near.size) [near.y, near.size] = [run.y, run.size];
    }
  }
  for (const row of rows) row.runs.sort((a, b) => a.x - b.x);
  return rows.sort((a, b) => a.y - b.y);
}

/** The runs of a row on both sides of a gutter; nulls where the row goes across it. */
function parted(row: Row, gutter: number): [PdfRun[], PdfRun[]] | [null, null] {
  const before = row.runs.filter((run) => run.x + run.width / 2 < gutter), after = row.runs.filter((run) => run.x + run.width / 2 >= gutter);
  const end = Math.max(-Infinity, ...before.map((run) => run.x + run.width)), start = Math.min(Infinity, ...after.map((run) => run.x));
  return end > gutter || start < gutter || start - end < GUTTER * row.size ? [null, null] : [before, after];
}

/** Where a page is parted into two columns; null where it is not clear that it is. */
function gutterOf(rows: readonly Row[]): number | null {
  if (rows.length < MIN_COLUMN_LINES) return null;
  const from = Math.min(...rows.map((row) => (row.runs[0] as PdfRun).x)), to = Math.max(...rows.flatMap((row) => row.runs.map((run) => run.x + run.width)));
  let best: number | null = null, fewest = Infinity;
  // where a gap begins in some row: the gutter cannot be elsewhere
  const candidates = new Set(rows.flatMap((row) => row.runs.slice(1).map((run) => Math.round(run.x) - 1)));
  for (const x of candidates) {
    if (x < from + 0.3 * (to - from) || x > from + 0.7 * (to - from)) continue;
    let across = 0, both = 0;
    const lefts: number[] = [], widths: number[] = [], leftWidths: number[] = [];
    for (const row of rows) {
      const [before, after] = parted(row, x);
      if (before === null) {
        across++;
        continue;
      }
      if (before.length > 0 && after.length > 0) both++;
      if (before.length > 0) leftWidths.push(spanOf(before));
      if (after.length > 0) {
        lefts.push(Math.round((after[0] as PdfRun).x));
        widths.push(spanOf(after));
      }
    }
    const clear = across <= 0.25 * rows.length && both >= 0.3 * rows.length && lefts.length >= MIN_COLUMN_LINES && leftWidths.length >= MIN_COLUMN_LINES;
    const wide = Math.min(median(widths), median(leftWidths)) >= 0.15 * (to - from);
    if (clear && wide && share(lefts) >= 0.4 && across < fewest) [best, fewest] = [x, across];
  }
  return best;
}

const spanOf = (runs: readonly PdfRun[]): number => Math.max(...runs.map((run) => run.x + run.width)) - (runs[0] as PdfRun).x;

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The share of the values that stand within a point of the commonest. */
function share(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(0, ...[...counts].map(([value, count]) => count + (counts.get(value + 1) ?? 0))) / values.length;
}

/** @param runs from left to right */
function lineOf(runs: readonly PdfRun[], page: number, column: 0 | 1 | 2): PdfLine {
  const size = commonSize(runs);
  const base = median(runs.filter((run) => Math.abs(run.size - size) <= 1).map((run) => run.y));
  const kept = runs.filter((run) => !(run.size <= 0.82 * size && run.y < base - 0.12 * size && /^[\d*†‡§,\s]{1,6}$/.test(run.text)));
  const own = kept.length > 0 ? kept : runs;
  const rightToLeft = own.filter((run) => run.rightToLeft).length > own.length / 2;
  const ordered = rightToLeft ? [...own].reverse() : own;
  let text = "";
  let last: PdfRun | null = null;
  for (const run of ordered) {
    const gap = last === null ? 0 : rightToLeft ? last.x - (run.x + run.width) : run.x - (last.x + last.width);
    if (last !== null && gap > SPACE * Math.min(run.size, last.size) && !/\s$/.test(text) && !/^\s/.test(run.text)) text += " ";
    text += run.text;
    last = run;
  }
  return { text: text.replace(/\s+/g, " ").trim(), page, column, x0: Math.min(...own.map((run) => run.x)), x1: Math.max(...own.map((run) => run.x + run.width)), y: base, size };
}

/** Whether a run is the beginning of a line beside a large initial. */
function standsBeside(run: PdfRun, initial: PdfRun): boolean {
  const gap = run.x - (initial.x + initial.width);
  return run.size < 0.6 * initial.size && run.y <= initial.y + 0.1 * initial.size && run.y > initial.y - initial.size && gap > -0.2 * initial.size && gap < 0.6 * initial.size;
}

function setInitial(lines: PdfLine[], initial: PdfRun): void {
  const beside = lines.filter((line) => standsBeside({ text: line.text, x: line.x0, y: line.y, width: line.x1 - line.x0, size: line.size, rightToLeft: false }, initial)).sort((a, b) => a.y - b.y);
  const [first] = beside;
  if (first === undefined) return;
  first.text = initial.text.trim() + first.text;
  for (const line of beside) line.x0 = initial.x; // as if it were no larger than the rest
}
