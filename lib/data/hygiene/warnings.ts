/**
 * What speaks against learning from a text, judged by its looks alone: too
 * short, not writing (numbers, addresses, code, tables, logs), not one's own
 * (quotations), or written otherwise than it should be learned (all capitals,
 * damaged letters). Each says so in a sentence; only what is plainly not writing,
 * or not the writer's, is suggested to be left out.
 */
import { plural } from "../phrases";
import { countHeads } from "./mail";

export type WarningKind = "empty" | "short" | "addresses" | "numbers" | "log" | "table" | "code" | "quotation" | "letters" | "capitals" | "damaged" | "language";

export interface Warning {
  kind: WarningKind;
  /** What is so, as a sentence about the piece. */
  sentence: string;
  /** Whether it is reason enough to leave the piece out. */
  excludes: boolean;
}

/** Fewer words than the shortest passage that a model is asked for. */
const SHORT_WORDS = 15;
/** Looks are judged from so many characters on, and by as many lines. */
const MIN_CHARS = 60, MIN_LINES = 5;
/** Longer texts are judged by their beginning, middle and end. */
const SAMPLE_CHARS = 60_000;
const MAX_LINE_CHARS = 400;

const ADDRESS = /(?:https?:\/\/|www\.)\S+|\S{1,64}@[\w.-]+\.\w{2,}/g;
const LOG_LINE = /^[[(<]?(?:\d{4}-\d\d-\d\d|\d\d?[/.]\d\d?[/.]\d{2,4}|[A-Z][a-z]{2} [ \d]\d \d\d:)[T ,]?.{0,3}\d\d?:\d\d(?::\d\d)?|^(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)\b/;
const CODE_LINE = /[{};]$|^\s*(?:[})\]]+[;,]?|(?:import|export|const|let|var|function|def|class|return|if|for|while|public|private|static|void|int|#include|using|package|SELECT|INSERT|CREATE)\b.*[({;:=].*|<\/?\w+[^>]*>.*|(?:\/\/|#!|\/\*).*|\w[\w.]*\(.*\).{0,3}|[\w.]+ (?:=|:=|\+=|==) .*)$/;
/** Letters read in the wrong encoding: UTF-8 as Windows-1252, or the sign for what could not be read. */
const DAMAGED = /\ufffd|Ã[\u0080-\u00bf\u0152-\u017e\u2018-\u203a]|â€[\u0080-\u00bf\u0152-\u017e\u2018-\u203aœ™”“]/g;

/** In the order of their weight; none for what looks like writing. @param words of the text */
export function warningsOf(text: string, words: number): Warning[] {
  if (words === 0) return [{ kind: "empty", sentence: "It has no words.", excludes: true }];
  const warnings: Warning[] = [];
  const warn = (kind: WarningKind, sentence: string, excludes = false): void => void warnings.push({ kind, sentence, excludes });
  const sample = sampleOf(text);
  const chars = sample.replace(/\s+/g, "").length;
  const lines = sample.split("\n").map((line) => line.slice(0, MAX_LINE_CHARS)).filter((line) => line.trim() !== "");
  const shareOf = (test: (line: string) => boolean): number => (lines.length < MIN_LINES ? 0 : lines.filter(test).length / lines.length);

  if (chars >= MIN_CHARS) {
    const letters = sample.match(/[\p{L}\p{M}]/gu)?.length ?? 0;
    const addresses = [...sample.matchAll(ADDRESS)].reduce((sum, [address]) => sum + address.length, 0);
    if (addresses > 0.5 * chars) warn("addresses", "It is mostly web and mail addresses.", true);
    else if (shareOf((line) => LOG_LINE.test(line.trim())) >= 0.6) warn("log", "It looks like a log that a program wrote.", true);
    else if (isTable(lines)) warn("table", "It looks like a table.", true);
    else if (shareOf((line) => CODE_LINE.test(line.trimEnd())) >= 0.5) warn("code", "It looks like program code.", true);
    else if (letters < 0.5 * chars) warn("numbers", "It is mostly numbers and signs.", true);

    if (quotedShare(sample) >= 0.6) warn("quotation", "It is mostly quotation.", true);
    const heads = countHeads(sample);
    if (heads > 0) warn("letters", `It holds ${heads === 1 ? "the head of a letter" : `the heads of ${plural(heads, "letter")}`} (from, to, subject): some of it may be by others.`);
    const small = sample.match(/\p{Ll}/gu)?.length ?? 0, capital = sample.match(/\p{Lu}/gu)?.length ?? 0;
    if (warnings.length === 0 && capital > 0.6 * (small + capital) && capital >= 40) warn("capitals", "It is nearly all in capitals, and the model would learn to write so.");
  }
  const damaged = sample.match(DAMAGED)?.length ?? 0;
  if (damaged >= 3 && damaged > 0.0005 * chars) warn("damaged", "Some of its letters were damaged when it was saved (as in “Ã©” for “é”).");
  if (words < SHORT_WORDS) warn("short", `It has only ${plural(words, "word")}.`);
  return warnings;
}

function sampleOf(text: string): string {
  if (text.length <= SAMPLE_CHARS) return text;
  const third = SAMPLE_CHARS / 3, middle = (text.length - third) / 2;
  return [text.slice(0, third), text.slice(middle, middle + third), text.slice(-third)].join("\n");
}

/** Whether most lines have the same number of the same separators: two at least of tabs, bars, semicolons or wide gaps, three commas. */
function isTable(lines: readonly string[]): boolean {
  if (lines.length < MIN_LINES) return false;
  return ([[/\t/g, 2], [/\|/g, 2], [/;/g, 2], [/\S {2,}(?=\S)/g, 2], [/,/g, 3]] as const).some(([separator, least]) => {
    const counts = new Map<number, number>();
    for (const line of lines) {
      const n = line.replace(/"[^"]*"/g, "").match(separator)?.length ?? 0;
      if (n >= least) counts.set(n, (counts.get(n) ?? 0) + 1);
    }
    return Math.max(0, ...counts.values()) >= 0.7 * lines.length;
  });
}

/** Share of the text in lines with a ">" before them, and in long paragraphs that are wholly between quotation marks. */
function quotedShare(text: string): number {
  let quoted = 0, all = 0;
  for (const paragraph of text.split(/\n{2,}/)) {
    const trimmed = paragraph.trim();
    all += trimmed.length;
    const marked = trimmed.split("\n").reduce((sum, line) => (/^\s*>/.test(line) ? sum + line.length + 1 : sum), 0);
    const between = trimmed.length > 250 && /^["“„«»]/.test(trimmed) && /["”“»«](?:\s*[—–-].{1,80})?$/.test(trimmed.slice(-100)) && (trimmed.slice(1, -1).match(/["“”„«»]/g)?.length ?? 0) <= 1;
    quoted += between ? trimmed.length : Math.min(marked, trimmed.length);
  }
  return all === 0 ? 0 : quoted / all;
}
