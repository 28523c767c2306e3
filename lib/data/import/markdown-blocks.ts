/**
 * A Markdown text cut into stretches that can be read by themselves, so that
 * reading all of them takes linear time: micromark takes quadratic time or worse
 * on long runs of brackets, emphasis or back-ticks, on deep nesting and on very
 * long texts, and recurses. A stretch without any mark is plain, and one that
 * would take too long is told as such. The marks are CommonMark's and GFM's.
 */

export interface Stretch {
  text: string;
  /** "plain": no marks in it. "heavy": too many or too deep for micromark. */
  kind: "plain" | "marked" | "heavy";
  /** Follows the one before without an empty line between. */
  close: boolean;
}

/** In characters: what stands by itself is read together with its neighbours up to here, */
const BATCH = 4096;
/** and a paragraph, or a list or quotation over several, is read whole up to here; */
const MAX_UNIT = 32 * 1024;
/** of one file, this much: micromark reads some 200,000 characters a second. */
const MAX_MARKED = 4 * 1024 * 1024;
/** In one paragraph (lines without an empty one between): a table of 150 rows and 6 columns. */
const MAX_MARKS = 1000;
/** A list with more, or longer than a batch, is read by its items. */
const MANY_MARKS = 200;
/** Quotations and lists in one another. */
const MAX_CONTAINERS = 24;
const MAX_INDENT = 60;
/** A word without any space, a link's address among them. */
const MAX_RUN = 2000;
/** Micromark takes time as the square of a paragraph's marks; this many, some seconds, are spent on one file. */
const MAX_COST = 20_000_000;

const MARK = /[*_[\]<>&`~\\!|@^=%$#]|:\/\/|www\./gi;
const PLAIN_START = /^[^\s\-+#>=|~`\d<:[]/;
const ITEM_START = /^(?:[-*+]|\d{1,9}[.)])[ \t]/;
const FENCE = /^ {0,3}(`{3,}|~{3,})[^`]*$/;

/** @param text "\n" line ends */
export function cutMarkdown(text: string): Stretch[] {
  const stretches: Stretch[] = [];
  let cost = 0, marked = 0;
  const put = (unit: Unit): void => {
    const kind = unit.isPlain ? "plain" : isHeavy(unit) || cost + unit.cost > MAX_COST || marked + unit.text.length > MAX_MARKED ? "heavy" : "marked";
    if (kind === "marked") {
      cost += unit.cost;
      marked += unit.text.length;
    }
    const last = stretches.at(-1), between = unit.close ? "\n" : "\n\n";
    // each call of micromark has a cost of its own
    if (last?.kind === kind && last.text.length + unit.text.length <= BATCH) last.text += between + unit.text;
    else stretches.push({ text: unit.text, kind, close: unit.close });
  };
  let held: string[] = [];
  const flush = (): void => {
    for (const unit of unitsOf(held)) put(unit);
    held = [];
  };
  for (const block of blocksOf(text)) {
    // what is indented may belong to the list or quotation before it
    if (!/^\s/.test(block)) flush();
    held.push(block);
  }
  flush();
  return stretches;
}

/** What must be read together, unless it is too much. */
interface Unit {
  text: string;
  isPlain: boolean;
  close: boolean;
  /** Of its blocks, the sum of the squares of their marks; infinite where one has too many. */
  cost: number;
}

