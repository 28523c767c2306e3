/**
 * Seeded damage to files that are imported: harmless changes, after which all of
 * the writing must come out, and harmful ones. Files made to be hostile are
 * import-hostile.ts's; what must come of a file is import-fuzz.ts's.
 */
import { strFromU8, strToU8, zipSync } from "fflate";
import type { Random } from "../../core/random";
import { damageBytes, damageJson } from "../../train/testing/fuzz";
import type { FormatName } from "../import/types";
import type { Sample } from "./import-samples";
import { joined, toWindows1252 } from "./pdf-file";

export interface Damaged {
  path: string;
  bytes: Uint8Array;
  /** All of the writing is still there and must be found. */
  whole: boolean;
  /** What was done, in a word. */
  how: string;
}

type Change = (sample: Sample, random: Random, format: FormatName) => Omit<Damaged, "how">;

/** What the first bytes or the text itself say, whatever the file is called. */
const SAYS_ITSELF: ReadonlySet<FormatName> = new Set(["docx", "odt", "epub", "rtf", "pdf", "zip", "email", "mbox", "html"]);
const TEXTS: ReadonlySet<FormatName> = new Set(["text", "markdown", "html", "csv", "json", "jsonl"]);
const ARCHIVES: ReadonlySet<FormatName> = new Set(["docx", "odt", "epub", "zip"]);
const ENDINGS = ["txt", "md", "html", "docx", "odt", "rtf", "pdf", "epub", "eml", "mbox", "csv", "json", "jsonl", "zip", "doc", "jpg", "", "exe", "xml"];
const HOSTILE_NAMES = [
  "../../../../etc/", "..\\..\\windows\\system32\\", "C:\\", "/etc/", "con/", "a/".repeat(3000), "\u202e", "\u0000", "<script>alert(1)</script>", "%2e%2e%2f", "💣".repeat(100), "x".repeat(5000), "\ud800", "__proto__/constructor/", "'; drop table;", "\r\nSet-Cookie: a=b", "${name}", "“”",
];

const ending = (path: string): string => /\.\w+$/.exec(path)?.[0] ?? "";

const HARMLESS: readonly [how: string, formats: ReadonlySet<FormatName> | null, change: Change][] = [
  ["another ending", null, ({ path, bytes }, random, format) => {
    const other = random.pick(ENDINGS);
    return { path: path.replace(/\.\w+$/, other && `.${other}`), bytes, whole: SAYS_ITSELF.has(format) };
  }],
  ["hostile name", null, ({ path, bytes }, random) => ({ path: `${random.pick(HOSTILE_NAMES)}name${ending(path)}`, bytes, whole: true })],
  ["capital ending", null, ({ path, bytes }) => ({ path: path.toUpperCase(), bytes, whole: true })],
  ["byte order mark", TEXTS, ({ path, bytes }) => ({ path, bytes: joined([Uint8Array.of(0xef, 0xbb, 0xbf), bytes]), whole: true })],
  ["UTF-16", TEXTS, ({ path, bytes }, random) => ({ path, bytes: toUtf16(strFromU8(bytes), random.int(2) === 0), whole: true })],
  // JSON is UTF-8 or UTF-16, and the page says that it is UTF-8
  ["windows-1252", TEXTS, ({ path, bytes }, _, format) => ({ path, bytes: toWindows1252(strFromU8(bytes)), whole: format === "text" || format === "markdown" || format === "csv" })],
  ["line ends", new Set([...TEXTS, "email", "mbox", "rtf"]), ({ path, bytes }) => ({ path, bytes: fromLatin(latin(bytes).replaceAll("\n", "\r\n")), whole: true })],
  ["old line ends", TEXTS, ({ path, bytes }, _, format) => ({ path, bytes: fromLatin(latin(bytes).replaceAll("\n", "\r")), whole: format !== "jsonl" })],
  ["blank lines around", new Set([...TEXTS, "email", "mbox"]), ({ path, bytes }) => ({ path, bytes: joined([strToU8("\n\n"), bytes, strToU8("\n \n")]), whole: true })],
  ["packed otherwise", ARCHIVES, ({ path, entries }, random) => ({ path, bytes: zipSync(entries!, { level: random.pick([0, 1, 9]), comment: random.int(2) === 0 ? "a comment" : "" }), whole: true })],
  ["in a folder of a zip", null, ({ path, bytes }) => ({ path: "outer.zip", bytes: zipSync({ [`a folder/${path}`]: bytes }), whole: true })],
  ["something behind", new Set<FormatName>(["docx", "odt", "epub", "zip", "rtf", "pdf"]), ({ path, bytes }, random) => ({ path, bytes: joined([bytes, new Uint8Array(1 + random.int(2000)).fill(random.pick([0, 10, 32]))]), whole: true })],
];

