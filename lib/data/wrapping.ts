/**
 * Hard-wrapped prose (lines broken at a fixed width, as Project Gutenberg's and
 * e-mail's) turned back into paragraphs, while verse, lists and short entries
 * keep their lines. The decision is a measurement: a line of wrapped prose ends
 * where the next word would not have fitted, a line of verse ends before that;
 * and a paragraph's last line is of any length, a stanza's as long as the others.
 * In doubt lines stay lines.
 */
const MIN_WIDTH = 40;
const MAX_WIDTH = 120;
/** Lines may end this share of the width early: wrapped by hand, or by programs that even the lines out. */
const SLACK = 0.13;
const MIN_INTERIOR_LINES = 6;
const MAX_OVERLONG_SHARE = 0.05;
const MIN_FLOWING_SHARE = 0.5;
/** Lines that nearly all end where the next word would not have fitted, to the character, were broken by a program. */
const EXACT_SHARE = 0.97;
/** The last lines of prose are on average half as long as the others, those of verse as long; from here on they are verse's. */
const LAST_LINE_OF_VERSE = 0.8;
/** Wrapped prose indents a line only after the end of a sentence; verse does in the middle of one, from this share of its lines on. */
const MIN_RAGGED_SHARE = 0.1;
/** With fewer paragraphs than this their ends say nothing: lines are wrapped if they are wider than most verse, or broken (almost) to the character. */
const MIN_ENDS = 5;
const WIDER_THAN_VERSE = 55;
const NEARLY_EXACT_SHARE = 0.9;
/** Slack inside a text that a program has wrapped. */
const EXACT_SLACK = 0.03;
/** A block that is narrower than the rest is wrapped on its own if it is of this many lines, each beginning small and filled to its own width. */
const OWN_WIDTH_LINES = 6;

/** Line-length statistics of a text. */
export interface WrapReport {
  wrapped: boolean;
  /** Estimated width in characters; 0 where there are no lines inside paragraphs. */
  width: number;
  /** Share of the lines inside paragraphs that the next word would not have fitted into. */
  fullShare: number;
  interiorLines: number;
  /** Share of those lines that the next word would not have fitted into to the character. */
  exactShare: number;
  /** How long the last lines of paragraphs of several lines are beside the others, on average. */
  lastLineShare: number;
  /** Share of the lines inside paragraphs after which, in the middle of a sentence, one is indented further. */
  raggedShare: number;
  /** Share of the line ends inside paragraphs that stand in the middle of a sentence. */
  flowingShare: number;
  /** Share of the characters that stand in lines clearly longer than the width; wrapped text has next to none. */
  overlongShare: number;
}

const firstWord = (line: string): number => (/^\S+/.exec(line.trimStart())?.[0] ?? "").length;
const indentOf = (line: string): number => line.length - line.trimStart().length;
const isFull = (line: string, next: string, width: number, slack = SLACK): boolean => line.trimEnd().length + 1 + firstWord(next) > width * (1 - slack);

/** More of a text than this is not measured: its lines are a matter of who wrote the file. */
const MEASURED_CHARS = 3_000_000;

/** The beginning, middle and end of a long text, each from a line end on. */
function sampleOf(text: string): string {
  if (text.length <= MEASURED_CHARS) return text;
  const part = MEASURED_CHARS / 3, middle = text.length >> 1;
  return [text.slice(0, part), text.slice(middle, middle + part), text.slice(-part)].map((piece, i) => (i === 0 ? piece : piece.slice(piece.indexOf("\n") + 1))).join("\n\n");
}

