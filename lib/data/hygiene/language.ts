/**
 * Which languages a text is written in, and in which parts, by the letters that
 * follow one another (eld, 60 languages, its smallest data: a quarter of a
 * megabyte that is fetched when it is first asked for). Judged a few sentences
 * at a time, against the language of the whole, so that a name or a line of
 * dialect does not make a language. Dialects and languages beyond the 60 come
 * out as their nearest relative.
 */
import { fraction } from "../phrases";

export interface LanguageShare {
  /** ISO 639-1. */
  language: string;
  /** Of the text's characters. */
  share: number;
}

export interface LanguageReport {
  /** The largest share's language; null where the text is too short or no language is known in it. */
  main: string | null;
  /** Largest first; together 1, or none. */
  shares: LanguageShare[];
  /** Stretches of one language, in order, that cover the text; one that is sampled, to some thousand characters. */
  stretches: { start: number; end: number; language: string }[];
}

export type LanguageDetector = (text: string) => LanguageReport;

/** Characters judged together: to the first sentence's or line's end after the least, and to a paragraph's in any case unless the text is sampled. */
const LEAST_CHARS = 80, MOST_CHARS = 240;
/** In longer texts as many places are looked at, evenly spread: a few where all are of one language, else more. */
const FEW_PLACES = 40, MAX_PLACES = 600;
/** Fewer letters say nothing. */
const MIN_LETTERS = 12;
/** A place is of another language than the whole when it has so many letters (a Chinese or Japanese one counts as three), and its own language scores so much higher (0 to 1). */
const OTHER_MIN_LETTERS = 30, OTHER_MARGIN = 0.08;
/** A language is one of the text's when it has two such places, or one that is long. */
const OTHER_ONE_PLACE_LETTERS = 60;

/** Fetches what the detector needs, once. */
export async function loadLanguageDetector(): Promise<LanguageDetector> {
  const { eld } = await import("eld/extrasmall");
  return (text) => detect(text, (place) => eld.detect(place));
}

interface Judgement {
  language: string;
  getScores: () => Record<string, number>;
  isReliable: () => boolean;
}

interface Place {
  /** End of the stretch it stands for. */
  end: number;
  letters: number;
  language: string;
  judgement: Judgement;
}

function detect(text: string, judge: (text: string) => Judgement): LanguageReport {
  const quick = detectIn(text, FEW_PLACES, judge);
  return quick.shares.length > 1 && text.length > FEW_PLACES * MOST_CHARS ? detectIn(text, MAX_PLACES, judge) : quick;
}

function detectIn(text: string, most: number, judge: (text: string) => Judgement): LanguageReport {
  const places: Place[] = [];
  const letters = new Map<string, number>();
  for (const { start, end, until } of placesOf(text, most)) {
    const place = text.slice(start, end);
    const count = lettersOf(place);
    if (count < MIN_LETTERS) continue;
    const judgement = judge(place);
    const { language } = judgement;
    if (language !== "") letters.set(language, (letters.get(language) ?? 0) + count);
    places.push({ end: until, letters: count, language, judgement });
  }
  const [best] = [...letters].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  if (best === undefined) return { main: null, shares: [], stretches: [] };
  const main = best[0];

  const stands = ({ language, letters, judgement }: Place): boolean => {
    if (language === main || letters < OTHER_MIN_LETTERS || !judgement.isReliable()) return false;
    const scores = judgement.getScores();
    return (scores[language] ?? 0) - (scores[main] ?? 0) >= OTHER_MARGIN;
  };
  const standing = new Set(places.filter(stands));
  const others = new Map<string, { places: number; longest: number }>();
  for (const place of standing) {
    const other = others.get(place.language) ?? { places: 0, longest: 0 };
    others.set(place.language, { places: other.places + 1, longest: Math.max(other.longest, place.letters) });
  }
  const stretches: LanguageReport["stretches"] = [];
  for (const place of places) {
    const other = others.get(place.language);
    const last = stretches.at(-1);
    const goesOn = place.language === last?.language; // too short to stand alone, but like what precedes it
    const language = goesOn || (standing.has(place) && other !== undefined && (other.places > 1 || other.longest >= OTHER_ONE_PLACE_LETTERS)) ? place.language : main;
    if (last?.language === language) last.end = place.end;
    else stretches.push({ start: last?.end ?? 0, end: place.end, language });
  }
  (stretches.at(-1) as LanguageReport["stretches"][number]).end = text.length;
  const shares = addShares(stretches.map(({ start, end, language }) => ({ language, share: end - start })));
  return { main: shares[0]?.language ?? main, shares, stretches };
}

