/**
 * Habits of writing that a person may have and books have not: small letters
 * throughout, no punctuation, no apostrophes, slips of the finger, a line for
 * each thought, emoji, lines broken as in verse. A writer is drawn once and
 * writes prompt and completion alike. It imitates what such text looks like; it
 * is no model of how people err.
 */
import type { Random } from "../../lib/core/random";
import { sentenceSpans } from "../../lib/data/words";
import type { Recipe } from "./recipe";

export type Habit = keyof Recipe["forms"]["habits"];

/** Who writes in small letters often spares other signs too. */
const LIKELY_WITH_LOWER_CASE: readonly Habit[] = ["noPunctuation", "noApostrophes"];
const WITH_LOWER_CASE = 1 / 3;

export function drawHabits(shares: Recipe["forms"]["habits"], random: Random): ReadonlySet<Habit> {
  const habits = new Set<Habit>();
  for (const [habit, share] of Object.entries(shares) as [Habit, number][]) {
    const chance = share > 0 && habits.has("lowerCase") && LIKELY_WITH_LOWER_CASE.includes(habit) ? Math.max(share, WITH_LOWER_CASE) : share;
    if (random.uniform() < chance) habits.add(habit);
  }
  if (habits.has("verse")) habits.delete("short"); // both break lines
  return habits;
}

/** The same text as somebody with these habits writes it. */
export function writeWith(habits: ReadonlySet<Habit>, text: string, random: Random): string {
  let written = text;
  if (habits.has("short")) written = inShortLines(written, random);
  if (habits.has("verse")) written = inVerse(written, random);
  if (habits.has("emoji")) written = withEmoji(written, random);
  if (habits.has("noPunctuation")) written = withoutPunctuation(written);
  if (habits.has("noApostrophes")) written = written.replace(/(?<=\p{L})['’](?=\p{L})/gu, "");
  if (habits.has("lowerCase")) written = written.toLowerCase();
  if (habits.has("typos")) written = withTypos(written, random);
  return written;
}

/** Signs between words go; those inside words and numbers stay, and so does the end of each line. */
function withoutPunctuation(text: string): string {
  return text
    .replace(/\s*[—–]\s*|--+/gu, " ")
    .replace(/(?<!\p{N})[.,:](?!\p{N})|(?<=\p{N})[.,:](?!\p{N})|(?<!\p{N})[.,:](?=\p{N})|[;!?…"“”«»()[\]*_]/gu, "")
    .replace(/(?<!\p{L})['‘’]|['‘’](?!\p{L})/gu, "")
    .replace(/[^\S\n]+/gu, " ")
    .replace(/ ?\n ?/gu, "\n")
    .trim();
}

/** A line for each sentence, long ones in two; the full stops go. */
function inShortLines(text: string, random: Random): string {
  const lines = sentenceSpans(text)
    .flatMap(({ start, end }) => (end - start > 60 || random.uniform() < 0.5 ? text.slice(start, end).split(/(?<=[,;:—])\s+/u) : [text.slice(start, end)]))
    .map((line) => line.trim().replace(/\s+/gu, " ").replace(/[.,;:]$/u, ""));
  return lines.filter((line) => line !== "").join("\n");
}

/** Three to eight words a line, shorter where a clause ends; now and then an empty line. */
function inVerse(text: string, random: Random): string {
  let verse = "", inLine = 0, inStanza = 0;
  const least = 2 + random.int(3), most = least + 2 + random.int(4);
  for (const word of text.split(/\s+/u).filter((word) => word !== "")) {
    verse += `${verse === "" || verse.endsWith("\n") ? "" : " "}${word}`;
    inLine++;
    if (inLine < most && !(inLine >= least && /[.,;:!?—]["”’)]*$/u.test(word))) continue;
    inLine = 0;
    inStanza++;
    const stanzaEnds = inStanza >= 3 && random.uniform() < 0.3;
    verse += stanzaEnds ? "\n\n" : "\n";
    if (stanzaEnds) inStanza = 0;
  }
  return verse.trim();
}

const EMOJI = ["😂", "😅", "🙂", "😊", "😍", "🥰", "😘", "😉", "😎", "🤔", "😭", "😢", "😡", "😴", "🙈", "🙄", "❤️", "💕", "👍", "👏", "🙏", "💪", "🎉", "🔥", "✨", "☀️", "🌧️", "🍺", "☕", "🎂"];

/** A few emoji of one's own behind sentences. */
function withEmoji(text: string, random: Random): string {
  const own = Array.from({ length: 1 + random.int(4) }, () => random.pick(EMOJI));
  return text.replace(/([.!?…]+["”’)]*)(?=\s|$)|$(?![\s\S])/gu, (end: string, _sign: unknown, at: number) => {
    if (at < text.length && random.uniform() > 0.35) return end;
    const emoji = random.pick(own).repeat(random.uniform() < 0.2 ? 2 : 1);
    return `${end === "." && random.uniform() < 0.5 ? "" : end} ${emoji}`;
  });
}

const NEIGHBOURS: Readonly<Record<string, string>> = {
  a: "qsz", b: "vgn", c: "xdv", d: "sfe", e: "wrd", f: "dgr", g: "fht", h: "gjy", i: "uok", j: "hku", k: "jli", l: "kop", m: "n", n: "bm",
  o: "ipl", p: "ol", q: "wa", r: "etf", s: "adw", t: "ryg", u: "yij", v: "cb", w: "qes", x: "zc", y: "tuh", z: "xa",
};

/** Two to eight of a hundred words have a slip: letters exchanged, left out, doubled, or a neighbour on the keyboard. */
function withTypos(text: string, random: Random): string {
  const chance = 0.02 + 0.06 * random.uniform();
  return text.replace(/[A-Za-z]{3,}/g, (word) => {
    if (random.uniform() >= chance) return word;
    const at = 1 + random.int(word.length - 2); // never the first letter, never the last
    const [before, letter, after] = [word.slice(0, at), word[at] as string, word.slice(at + 1)];
    switch (random.int(4)) {
      case 0:
        return before + (after[0] ?? "") + letter + after.slice(1);
      case 1:
        return before + after;
      case 2:
        return before + letter + letter + after;
      default:
        return before + random.pick([...(NEIGHBOURS[letter] ?? letter)]) + after;
    }
  });
}