/** Measures a text whose line ends are "\n" and whose lines have no trailing spaces; a long one by samples. */
export function measureWrapping(whole: string): WrapReport {
  const text = sampleOf(whole);
  const blocks = text.split(/\n{2,}/).map((block) => block.split("\n")).filter((lines) => lines.length > 1);
  const lengths: number[] = [];
  for (const lines of blocks) for (let i = 0; i < lines.length - 1; i++) lengths.push((lines[i] as string).length);
  if (lengths.length === 0) return { wrapped: false, width: 0, fullShare: 0, exactShare: 0, lastLineShare: 0, raggedShare: 0, interiorLines: 0, flowingShare: 0, overlongShare: 0 };
  lengths.sort((a, b) => a - b);
  const width = lengths[Math.floor(0.95 * (lengths.length - 1))] as number;
  let full = 0, exact = 0, flowing = 0, ragged = 0, lastChars = 0;
  for (const lines of blocks) {
    lastChars += (lines.at(-1) as string).length;
    for (let i = 0; i < lines.length - 1; i++) {
      if (isFull(lines[i] as string, lines[i + 1] as string, width)) full++;
      if (isFull(lines[i] as string, lines[i + 1] as string, width, 0)) exact++;
      if (!/[^.!?:;"”’)\]]$/.test(lines[i] as string)) continue;
      if (/^\s*\P{Lu}/u.test(lines[i + 1] as string)) flowing++;
      if (indentOf(lines[i + 1] as string) > indentOf(lines[i] as string) + 1) ragged++;
    }
  }
  const fullShare = full / lengths.length, exactShare = exact / lengths.length, raggedShare = ragged / lengths.length;
  const lastLineShare = lastChars / blocks.length / (lengths.reduce((sum, n) => sum + n, 0) / lengths.length || 1);
  const overlong = text.split("\n").reduce((sum, line) => (line.length > 1.25 * width ? sum + line.length : sum), 0);
  const overlongShare = overlong / text.length;
  const endsLikeProse = blocks.length >= MIN_ENDS ? lastLineShare < LAST_LINE_OF_VERSE : width >= WIDER_THAN_VERSE || exactShare >= NEARLY_EXACT_SHARE;
  const brokenAtWidth = exactShare >= EXACT_SHARE || (fullShare >= 0.7 && endsLikeProse && raggedShare < MIN_RAGGED_SHARE);
  const wrapped = brokenAtWidth && lengths.length >= MIN_INTERIOR_LINES && overlongShare <= MAX_OVERLONG_SHARE && flowing >= MIN_FLOWING_SHARE * lengths.length && width >= MIN_WIDTH && width <= MAX_WIDTH;
  return { wrapped, width, fullShare, exactShare, lastLineShare, raggedShare, interiorLines: lengths.length, flowingShare: flowing / lengths.length, overlongShare };
}

/** Joins the lines of wrapped paragraphs; text that is not wrapped comes back as it is. */
export function unwrap(text: string): { text: string; unwrapped: boolean } {
  const report = measureWrapping(text);
  if (!report.wrapped) return { text, unwrapped: false };
  const words = new Set<string>();
  for (const match of text.matchAll(/\p{L}+/gu)) words.add(match[0].toLowerCase());
  const parts = text.split(/(\n{2,})/);
  const slack = report.exactShare >= 0.85 * report.fullShare ? EXACT_SLACK : SLACK;
  // Without blank lines between paragraphs, a short line that ends a sentence ends one.
  const solid = text.split("\n").length > 25 * parts.length;
  return { text: parts.map((part, i) => (i % 2 === 1 ? part : unwrapBlock(part, report.width, slack, solid, words))).join(""), unwrapped: true };
}

function unwrapBlock(block: string, width: number, slack: number, solid: boolean, words: ReadonlySet<string>): string {
  const lines = block.split("\n");
  if (lines.length < 2) return block;
  let full = 0;
  for (let i = 0; i < lines.length - 1; i++) if (isFull(lines[i] as string, lines[i + 1] as string, width, slack)) full++;
  // An indented quotation is wrapped at the same right edge; a stanza is not.
  if (full < 0.6 * (lines.length - 1) && !flowsOn(lines, slack === SLACK ? width : 0)) return block;
  const indented = lines.filter((line) => /^(?: {2,}|\t)/.test(line)).length;
  const indentStarts = indented > 0 && indented < 0.6 * lines.length;
  // gathered, not added to one text: looking at the end of a growing text reads all of it again for every line
  const out = [(lines[0] as string).trim()];
  for (let i = 1; i < lines.length; i++) {
    const before = lines[i - 1] as string, line = lines[i] as string;
    const newParagraph = (indentStarts && /^(?: {2,}|\t)/.test(line)) || (solid && !isFull(before, line, width, slack) && /[.!?:;"”'’)\]]$/.test(before) && before.length < 0.8 * width);
    const last = out.pop() as string;
    if (newParagraph) out.push(last, "\n\n", line.trim());
    else out.push(...join(last, line.trim(), words));
  }
  return out.join("");
}

/**
 * Whether lines that are not as wide as the rest are one paragraph nevertheless:
 * all begin small, and they are nearly that wide, or filled to a width of their own.
 * @param width that lines only come near to, as those broken by hand do; 0 where a program broke them
 */
function flowsOn(lines: readonly string[], width: number): boolean {
  if (!lines.slice(1).every((line) => /^\p{Ll}/u.test(line))) return false;
  const interior = lines.slice(0, -1);
  if (width > 0 && interior.every((line) => line.length >= 0.7 * width)) return true;
  const own = lines.reduce((most, line) => Math.max(most, line.length), 0);
  const filled = interior.filter((line, i) => isFull(line, lines[i + 1] as string, own, 0)).length;
  return lines.length >= OWN_WIDTH_LINES && own >= MIN_WIDTH && filled >= NEARLY_EXACT_SHARE * interior.length;
}

/** Two lines with what comes between. A dash at the line end joins without a space unless it has one on its other side; a hyphen goes when the word is elsewhere written without it. */
function join(before: string, line: string, words: ReadonlySet<string>): string[] {
  if (/(?:--|—)$/.test(before.slice(-2)) || /^(?:--|—)/.test(line)) return / (?:--|—)$/.test(before.slice(-3)) || /^(?:--|—) /.test(line) ? [before, " ", line] : [before, line];
  const head = /(\p{L}+)-$/u.exec(before.slice(-40))?.[1], tail = /^\p{Ll}+/u.exec(line)?.[0];
  if (head === undefined || tail === undefined) return [before, " ", line];
  return [words.has((head + tail).toLowerCase()) ? before.slice(0, -1) : before, line];
}