/** How many letters a text has; those that are syllables or words count as three. */
function lettersOf(text: string): number {
  const letters = text.replace(/\P{L}+/gu, "").length;
  return /[\u3040-\u9fff\uac00-\ud7af]/.test(text) ? letters + 2 * text.replace(/[^\u3040-\u9fff\uac00-\ud7af]+/g, "").length : letters;
}

/** The places of a text that are judged, each with the end of the stretch it stands for. */
function* placesOf(text: string, most: number): Generator<{ start: number; end: number; until: number }> {
  const step = text.length / most, sampled = step > MOST_CHARS;
  for (let start = 0; start < text.length; ) {
    const end = placeEnd(text, start, !sampled);
    const until = sampled ? Math.max(end, Math.ceil(start + step)) : end;
    yield { start, end, until };
    start = until;
  }
}

function placeEnd(text: string, start: number, atParagraphs: boolean): number {
  const slice = text.slice(start, start + MOST_CHARS);
  for (const match of slice.matchAll(/\n\s*|[.!?…]["”’»)\]]*\s+|[。！？]/g)) {
    const end = match.index + match[0].length;
    if (end >= LEAST_CHARS || (atParagraphs && match[0].indexOf("\n") !== match[0].lastIndexOf("\n"))) return start + end;
  }
  if (slice.length < MOST_CHARS) return text.length;
  const space = slice.lastIndexOf(" ");
  return start + (space > 0 ? space + 1 : slice.length);
}

/** Amounts of each language as shares of their sum, the largest first. */
export function addShares(amounts: readonly LanguageShare[]): LanguageShare[] {
  const sums = new Map<string, number>();
  let total = 0;
  for (const { language, share } of amounts) {
    sums.set(language, (sums.get(language) ?? 0) + share);
    total += share;
  }
  if (total === 0) return [];
  return [...sums].map(([language, sum]) => ({ language, share: sum / total })).sort((a, b) => b.share - a.share || (a.language < b.language ? -1 : 1));
}

let names: Intl.DisplayNames | undefined;

/** A language's English name. */
export function languageName(code: string): string {
  return (names ??= new Intl.DisplayNames(["en"], { type: "language" })).of(code) ?? code;
}

/** "English", "mostly English, a fifth German", "half English, half German", "too short to tell". */
export function languageWords(shares: readonly LanguageShare[]): string {
  const [main, second, ...others] = shares;
  if (main === undefined) return "too short to tell";
  const name = languageName(main.language);
  if (second === undefined || second.share < 0.01) return name;
  const more = others.some(({ share }) => share >= 0.05);
  if (main.share < 0.5) return more ? listOf(shares) : `${name} and ${languageName(second.language)}`;
  const part = (share: LanguageShare): string => `${fraction(share.share)} ${languageName(share.language)}`;
  if (main.share < 0.56 && !more) return `half ${name}, half ${languageName(second.language)}`;
  return `mostly ${name}, ${part(second)}${more ? " and others" : ""}`;
}

function listOf(shares: readonly LanguageShare[]): string {
  const known = shares.filter(({ share }) => share >= 0.05).map(({ language }) => languageName(language));
  return known.length < 2 ? (known[0] ?? "") : `${known.slice(0, -1).join(", ")} and ${known.at(-1)}`;
}

/** What the model that comes with the site knows. */
const KNOWN = "en";

/** What is to be known before a model that has read English learns this writing; null where it is English but for a little. */
export function languageNotice(shares: readonly LanguageShare[]): string | null {
  const foreign = shares.filter(({ language, share }) => language !== KNOWN && share >= 0.07);
  const [first] = foreign;
  if (first === undefined) return null;
  const share = foreign.reduce((sum, entry) => sum + entry.share, 0);
  const what = foreign.length === 1 ? languageName(first.language) : "languages other than English";
  const it = foreign.length === 1 ? what : "them";
  if (share < 0.5) return `About ${fraction(share)} of this writing is in ${what}. The model that comes with the site has read only English: it will write that part badly. Leave it out, or bring in a larger model that knows ${it}.`;
  return `This writing is ${share > 0.9 ? "" : "mostly "}in ${what}. The model that comes with the site has read only English: it can learn the look of the words, but not write ${it} well. Bring in a larger model that knows ${it}, such as one of the Qwen models.`;
}