const HARMFUL: readonly [how: string, formats: ReadonlySet<FormatName> | null, change: Change][] = [
  ["bytes", null, edited],
  ["bytes", null, edited],
  ["bytes", null, edited],
  ["cut off", null, ({ path, bytes }, random) => ({ path, bytes: bytes.slice(0, random.int(bytes.length)), whole: false })],
  ["from the middle", null, ({ path, bytes }, random) => ({ path, bytes: bytes.slice(random.int(bytes.length)), whole: false })],
  ["bits", null, ({ path, bytes }, random) => {
    const out = bytes.slice();
    for (let i = 1 + random.int(8); i > 0; i--) out[random.int(out.length)]! ^= 1 << random.int(8);
    return { path, bytes: out, whole: false };
  }],
  ["twice", null, ({ path, bytes }) => ({ path, bytes: joined([bytes, bytes]), whole: false })],
  ["an entry", ARCHIVES, damagedEntry],
  ["an entry", ARCHIVES, damagedEntry],
  ["lying sizes", ARCHIVES, ({ path, bytes }, random) => ({ path, bytes: withLies(bytes, random), whole: false })],
  ["renamed entry", ARCHIVES, ({ path, entries }, random) => {
    const names = Object.keys(entries!);
    const one = random.pick(names);
    return { path, bytes: zipSync(Object.fromEntries(names.map((name) => [name === one ? random.pick(["../../../etc/passwd", "/abs.txt", "a\\..\\b.txt", "constructor", "x".repeat(4000), "a/".repeat(2000), name.toUpperCase()]) : name, entries![name]!]))), whole: false };
  }],
  ["a value", new Set<FormatName>(["json"]), ({ path, bytes }, random) => ({ path, bytes: damageJson(bytes, random), whole: false })],
  ["letters as markup", TEXTS, ({ path, bytes }, random) => {
    const out = bytes.slice();
    for (let i = 1 + random.int(5); i > 0; i--) out[random.int(out.length)] = "<>&\"'\\{}[]#*`|=,;\t\0\r\u001b".charCodeAt(random.int(22));
    return { path, bytes: out, whole: false };
  }],
];

function edited({ path, bytes }: Sample, random: Random): Omit<Damaged, "how"> {
  let out = bytes;
  for (let i = 1 + random.int(3); i > 0; i--) out = damageBytes(out, random);
  return { path, bytes: out, whole: false };
}

function damagedEntry({ path, entries }: Sample, random: Random): Omit<Damaged, "how"> {
  const name = random.pick(Object.keys(entries!));
  return { path, bytes: zipSync({ ...entries, [name]: damageBytes(entries![name]!, random) }), whole: false };
}

/** Sizes, offsets and lengths of names in a zip's directory and heads, as an attacker would have them (APPNOTE 4.3.7, 4.3.12, 4.3.16). */
function withLies(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const records: [at: number, fields: readonly number[]][] = [];
  for (let at = 0; at + 46 < out.length; at++) {
    if (out[at] !== 0x50 || out[at + 1] !== 0x4b) continue;
    if (out[at + 2] === 1) records.push([at, [16, 20, 24, 26, 28, 42]]);
    if (out[at + 2] === 3) records.push([at, [14, 18, 22, 26]]);
    if (out[at + 2] === 5) records.push([at, [8, 10, 12, 16]]);
  }
  for (let i = 1 + random.int(3); i > 0 && records.length > 0; i--) {
    const [at, fields] = random.pick(records);
    const place = at + random.pick(fields);
    if (place + 4 <= out.length) view.setUint32(place, random.pick([0, 1, 0xffff, 0x7fffffff, 0xffffffff, view.getUint32(place, true) + 1, view.getUint32(place, true) * 1000]) >>> 0, true);
  }
  return out;
}

const latin = (bytes: Uint8Array): string => strFromU8(bytes, true);
const fromLatin = (text: string): Uint8Array => strToU8(text, true);

function toUtf16(text: string, big: boolean): Uint8Array {
  const out = new Uint8Array(2 * text.length + 2);
  const view = new DataView(out.buffer);
  view.setUint16(0, 0xfeff, !big);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i + 2, text.charCodeAt(i), !big);
  return out;
}

export function damage(sample: Sample, format: FormatName, random: Random, harmless: boolean): Damaged {
  const [how, , change] = random.pick((harmless ? HARMLESS : HARMFUL).filter(([, formats]) => formats === null || formats.has(format)));
  return { ...change(sample, random, format), how };
}

/** Half of one file and half of another. */
export function spliced(one: Sample, other: Sample, random: Random): Damaged {
  return { path: random.pick([one, other]).path, bytes: joined([one.bytes.subarray(0, random.int(one.bytes.length)), other.bytes.subarray(random.int(other.bytes.length))]), whole: false, how: "spliced" };
}
