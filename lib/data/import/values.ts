/**
 * Which values of data are writing: what the keys of objects and the columns of
 * tables are usually called, how much prose a value holds, and how the writings
 * that were found become pieces. Ids, numbers, dates and addresses are not
 * writing. Finding the values is csv.ts's and json.ts's.
 */
import { htmlToText } from "./html-text";
import { countWords } from "../words";
import type { Extract } from "./types";

/** The keys of a file are few and come with each of its rows. */
const known = new Map<string, string>();
const MAX_KNOWN = 5_000;

/** "Full_Text" and "fullText" are one. */
export function plainKey(key: string): string {
  let plain = known.get(key);
  if (plain === undefined) {
    plain = key.slice(0, 100).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
    if (known.size < MAX_KNOWN && key.length <= 100) known.set(key, plain);
  }
  return plain;
}

const list = (keys: string): readonly string[] => keys.split(" ");

/** Where writing usually stands, the surest first. */
export const TEXT_KEYS = list("text fulltext content body plaintext textcontent bodytext contenttext selftext markdown bodymarkdown md story essay article poem chapter post entry journal note notes writing document html bodyhtml contenthtml textcontenthtml message comment lines paragraphs stanzas verses");
export const TITLE_KEYS = list("title name subject heading headline label filename");
/** A prompt and what was written to it; the second is the writing. */
export const PROMPT_KEYS = list("prompt instruction question input query");
export const COMPLETION_KEYS = list("completion response output answer target chosen");
/** Who a message is by. */
export const SENDER_KEYS = list("role sender sendername author authorname from fromname speaker user username nickname");
/** What a speaker is called in a talk with a machine. */
export const MACHINE_TALK = new Set(list("user assistant system human gpt chatgpt bot ai model tool function developer"));

const ADDRESS = /^(?:https?:\/\/|www\.|mailto:|data:|[a-z]:\\|\/|\.\.?\/)\S*$|^\S+@\S+\.\S+$/i;
const TAG = /<\/?[a-z][^<>]{0,300}>/gi;
/** Scripts whose words have no spaces between them. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const LOOKED_AT_CHARS = 5_000;
/** Of the characters that are not spaces: prose has 0.95, lists of numbers and code have less. */
const MIN_LETTERS = 0.7;

/** The words of a value, estimated from its beginning where it is long; 0 where it is no prose: one word, an id, a number, a date, an address, data. */
export function proseWords(value: string): number {
  const start = value.slice(0, LOOKED_AT_CHARS), text = (start.includes("<") ? start.replace(TAG, " ") : start).trim();
  if (text.length < 3 || ADDRESS.test(text)) return 0;
  if (!/\s/.test(text) && !UNSPACED.test(text)) return 0;
  if (!isMostlyLetters(text)) return 0;
  return Math.round(countWords(text) * Math.max(1, value.length / LOOKED_AT_CHARS));
}

function isMostlyLetters(text: string): boolean {
  let letters = 0, signs = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 32) continue;
    signs++;
    if (code < 128 ? (code | 32) >= 97 && (code | 32) <= 122 : code >= 0xd800 && code < 0xe000 ? true : /[\p{L}\p{M}]/u.test(text[i] as string)) letters++;
  }
  return letters >= MIN_LETTERS * signs;
}

/** A writing that was found, with what it is called there. */
export interface Found {
  name: string | null;
  text: string;
}

/** Values of fewer words than this in the middle are messages and posts rather than pieces. */
const MAX_SHORT_WORDS = 25;
const MIN_SHORT_VALUES = 3;
const MIN_TITLED = 0.8;

/**
 * The pieces: one for each writing, or all in one where they are as short as
 * messages. Values that are markup become its text.
 */
export function toExtracts(found: readonly Found[], encoding: string): Extract[] {
  const texts = found.map(({ name, text }): Extract => {
    const isMarkup = holdsMarkup(text);
    return { name: tidyTitle(name), text: (isMarkup ? htmlToText(keepLines(text)) : text).trim(), form: isMarkup ? "paragraphs" : "plain", encoding };
  }).filter(({ text }) => text !== "");
  const titles = new Set(texts.flatMap(({ name }) => name ?? []));
  // What has a title of its own is a piece, however short.
  if (texts.length < MIN_SHORT_VALUES || medianWords(texts) >= MAX_SHORT_WORDS || titles.size >= MIN_TITLED * texts.length) return texts;
  return [{ name: null, text: texts.map(({ text }) => text.replace(/\r\n?/g, "\n")).join("\n\n"), form: "paragraphs", encoding }];
}

function medianWords(texts: readonly { text: string }[]): number {
  const words = texts.map(({ text }) => countWords(text.slice(0, LOOKED_AT_CHARS))).sort((a, b) => a - b);
  return words[Math.floor(words.length / 2)] ?? 0;
}

function holdsMarkup(text: string): boolean {
  return /<\/(?:p|div|li|h[1-6]|blockquote|span|em|strong|a|b|i|u)>|<br ?\/?>/i.test(text);
}

/** Some programs keep the paragraphs as lines, and only what is inside them as markup. */
function keepLines(markup: string): string {
  return /<(?:p|div|br|li|h[1-6])\b/i.test(markup) ? markup : markup.replace(/\r\n?/g, "\n").replace(/\n{2,}/g, "<p>").replace(/\n/g, "<br>");
}

const MAX_TITLE_WORDS = 20;

/** A title that is one, or a day: not the writing's own first paragraph, not an id. */
function tidyTitle(name: string | null): string | null {
  const title = name?.slice(0, 500).replace(/\s+/g, " ").trim() ?? "";
  return (/\p{L}/u.test(title) || /^\d{1,4}[-./]\d{1,2}\b/.test(title)) && countWords(title) <= MAX_TITLE_WORDS ? title : null;
}
