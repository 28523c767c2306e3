/**
 * Frees a text of what is not its writer's: what mail programs, web pages and
 * note-taking programs set around it, statements of rights, and lines that many
 * documents of one import begin or end with. In doubt a line stays: what is
 * taken off here is never learned, and nobody reads everything again. Project
 * Gutenberg's frame is taken off in text.ts.
 */
import { countWords } from "../words";
import { type CleanedText, MarkedLines } from "./marked-lines";
import { markMail } from "./mail";
import { headsComments, isExportNote, isFurniture, isOfComments, isRights, mayBeFurniture, noteLabel } from "./page-words";

export { type Boilerplate, BOILERPLATE_WORDS, type CleanedText, type Removal } from "./marked-lines";

/** Where a text comes from, which says what may stand around it. */
export type TextKind = "mail" | "page" | "note" | "plain";

/** A page's labels stand within so many lines of its beginning and end, or beside one another. */
const PAGE_TOP = 10, PAGE_BOTTOM = 25;
/** Comments come after so many words of a page at least. */
const MIN_PAGE_WORDS = 40;
/** Rights are stated in the first or last paragraphs. */
const RIGHTS_TOP = 2, RIGHTS_BOTTOM = 4;

/** Takes about as long as the text is large, whatever it is. @param text "\n" line ends */
export function withoutBoilerplate(text: string, kind: TextKind): CleanedText {
  return marked(text, kind).result();
}

export interface SharedOptions {
  /** A line is shared when so many documents begin or end with it. Default 5: in fewer it may be there by chance. */
  minDocuments?: number;
  /** Awaited between documents, so that a stop can be heard; what it throws ends the work. */
  breathe?: () => Promise<void>;
}

/** The same over all documents of one import, and without the lines that many of them begin or end with. */
export async function withoutSharedBoilerplate(documents: readonly { text: string; kind: TextKind }[], { minDocuments = MIN_DOCUMENTS, breathe = () => Promise.resolve() }: SharedOptions = {}): Promise<CleanedText[]> {
  const all: MarkedLines[] = [];
  for (const { text, kind } of documents) {
    await breathe();
    all.push(marked(text, kind));
  }
  markRepeated(all, minDocuments);
  const cleaned: CleanedText[] = [];
  for (const text of all) {
    await breathe();
    cleaned.push(text.result());
  }
  return cleaned;
}

function marked(source: string, kind: TextKind): MarkedLines {
  const text = new MarkedLines(source);
  markMail(text, kind === "mail");
  if (kind === "page") markPage(text);
  if (kind !== "mail") markNotes(text);
  markRights(text);
  return text;
}

function markPage(text: MarkedLines): void {
  const { lines } = text;
  const kept = text.kept();
  const place = kept.findIndex((i, n) => n >= PAGE_TOP && headsComments(lines[i] as string) && kept.slice(n + 1, n + 13).some((k) => isOfComments(lines[k] as string)));
  if (place > 0 && countWords(lines.slice(0, kept[place]).join("\n").slice(0, 20_000)) >= MIN_PAGE_WORDS) text.drop("comments", kept[place] as number, lines.length);

  const left = text.kept();
  const certain = left.map((i) => isFurniture(lines[i] as string));
  const possible = left.map((i, n) => certain[n] === true || mayBeFurniture(lines[i] as string));
  for (let n = 0; n < left.length; n++) {
    if (possible[n] !== true) continue;
    let end = n;
    while (possible[end] === true) end++;
    // A run of labels with one that is unmistakable, at an edge or of several.
    const surely = certain.slice(n, end).filter(Boolean).length;
    const atEdge = n < PAGE_TOP || end > left.length - PAGE_BOTTOM;
    if (surely > 0 && (atEdge || end - n >= 2)) for (let k = n; k < end; k++) text.drop("page", left[k] as number);
    n = end;
  }
}

