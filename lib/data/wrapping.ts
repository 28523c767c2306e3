/**
 * Hard-wrapped prose (lines broken at a fixed width, as Project Gutenberg's and
 * e-mail's) turned back into paragraphs, while verse, lists and short entries
 * keep their lines. The decision is a measurement: a line of wrapped prose ends
 * where the next word would not have fitted, a line of verse ends before that.
 */
const MIN_WIDTH = 40;
const MAX_WIDTH = 120;
/** Lines may end this share of the width early: wrapped by hand, or by programs that even the lines out. */
const SLACK = 0.13;
const MIN_INTERIOR_LINES = 6;
const MAX_OVERLONG_SHARE = 0.05;
const MIN_FLOWING_SHARE = 0.5;

/** Line-length statistics of a text. */
export interface WrapReport {
  wrapped: boolean;
  /** Estimated width in characters; 0 where there are no lines inside paragraphs. */
  width: number;
  /** Share of the lines inside paragraphs that the next word would not have fitted into. */
  fullShare: number;
  interiorLines: number;
  /** Share of the line ends inside paragraphs that stand in the middle of a sentence. */
  flowingShare: number;
  /** Share of the characters that stand in lines clearly longer than the width; wrapped text has next to none. */
  overlongShare: number;
}

const firstWord = (line: string): number => (/^\S+/.exec(line.trimStart())?.[0] ?? "").length;
const isFull = (line: string, next: string, width: number): boolean => line.trimEnd().length + 1 + firstWord(next) > width * (1 - SLACK);

/** Measures a text whose line ends are "\n" and whose lines have no trailing spaces. */
export function measureWrapping(text: string): WrapReport {
  const blocks = text.split(/\n{2,}/).map((block) => block.split("\n")).filter((lines) => lines.length > 1);
  const lengths: number[] = [];
  for (const lines of blocks) for (let i = 0; i < lines.length - 1; i++) lengths.push((lines[i] as string).length);
  if (lengths.length === 0) return { wrapped: false, width: 0, fullShare: 0, interiorLines: 0, flowingShare: 0, overlongShare: 0 };
  lengths.sort((a, b) => a - b);
  const width = lengths[Math.floor(0.95 * (lengths.length - 1))] as number;
  let full = 0, flowing = 0;
  for (const lines of blocks) {
    for (let i = 0; i < lines.length - 1; i++) {
      if (isFull(lines[i] as string, lines[i + 1] as string, width)) full++;
      if (/[^.!?:;"”’)\]]$/.test(lines[i] as string) && /^\s*\P{Lu}/u.test(lines[i + 1] as string)) flowing++;
    }
  }
  const fullShare = full / lengths.length;
  const overlong = text.split("\n").reduce((sum, line) => (line.length > 1.25 * width ? sum + line.length : sum), 0);
  const overlongShare = overlong / text.length;
  const wrapped = lengths.length >= MIN_INTERIOR_LINES && overlongShare <= MAX_OVERLONG_SHARE && flowing >= MIN_FLOWING_SHARE * lengths.length && width >= MIN_WIDTH && width <= MAX_WIDTH && fullShare >= 0.7;
  return { wrapped, width, fullShare, interiorLines: lengths.length, flowingShare: flowing / lengths.length, overlongShare };
}

/** Joins the lines of wrapped paragraphs; text that is not wrapped comes back as it is. */
export function unwrap(text: string): { text: string; unwrapped: boolean } {
  const report = measureWrapping(text);
  if (!report.wrapped) return { text, unwrapped: false };
  const words = new Set<string>();
  for (const match of text.matchAll(/\p{L}+/gu)) words.add(match[0].toLowerCase());
  const parts = text.split(/(\n{2,})/);
  // Without blank lines between paragraphs, a short line that ends a sentence ends one.
  const solid = text.split("\n").length > 25 * parts.length;
  return { text: parts.map((part, i) => (i % 2 === 1 ? part : unwrapBlock(part, report.width, solid, words))).join(""), unwrapped: true };
}

function unwrapBlock(block: string, width: number, solid: boolean, words: ReadonlySet<string>): string {
  const lines = block.split("\n");
  if (lines.length < 2) return block;
  let full = 0;
  for (let i = 0; i < lines.length - 1; i++) if (isFull(lines[i] as string, lines[i + 1] as string, width)) full++;
  // An indented quotation is wrapped at the same right edge; a stanza is not, and begins its lines with capitals.
  const flowsOn = lines.slice(1).every((line) => /^\p{Ll}/u.test(line));
  if (full < 0.6 * (lines.length - 1) && !flowsOn) return block;
  const indented = lines.filter((line) => /^(?: {2,}|\t)/.test(line)).length;
  const indentStarts = indented > 0 && indented < 0.6 * lines.length;
  // gathered, not added to one text: looking at the end of a growing text reads all of it again for every line
  const out = [(lines[0] as string).trim()];
  for (let i = 1; i < lines.length; i++) {
    const before = lines[i - 1] as string, line = lines[i] as string;
    const newParagraph = (indentStarts && /^(?: {2,}|\t)/.test(line)) || (solid && !isFull(before, line, width) && /[.!?:;"”'’)\]]$/.test(before) && before.length < 0.8 * width);
    const last = out.pop() as string;
    if (newParagraph) out.push(last, "\n\n", line.trim());
    else out.push(...join(last, line.trim(), words));
  }
  return out.join("");
}

/** Two lines with what comes between. A dash at the line end joins without a space; a hyphen goes when the word is elsewhere written without it. */
function join(before: string, line: string, words: ReadonlySet<string>): string[] {
  if (/(?:--|—)$/.test(before.slice(-2)) || /^(?:--|—)/.test(line)) return [before, line];
  const head = /(\p{L}+)-$/u.exec(before.slice(-40))?.[1], tail = /^\p{Ll}+/u.exec(line)?.[0];
  if (head === undefined || tail === undefined) return [before, " ", line];
  return [words.has((head + tail).toLowerCase()) ? before.slice(0, -1) : before, line];
}
