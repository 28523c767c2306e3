/**
 * Takes off what is not the writer's in a letter sent by e-mail: quoted letters
 * and what announces them, heads, signatures, firms' notices, mailing lists'
 * footers. The writer's own greeting and closing stay: they are part of a hand.
 */
import { announcesQuote, beginsAnnouncement, headerLine, isListFooter, isNotice, isSentFrom, marksOriginal, MAX_LINE } from "./mail-words";
import type { MarkedLines } from "./marked-lines";

const MAX_SIGNATURE_LINES = 10, MAX_SIGNATURE_CHARS = 800;
const MAX_NOTICE_CHARS = 4000;
/** A head's lines stand within so many. */
const HEAD_LINES = 8;

/** @param sure whether the text is known to be a letter; in other texts only what cannot be anything else is taken off */
export function markMail(text: MarkedLines, sure: boolean): void {
  markQuotes(text, sure);
  markTail(text, sure);
}

const isQuoted = (line: string): boolean => line.startsWith(">") || line.startsWith("&gt;");

function markQuotes(text: MarkedLines, sure: boolean): void {
  const { lines } = text;
  let own = false; // whether a line of the writer's has come
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line === "") continue;
    const head = headAt(lines, i);
    if (marksOriginal(line) && (sure || headAt(lines, nextLine(lines, i + 1)) > 0)) return text.drop("quote", i, lines.length);
    if (head > 0) {
      const above = i > 0 && /^[_-]{10,}$/.test(lines[previousLine(lines, i - 1)] ?? "") ? previousLine(lines, i - 1) : i;
      // Below the writer's own words a letter is quoted to its end; one at the top is the letter itself. Elsewhere it may be a novel in letters.
      if (own && sure) return text.drop("quote", above, lines.length);
      if (!own) text.drop("head", above, head);

      i = head - 1;
      continue;
    }
    const said = announcementAt(lines, i);
    if (said > 0) {
      const next = nextLine(lines, said);
      if (isQuoted(lines[next] ?? "")) {
        text.drop("quote", i, next);
        i = dropQuoted(text, next) - 1;
        continue;
      }
      // Without ">" all below is quoted, if there is an own letter above.
      if (sure && own && next < lines.length && hasWhoAndWhen(lines.slice(i, said).join(" "))) return text.drop("quote", i, lines.length);
    }
    if (sure && isQuoted(line)) {
      i = dropQuoted(text, i) - 1;
      continue;
    }
    own = true;
  }
}

/** Marks a run of quoted lines, also over blank ones. @returns where it ends */
function dropQuoted(text: MarkedLines, from: number): number {
  let end = from;
  for (let i = from; i < text.lines.length; i++) {
    const line = text.lines[i] as string;
    if (isQuoted(line)) end = i + 1;
    else if (line !== "") break;
  }
  text.drop("quote", from, end);
  return end;
}

const nextLine = (lines: readonly string[], from: number): number => {
  let i = from;
  while (i < lines.length && lines[i] === "") i++;
  return i;
};
const previousLine = (lines: readonly string[], from: number): number => {
  let i = from;
  while (i > 0 && lines[i] === "") i--;
  return i;
};

/** Where the head that begins here ends; 0 where none does: three of from, sent, to and subject, one of them from. */
function headAt(lines: readonly string[], from: number): number {
  if (headerLine(lines[from] ?? "") === null) return 0;
  const kinds = new Set<string>();
  let end = from;
  for (let i = from, blank = 0; i < Math.min(lines.length, from + HEAD_LINES) && blank < 2; i++) {
    const line = lines[i] as string;
    const kind = headerLine(line);
    if (line === "") {
      blank++;
      continue;
    }
    if (kind === null) break;
    blank = 0;
    kinds.add(kind);
    end = i + 1;
  }
  kinds.delete("other");
  return kinds.has("from") && kinds.size >= 3 ? end : 0;
}

/** How many letters' heads stand in a text. */
export function countHeads(text: string): number {
  const lines = text.split("\n").map((line) => line.trim());
  let heads = 0;
  for (let i = 0; i < lines.length; i++) {
    const end = headAt(lines, i);
    if (end === 0) continue;
    heads++;
    i = end - 1;
  }
  return heads;
}

/** Where the announcement of a quoted letter that begins here ends; 0 where none does. Programs break it into up to three lines. */
function announcementAt(lines: readonly string[], i: number): number {
  const line = lines[i] as string;
  if (line.length > MAX_LINE) return 0;
  if (announcesQuote(line)) return i + 1;
  if (!beginsAnnouncement(line)) return 0;
  for (let more = 1; more <= 2; more++) {
    const next = lines[i + more] ?? "";
    if (next === "" || next.length > MAX_LINE) return 0;
    if (announcesQuote(lines.slice(i, i + more + 1).join(" "))) return i + more + 1;
  }
  return 0;
}

const hasWhoAndWhen = (line: string): boolean => /\S@\S/.test(line) && /\d/.test(line);

function markTail(text: MarkedLines, sure: boolean): void {
  const { lines } = text;
  if (sure) {
    const list = lines.findIndex((line, i) => !text.isDropped(i) && isListFooter(line));
    if (list > 0) {
      const above = previousLine(lines, list - 1);
      text.drop("list", /^[_-]{2,}$/.test(lines[above] ?? "") ? above : list, lines.length);
    }
  }
  // From the end upwards, as long as there is something to take off.
  for (let to = lines.length; ; ) {
    while (to > 0 && (text.isDropped(to - 1) || lines[to - 1] === "")) to--;
    if (to === 0) break;
    if (isSentFrom(lines[to - 1] as string)) {
      text.drop("signature", --to);
      continue;
    }
    let from = to, chars = 0;
    while (from > 0 && !text.isDropped(from - 1) && lines[from - 1] !== "" && chars <= MAX_NOTICE_CHARS) chars += (lines[--from] as string).length;
    if (!sure || chars > MAX_NOTICE_CHARS || !isNotice(lines.slice(from, to).join(" "))) break;
    text.drop("notice", from, to);
    to = from;
  }
  if (sure) markSignature(text);
}

/** What follows the sign for it ("-- ", RFC 3676), if it is short. */
function markSignature(text: MarkedLines): void {
  const kept = text.kept();
  let chars = 0;
  for (let n = 1; n <= Math.min(kept.length, MAX_SIGNATURE_LINES + 1) && chars <= MAX_SIGNATURE_CHARS; n++) {
    const i = kept[kept.length - n] as number, line = text.lines[i] as string;
    if (line === "--") return text.drop("signature", i, text.lines.length);
    chars += line.length;
  }
}