/** Blocks of labelled lines ("Created: …", "Tags: …") that begin a paragraph, one of them with a date; and what names the program. */
function markNotes(text: MarkedLines): void {
  const { lines } = text;
  for (const { from, to } of text.paragraphs()) {
    let end = from, dated = false;
    for (; end < to; end++) {
      const found = noteLabel(lines[end] as string);
      if (found === null) break;
      dated ||= found.dated;
    }
    if (end - from >= 2 && dated) text.drop("note", from, end);
  }
  const kept = text.kept();
  for (const i of [...kept.slice(0, 3), ...kept.slice(-3)]) if (isExportNote(lines[i] as string)) text.drop("note", i);
}

function markRights(text: MarkedLines): void {
  const paragraphs = text.paragraphs();
  paragraphs.forEach(({ from, to, text: paragraph }, n) => {
    if ((n < RIGHTS_TOP || n >= paragraphs.length - RIGHTS_BOTTOM) && isRights(paragraph)) text.drop("rights", from, to);
  });
}

const MIN_DOCUMENTS = 5;
const EDGE_TOP = 5, EDGE_BOTTOM = 8;
/** A line of so many words that many documents begin or end with is a formula even if nothing else shows it. */
const FORMULA_WORDS = 8;
const MAX_EDGE_CHARS = 400;
/** Greetings and closings are the writer's, however often they come. */
const OWN_WORDS = /^(?:dear|hi|hello|hey|love|lots|much|all my|yours|your|best|kind|warm|many|with|regards|sincerely|cheers|thanks|thank you|take care|see you|god bless|good (?:morning|evening|night)|liebe|lieber|hallo|herzliche|viele|cher|chère|bises|querid|un abrazo)\b/i;
const BY_A_PROGRAM = /https?:\/\/|www\.\w|\S@\S+\.\w|©|\bunsubscribe\b|\bpage 0\b|\ball rights\b|(?:\+|\b0)[\d ()./-]{8,}\d| \| /i;

function markRepeated(all: readonly MarkedLines[], minDocuments: number): void {
  const key = (line: string): string => line.toLowerCase().replace(/\s+/g, " ").replace(/\d+/g, "0");
  for (const [side, depth] of [["top", EDGE_TOP], ["bottom", EDGE_BOTTOM]] as const) {
    // From the edge inwards.
    const edges = all.map((text) => {
      const kept = text.kept();
      const most = Math.min(depth, Math.max(kept.length - 1, 0)); // a line is left to every document
      return side === "top" ? kept.slice(0, most) : kept.slice(kept.length - most).reverse();
    });
    const counts = new Map<string, number>();
    edges.forEach((edge, d) => {
      const keys = new Set(edge.map((i) => (all[d] as MarkedLines).lines[i] as string).filter((line) => line.length <= MAX_EDGE_CHARS).map(key));
      for (const k of keys) counts.set(k, (counts.get(k) ?? 0) + 1);
    });
    edges.forEach((edge, d) => {
      const text = all[d] as MarkedLines;
      const line = (n: number): string => text.lines[edge[n] as number] as string;
      const repeats = edge.map((_, n) => (counts.get(key(line(n))) ?? 0) >= minDocuments && !OWN_WORDS.test(line(n)));
      const off = edge.map((_, n) => repeats[n] === true && (BY_A_PROGRAM.test(line(n)) || isFurniture(line(n))));
      for (let n = 0; n < edge.length; n++) if ((n === 0 || off[n - 1] === true) && repeats[n] === true && countWords(line(n)) >= FORMULA_WORDS) off[n] = true;
      // What repeats between two such lines belongs to them.
      for (let n = 1; n < edge.length - 1; n++) if (off[n] !== true && repeats[n] === true && off[n - 1] === true && off.slice(n + 1).includes(true)) off[n] = true;
      edge.forEach((i, n) => {
        if (off[n] === true) text.drop("repeated", i);
      });
    });
  }
}
