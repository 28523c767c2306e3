/**
 * Cuts a stretch of text into passages of some words each: runs of whole
 * paragraphs; where a paragraph is too long, of its lines, then its sentences,
 * then clauses, then words. Nothing is dropped: the passages of a stretch cover
 * it, and each directly follows the one before. Lines of verse are cut as
 * sentences are, only where one is longer than a passage may be, and keep their
 * indents. These are the pieces a model is asked to write, not the chunks of a
 * context window.
 */
import { countWords, lineSpans, paragraphSpans, sentenceSpans, type Span, spacedWordSpans } from "./words";

/**
 * Words of a passage: closed at the first paragraph end from `low` on, filled up
 * to `high` inside a paragraph that is too long. Only where a sentence would
 * have to be cut is `high` passed, never `max`.
 */
export interface PassageLength {
  low: number;
  high: number;
  max: number;
}

export interface Passage {
  /** Without the blank space around it, but for the indent of a first line that others follow. */
  text: string;
  /** Offsets in the stretch, in characters, that with their neighbours' cover it. */
  start: number;
  end: number;
  words: number;
}

/** How the text is cut, coarse to fine. */
const LEVELS: readonly ((text: string) => Span[])[] = [paragraphSpans, lineSpans, sentenceSpans, clauseSpans, spacedWordSpans];
const LINE = 1, SENTENCE = 2;

interface Atom extends Span {
  /** Index in LEVELS. */
  level: number;
  words: number;
  /** Not cut unless it is longer than a passage may be: a sentence, a line of verse. */
  unit: boolean;
}

/** `nextLength` is asked once for each passage. Shorter passages than `low` remain only at a stretch's end or before a very long sentence. */
export function cutPassages(text: string, nextLength: () => PassageLength): Passage[] {
  const queue = atoms(text, 0, text.length, 0).reverse(); // a stack: the next atom is last
  const passages: Passage[] = [];
  let length = nextLength();
  let start = 0, end = 0, words = 0;

  const close = (): void => {
    const before = passages.at(-1);
    if (words > 0) {
      passages.push({ text: withoutBlankEnds(text.slice(start, end)), start, end, words });
      length = nextLength();
    } else if (before !== undefined) {
      // rules and ornaments have no words
      before.end = end;
      before.text = withoutBlankEnds(text.slice(before.start, end));
    }
    start = end;
    words = 0;
  };

  while (queue.length > 0) {
    const atom = queue.pop() as Atom;
    if (words + atom.words > length.high && words >= length.low) close();
    if (words + atom.words > (atom.level < SENTENCE && !atom.unit ? length.high : length.max)) {
      // A sentence is taken whole before it is cut, even if what precedes it stays short.
      if (words > 0 && atom.unit && atom.words <= length.max) close();
      else {
        const finer = atom.level + 1 < LEVELS.length ? atoms(text, atom.start, atom.end, atom.level + 1, atom.words) : [];
        if (finer.length > 0) {
          for (const atom of finer.reverse()) queue.push(atom); // not spread: there may be more than a call takes
          continue;
        }
        if (words > 0) close();
      }
    }
    words += atom.words;
    end = atom.end;
    // Inside a paragraph that had to be cut, fill up; between paragraphs, enough is enough.
    const paragraphEnds = atom.level === 0 || queue.length === 0 || (queue.at(-1) as Atom).level === 0;
    if (paragraphEnds && words >= length.low) close();
  }
  if (words > 0 || end > start) close();
  return mergeShortEnd(text, passages, length);
}

/** A last passage below `low` joins the one before where both are within `high`. */
function mergeShortEnd(text: string, passages: Passage[], length: PassageLength): Passage[] {
  const last = passages.at(-1), before = passages.at(-2);
  if (last === undefined || before === undefined || last.words >= length.low || last.words + before.words > length.high) return passages;
  passages.splice(-2, 2, { text: withoutBlankEnds(text.slice(before.start, last.end)), start: before.start, end: last.end, words: before.words + last.words });
  return passages;
}

/** @param words in the stretch, where they have been counted: counting is what takes the time */
function atoms(text: string, from: number, to: number, level: number, words?: number): Atom[] {
  const slice = text.slice(from, to);
  const spans = (LEVELS[level] as (text: string) => Span[])(slice);
  const count = ({ start, end }: Span): number => (level === LEVELS.length - 1 ? 1 : words !== undefined && spans.length === 1 ? words : countWords(slice.slice(start, end)));
  if (level <= LINE) giveIndents(slice, spans);
  const unit = level === SENTENCE || (level === LINE && areVerse(slice, spans));
  return spans.map((span) => ({ start: from + span.start, end: from + span.end, level, words: count(span), unit }));
}

/** Moves the bounds of paragraphs and lines to before the indent of the following line, which is not the end of the line above. */
function giveIndents(text: string, spans: readonly Span[]): void {
  for (let i = 1; i < spans.length; i++) {
    const before = spans[i - 1] as Span;
    let at = before.end;
    while (at > before.start && text[at - 1] !== "\n") at--;
    if (at > before.start) before.end = (spans[i] as Span).start = at;
  }
}

/** Whether lines are of verse and not paragraphs: three at least, most of which do not end a sentence. */
function areVerse(text: string, lines: readonly Span[]): boolean {
  const ending = lines.filter(({ start, end }) => /[.!?…:"”’)。！？]/.test(text.slice(start, end).trimEnd().at(-1) ?? ""));
  return lines.length >= 3 && ending.length < lines.length / 2;
}

/** Without blank lines at the beginning, and blank space at the end; with the first line's indent only where more lines follow, to which it says something. */
function withoutBlankEnds(text: string): string {
  const lines = text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  return lines.includes("\n") ? lines : lines.trimStart();
}

function clauseSpans(text: string): Span[] {
  const ends = [...text.matchAll(/[;:,—–]["”’)]*\s+|—|[、，；：]/g)].map((m) => m.index + m[0].length);
  return [...ends, text.length].map((end, i) => ({ start: ends[i - 1] ?? 0, end })).filter(({ start, end }) => end > start);
}