function unitsOf(blocks: readonly string[]): Unit[] {
  const [only] = blocks;
  if (only === undefined) return [];
  if (blocks.length > 1) return [{ text: blocks.join("\n\n"), isPlain: false, close: false, cost: blocks.reduce((sum, block) => sum + costOf(block), 0) }];
  if (isPlain(only)) return [{ text: only, isPlain: true, close: false, cost: 0 }];
  const items = (marksIn(only) > MANY_MARKS || only.length > BATCH) && !/^ {0,3}(?:```|~~~|<)/m.test(only) ? itemsOf(only) : [only];
  return items.map((text, i) => ({ text, isPlain: false, close: i > 0, cost: costOf(text) }));
}

function costOf(block: string): number {
  const marks = marksIn(block);
  return marks > MAX_MARKS ? Infinity : marks * marks;
}

function isHeavy({ text, cost }: Unit): boolean {
  return cost === Infinity || text.length > MAX_UNIT || isDeep(text);
}

function isPlain(block: string): boolean {
  return marksIn(block, 1) === 0 && block.split("\n").every((line) => PLAIN_START.test(line));
}

/** Counted up to one more than `most`. */
function marksIn(block: string, most = MAX_MARKS): number {
  let marks = 0;
  MARK.lastIndex = 0;
  while (marks <= most && MARK.exec(block) !== null) marks++;
  return marks;
}

function isDeep(block: string): boolean {
  return block.split("\n").some((line) => containersOf(line) > MAX_CONTAINERS) || block.split(/\s+/).some((run) => run.length > MAX_RUN);
}

/** Marks of quotations and list items that a line begins with; infinite where it is indented beyond all lists. */
function containersOf(line: string): number {
  let containers = 0, indent = 0;
  for (let i = 0; i < line.length && containers <= MAX_CONTAINERS && indent <= MAX_INDENT; i++) {
    const c = line[i] as string, ends = /\s/.test(line[i + 1] ?? " ");
    if (c === " ") indent++;
    else if (c === "\t") indent += 4;
    else if (c === ">" || ("-*+".includes(c) && ends) || (".)".includes(c) && ends && /\d/.test(line[i - 1] ?? ""))) containers++;
    else if (!/\d/.test(c) && !(".)".includes(c) && ends)) break;
  }
  return indent > MAX_INDENT ? Infinity : containers;
}

/** A tight list by its outermost items, the lines of each together. */
function itemsOf(block: string): string[] {
  const items: string[][] = [];
  for (const line of block.split("\n")) {
    if (items.length === 0 || ITEM_START.test(line)) items.push([line]);
    else (items.at(-1) as string[]).push(line);
  }
  return items.map((lines) => lines.join("\n"));
}

/** What stands between empty lines. Code between fences, comments and HTML that may hold empty lines stay whole; where their end is missing, they are taken for text. */
function blocksOf(text: string): string[] {
  const lines = text.split("\n");
  const ends = endsOf(lines);
  const blocks: string[] = [];
  let from = 0;
  const cut = (to: number): void => {
    if (to > from) blocks.push(lines.slice(from, to).join("\n"));
    from = to + 1;
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.trim() === "") cut(i);
    else {
      const fence = FENCE.exec(line)?.[1];
      if (fence !== undefined) {
        const end = ends.fence(i, fence);
        if (end === null) lines[i] = ""; // no code follows
        else i = end;
        if (end === null) cut(i);
      } else if (/^ {0,3}<!--/.test(line)) {
        const end = ends.comment(i);
        if (end === null) lines[i] = line.replace("<!--", "");
        else i = end;
      }
    }
  }
  cut(lines.length);
  return blocks;
}

/** For a line that opens a fence or a comment, the line that ends it; null where none does. In one pass from the end. */
function endsOf(lines: readonly string[]): { fence: (line: number, fence: string) => number | null; comment: (line: number) => number | null } {
  const fences: { line: number; mark: string }[] = [];
  const comments: number[] = [];
  lines.forEach((line, i) => {
    const mark = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
    if (mark !== undefined) fences.push({ line: i, mark });
    if (line.includes("-->")) comments.push(i);
  });
  // the longest that comes at or after each, so that a search for one that is not there ends at once
  const longest = { "`": new Array<number>(fences.length + 1).fill(0), "~": new Array<number>(fences.length + 1).fill(0) };
  for (let k = fences.length - 1; k >= 0; k--) {
    const { mark } = fences[k] as { mark: string };
    for (const sign of ["`", "~"] as const) longest[sign][k] = Math.max(longest[sign][k + 1] as number, mark.startsWith(sign) ? mark.length : 0);
  }
  let nextFence = 0, nextComment = 0;
  return {
    fence(line, fence) {
      while (nextFence < fences.length && (fences[nextFence] as { line: number }).line <= line) nextFence++;
      const sign = fence[0] as "`" | "~";
      if ((longest[sign][nextFence] as number) < fence.length) return null;
      while (!(fences[nextFence] as { mark: string }).mark.startsWith(fence)) nextFence++;
      return (fences[nextFence] as { line: number }).line;
    },
    comment(line) {
      while (nextComment < comments.length && (comments[nextComment] as number) < line) nextComment++;
      return comments[nextComment] ?? null;
    },
  };
}
