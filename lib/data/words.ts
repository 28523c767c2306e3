/**
 * Words, sentences and paragraphs of a text in any script, by character
 * offsets. Words are runs of letters, marks and digits (apostrophes and hyphens
 * inside count as part of the word) found by a quick regular expression; where
 * a text is written in a script without spaces between words, Intl.Segmenter
 * (Unicode UAX #29 with ICU's dictionaries) finds them instead. This is counting
 * and cutting, not the model's tokenizer.
 */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’\-‐‑.][\p{L}\p{M}\p{N}]+)*/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Texts are segmented in slices: ICU slows down on megabytes in one piece. */
const SEGMENT_CHARS = 20_000;

/** A range of character (UTF-16) offsets, end exclusive. */
export interface Span {
  start: number;
  end: number;
}

const wordSegmenter = lazy(() => new Intl.Segmenter(undefined, { granularity: "word" }));
const sentenceSegmenter = lazy(() => new Intl.Segmenter("en", { granularity: "sentence" }));

function lazy<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}

/** The words of a text, in order. */
export function* wordSpans(text: string): Generator<Span> {
  if (!UNSPACED.test(text)) {
    for (const match of text.matchAll(WORD)) yield { start: match.index, end: match.index + match[0].length };
    return;
  }
  for (let from = 0; from < text.length; ) {
    const to = sliceEnd(text, from);
    for (const s of wordSegmenter().segment(text.slice(from, to))) {
      if (s.isWordLike) yield { start: from + s.index, end: from + s.index + s.segment.length };
    }
    from = to;
  }
}

/** The words of a text, each with what precedes the next one, so that all is covered; none where there is no word. */
export function spacedWordSpans(text: string): Span[] {
  const starts = [...wordSpans(text)].map((w) => w.start);
  return starts.map((start, i) => ({ start: i === 0 ? 0 : start, end: starts[i + 1] ?? text.length }));
}

function sliceEnd(text: string, from: number): number {
  if (text.length - from <= SEGMENT_CHARS) return text.length;
  // looked for in the slice alone: a search that finds nothing would go on to the text's beginning
  const slice = text.slice(from, from + SEGMENT_CHARS);
  const line = slice.lastIndexOf("\n");
  if (line > 0) return from + line + 1;
  const space = slice.lastIndexOf(" ");
  if (space > 0) return from + space + 1;
  const code = text.charCodeAt(from + SEGMENT_CHARS);
  return from + SEGMENT_CHARS + (code >= 0xdc00 && code <= 0xdfff ? 1 : 0); // never inside a surrogate pair
}

export function countWords(text: string): number {
  let n = 0;
  if (UNSPACED.test(text)) for (const _ of wordSpans(text)) n++;
  // in slices, so that a long text's words are never all in memory
  else for (let from = 0, to = 0; from < text.length; from = to) {
    to = sliceEnd(text, from);
    n += text.slice(from, to).match(WORD)?.length ?? 0;
  }
  return n;
}

/** The end of a text from its `count`-th last word on; the whole text when it is not longer. */
export function lastWords(text: string, count: number): string {
  const starts: number[] = [];
  for (const span of wordSpans(text)) starts.push(span.start);
  if (starts.length <= count || count <= 0) return text;
  let from = starts[starts.length - count] as number;
  while (from > 0 && /[\p{Ps}\p{Pi}"'$£€#]/u.test(text[from - 1] as string)) from--; // an opening quotation mark belongs to its word
  return text.slice(from);
}

/** Titles and initials after which a full stop does not end a sentence. */
const ABBREVIATION = /(?:^|[\s("'“‘—–-])(?:Mr|Mrs|Ms|Messrs|Mme|Mlle|Dr|Prof|St|Rev|Hon|Capt|Col|Gen|Lieut|Lt|Sergt|Sgt|Maj|Esq|Jr|Sr|No|Vol|vs|viz|cf|etc|e\.g|i\.e|\p{Lu})\.["'”’)]*\s*$/u;

const SMALL_ABBREVIATION = /(?:^|[\s("'“‘—–-])(?:mr|mrs|ms|dr|prof|st|rev|capt|vs|viz|etc|eg|ie|e\.g|i\.e|[b-hj-z])\.\s*$/u;

/**
 * Sentence ranges that together cover the whole text; spaces and line ends
 * after a sentence belong to it. UAX #29 through Intl.Segmenter, joined again
 * after English titles and initials ("Mr. Hall"), and cut at full stops before
 * small letters where the writer begins sentences with them, which UAX #29 does
 * not.
 */
export function sentenceSpans(text: string): Span[] {
  return beginsSmall(text) ? segmented(text).flatMap((span) => cutBeforeSmall(text, span)) : segmented(text);
}

/** Whether more full stops are followed by a small letter than by a capital. */
function beginsSmall(text: string): boolean {
  let small = 0, capital = 0;
  for (const match of text.matchAll(/[.!?]\s+(?:(\p{Ll})|\p{Lu})/gu)) if (match[1] === undefined) capital++; else small++;
  return small > capital;
}

function cutBeforeSmall(text: string, { start, end }: Span): Span[] {
  const spans: Span[] = [];
  let from = start;
  for (const match of text.slice(start, end).matchAll(/\.["”’)]*\s+(?=\p{Ll})/gu)) {
    const to = start + match.index + match[0].length;
    if (SMALL_ABBREVIATION.test(text.slice(Math.max(from, to - 20), to))) continue;
    spans.push({ start: from, end: to });
    from = to;
  }
  spans.push({ start: from, end });
  return spans;
}

function segmented(text: string): Span[] {
  const spans: Span[] = [];
  for (let from = 0; from < text.length; ) {
    const to = sliceEnd(text, from);
    for (const s of sentenceSegmenter().segment(text.slice(from, to))) {
      const last = spans.at(-1);
      const start = from + s.index, end = start + s.segment.length;
      if (last !== undefined && !text.slice(last.start, last.end).endsWith("\n") && ABBREVIATION.test(text.slice(Math.max(last.start, last.end - 20), last.end))) last.end = end;
      else spans.push({ start, end });
    }
    from = to;
  }
  return spans;
}

/** Paragraphs (runs of text between blank lines); the blank lines after one belong to it, so that all is covered. */
export function paragraphSpans(text: string): Span[] {
  return spansBetween(text, /\n[^\S\n]*\n\s*/g);
}

/** Lines with their line ends, so that all is covered. */
export function lineSpans(text: string): Span[] {
  return spansBetween(text, /\n\s*/g);
}

function spansBetween(text: string, separator: RegExp): Span[] {
  const spans: Span[] = [];
  let start = 0;
  for (const match of text.matchAll(separator)) {
    const end = match.index + match[0].length;
    if (text.slice(start, match.index).trim() === "") continue; // leading blank lines go with the first paragraph
    spans.push({ start, end });
    start = end;
  }
  const last = spans.at(-1);
  if (start >= text.length) return spans;
  if (last !== undefined && text.slice(start).trim() === "") last.end = text.length;
  else spans.push({ start, end: text.length });
  return spans;
}
