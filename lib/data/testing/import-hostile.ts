/**
 * Files made to do harm: bombs that unpack a thousandfold, archives in archives
 * and over themselves, depth without end, long runs on which a careless pattern
 * takes quadratic time, lines of any length. Where they hold writing, it is made
 * of the words of import-samples.ts.
 */
import { strToU8, zipSync, zlibSync, deflateSync } from "fflate";
import { crc32 } from "../../core/crc32";
import type { Random } from "../../core/random";
import type { FormatName } from "../import/types";
import { makeSample, type Sample } from "./import-samples";
import { joined, pdfFile, pdfOf } from "./pdf-file";

export interface Hostile {
  path: string;
  bytes: Uint8Array;
  how: string;
}

type Make = (random: Random, length: number, sample: Sample) => Uint8Array;

const MB = 1024 * 1024;
const once = (make: () => Uint8Array): (() => Uint8Array) => {
  let made: Uint8Array | null = null;
  return () => (made ??= make());
};
/** 64 MB of spaces, deflated. */
const bomb = once(() => deflateSync(new Uint8Array(64 * MB).fill(0x20), { level: 1 }));
const pdfBomb = once(() => pdfOf([new Uint8Array(120 * MB).fill(0x20)]));
const pdfBombTwice = once(() => pdfOf([zlibSync(new Uint8Array(20 * MB))], { filter: "/Filter [/FlateDecode /FlateDecode]" }));

interface RawEntry {
  path: string;
  /** As it is packed. */
  data: Uint8Array;
  method: number;
  bytes: number;
  crc?: number;
  /** Where another entry's head is, for entries that lie over one another. */
  at?: number;
}

/** A zip as an attacker writes it, by hand (APPNOTE 4.3). */
function rawZip(entries: readonly RawEntry[]): Uint8Array {
  const parts: Uint8Array[] = [], directory: Uint8Array[] = [];
  let at = 0;
  for (const { path, data, method, bytes, crc = 0, at: where } of entries) {
    const name = strToU8(path);
    const fields = (size: number, signature: number, begin: number) => {
      const head = new Uint8Array(size);
      const view = new DataView(head.buffer);
      view.setUint32(0, signature, true);
      view.setUint16(begin + 4, method, true);
      view.setUint32(begin + 10, crc, true);
      view.setUint32(begin + 14, data.length, true);
      view.setUint32(begin + 18, bytes, true);
      view.setUint16(begin + 22, name.length, true);
      return { head, view };
    };
    const local = fields(30, 0x04034b50, 4), central = fields(46, 0x02014b50, 6);
    central.view.setUint32(42, where ?? at, true);
    if (where === undefined) {
      parts.push(local.head, name, data);
      at += 30 + name.length + data.length;
    }
    directory.push(central.head, name);
  }
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, Math.min(0xffff, entries.length), true);
  view.setUint16(10, Math.min(0xffff, entries.length), true);
  view.setUint32(12, directory.reduce((sum, part) => sum + part.length, 0), true);
  view.setUint32(16, at, true);
  return joined([...parts, ...directory, end]);
}

/** The entry that the format's reader looks at first, among those that make the archive what it is. */
const within = (sample: Sample, path: string, data: Uint8Array, method: number, bytes: number): Uint8Array =>
  rawZip([...Object.entries(sample.entries!).filter(([name]) => name !== path).map(([name, content]) => ({ path: name, data: content, method: 0, bytes: content.length, crc: crc32(content) })), { path, data, method, bytes }]);

const PARTS: Partial<Record<FormatName, string>> = { docx: "word/document.xml", odt: "content.xml", epub: "OEBPS/a.xhtml", zip: "notes/a.txt" };
const laughs = (root: string) => strToU8(`<?xml version="1.0"?><!DOCTYPE ${root} [<!ENTITY a "river river">${Array.from({ length: 20 }, (_, i) => `<!ENTITY a${i} "${`&a${i === 0 ? "" : i - 1};`.repeat(10)}">`).join("")}]><${root}>&a19;</${root}>`);

function archives(format: FormatName): [string, Make][] {
  const part = PARTS[format]!;
  const packed = (xml: Uint8Array, sample: Sample) => zipSync({ ...sample.entries, [part]: xml });
  return [
    ["bomb", (_, __, sample) => within(sample, part, bomb(), 8, 64 * MB)],
    ["bomb that lies", (random, _, sample) => within(sample, part, bomb(), 8, random.pick([10, 0, 0xffffffff, 1000]))],
    ["bombs", (_, __, sample) => rawZip(Array.from({ length: 30 }, (_, i) => ({ path: i === 0 ? part : `${i}.txt`, data: bomb(), method: 8, bytes: 64 * MB })).concat(Object.entries(sample.entries!).map(([path, data]) => ({ path, data, method: 0, bytes: data.length }))))],
    ["overlapping", (random, _, sample) => {
      const data = deflateSync(sample.bytes);
      return rawZip([{ path: part, data, method: 8, bytes: sample.bytes.length, crc: crc32(sample.bytes) }, ...Array.from({ length: 200 }, (_, i) => ({ path: `${i}.txt`, data, method: 8, bytes: sample.bytes.length, crc: crc32(sample.bytes), at: random.int(3) }))]);
    }],
    ["many entries", (random, length) => rawZip(Array.from({ length: Math.floor(length / 100) }, (_, i) => ({ path: `${random.pick(["../", "a/", ""])}${i}.txt`, data: strToU8("river"), method: 0, bytes: 5, crc: crc32(strToU8("river")) })))],
    ["deep", (_, length, sample) => packed(strToU8(`<?xml version="1.0"?>${"<a>".repeat(length / 4)}river`), sample)],
    ["deep by name", (_, length, sample) => packed(strToU8(`<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${"<w:tbl><w:tr><w:tc>".repeat(length / 40)}<w:p><w:r><w:t>river</w:t></w:r></w:p>`), sample)],
    ["entities", (_, __, sample) => packed(laughs("a"), sample)],
    ["long attribute", (_, length, sample) => packed(strToU8(`<?xml version="1.0"?><a b="${"x ".repeat(length / 2)}">river</a>`), sample)],
    ["in one another", (_, __, sample) => {
      let zip = sample.bytes;
      for (let i = 0; i < 12; i++) zip = zipSync({ "a.zip": zip });
      return zip;
    }],
  ];
}

const run = (text: string): [string, Make] => [`run of ${text.slice(0, 12)}`, (_, length, sample) => strToU8(`${sample.paragraphs[0]}\n\n${text.repeat(length / text.length)}\n\n${sample.paragraphs[1]}`)];
const line = (name: string, make: (body: string) => string): [string, Make] => [name, (_, length, sample) => strToU8(make(`${sample.paragraphs[0]} `.repeat(Math.ceil(length / 200))))];
const HEAD = "From: Ann Writer <ann@example.org>\nSubject: river\nMIME-Version: 1.0\n";
const content = (text: string, length: number) => strToU8(`BT /F1 9 Tf ${text.repeat(length / text.length)} ET`);

const BY_FORMAT: Partial<Record<FormatName, readonly [string, Make][]>> = {
  text: [line("long line", (body) => body), run("\n"), run(" "), run("a\n"), run("12:00 "), run("--- "), run("river-\n"), run("\u0001 "), run("<!-- "), run("From a\n"), run("{["), run(",,,\n")],
  markdown: [line("long line", (body) => body), run("["), run("*a **a "), run("`"), run("> "), run("- "), run("![a]("), run("#"), run("|a"), run("&amp;"), run("<a "), run("[^a]: "), run("_a__"), run("\\"), run("1. "), run("~~a"), run("[a](<b")],
  html: [
    line("long line", (body) => `<html><body><p>${body}`), ["deep", (_, length) => strToU8(`<html><body>${"<div>".repeat(length / 5)}river`)], ["unclosed", (_, length) => strToU8(`<html><body>${"<p class=a".repeat(length / 10)}`)],
    ["entities", (_, length) => strToU8(`<html><body><p>river ${"&amp;&nosuch;&#x1F600;&#0;&#xD800;".repeat(length / 32)}`)], ["attributes", (_, length) => strToU8(`<html><body ${Array.from({ length: length / 8 }, (_, i) => `a${i}=1`).join(" ")}><p>river`)],
    ["end tags", (_, length) => strToU8(`<html><body>${"</b></p>".repeat(length / 8)}river`)], ["comments", (_, length) => strToU8(`${"<!-- ".repeat(length / 5)}<html><p>river`)], ["tables", (_, length) => strToU8(`<html>${"<table><td>".repeat(length / 11)}river`)],
  ],
  rtf: [
    line("long line", (body) => `{\\rtf1 ${body}}`), ["deep", (_, length) => strToU8(`{\\rtf1 ${"{".repeat(length)}`)], ["bytes", (_, __, sample) => strToU8(`{\\rtf1 river {\\pict\\bin4000000000 ${sample.paragraphs[0]}`)], ["Unicode", (_, length) => strToU8(`{\\rtf1 river ${"\\u-10179?".repeat(length / 9)}}`)],
    ["fonts", (_, length) => strToU8(`{\\rtf1{\\fonttbl${Array.from({ length: length / 20 }, (_, i) => `{\\f${i}\\fcharset${i % 256} A;}`).join("")}}river}`)], ["destinations", (_, length) => strToU8(`{\\rtf1 river${"{\\*\\a}\\par".repeat(length / 10)}}`)],
  ],
  pdf: [
    ["bomb", pdfBomb], ["bomb twice packed", pdfBombTwice],
    ["bomb in letters", () => pdfOf([strToU8(`${"z".repeat(2 * MB)}~>`)], { packed: false, filter: "/Filter /ASCII85Decode" })], ["run lengths", () => pdfOf([new Uint8Array(4 * MB).fill(0x81)], { packed: false, filter: "/Filter [/RunLengthDecode /RunLengthDecode]" })],
    ["arrays", (_, length) => pdfOf([content("[", length)])], ["dictionaries", (_, length) => pdfOf([content("<<", length)])], ["states", (_, length) => pdfOf([content("q ", length)])], ["tiny text", (_, length) => pdfOf([content("(a) Tj 1 0 Td ", Math.min(length, 2 * MB))])],
    ["one place", (_, length) => pdfOf([content("(river) Tj ", Math.min(length, 2 * MB))])], ["many pages", (random, length) => pdfFile(Array.from({ length: Math.min(1500, length / 200) }, (_, i) => [{ x: 60, y: 60 + random.int(400), text: `river ${i}` }]))],
    ["pages of pages", () => strToU8("%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 2000000000 /Kids [2 0 R 2 0 R] >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n")],
    ["deep object", (_, length) => strToU8(`%PDF-1.4\n1 0 obj\n${"[".repeat(length)}\nendobj\ntrailer\n<< /Root 1 0 R >>\n`)], ["huge numbers", () => pdfFile([[{ x: 1e30, y: -1e30, text: "river", size: 1e9 }, { x: 60, y: 60, text: "river lantern window garden" }]])],
  ],
  email: [
    line("long line", (body) => `${HEAD}\n${body}`), ["deep parts", (_, length) => strToU8(`${HEAD}${Array.from({ length: Math.min(3000, length / 60) }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join("")}\nriver`)],
    ["many parts", (_, length) => strToU8(`${HEAD}Content-Type: multipart/mixed; boundary=b\n\n${"--b\n\nriver\n".repeat(length / 12)}`)], ["long head", (_, length) => strToU8(`${HEAD}${"X-A: river\n ".repeat(length / 12)}\n\nriver`)],
    ["encoded words", (_, length) => strToU8(`${HEAD}X: ${"=?utf-8?q?=41?= ".repeat(length / 16)}\nFrom: ${"(".repeat(1000)}\n\nriver`)], ["addresses", (_, length) => strToU8(`From: ${"a:".repeat(length / 2)}\nTo: ${"<".repeat(1000)}\nSubject: x\n\nriver`)],
    ["flowed", (_, length) => strToU8(`${HEAD}Content-Type: text/plain; format=flowed\n\n${"river \n".repeat(length / 7)}`)], ["boundaries", (_, length) => strToU8(`${HEAD}Content-Type: multipart/mixed; boundary="${"-".repeat(70)}"\n\n${`${"-".repeat(71)}\n`.repeat(length / 72)}`)],
    ["HTML", (_, length) => strToU8(`${HEAD}Content-Type: text/html\n\n${"<div><a href=".repeat(length / 13)}river`)], ["both", (_, length) => strToU8(`${HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n${"<a <br <!--".repeat(length / 11)}\n--b\n\nriver\n--b--`)],
  ],
  mbox: [
    ["many mails", (_, length) => strToU8("From a@b Mon Mar  4 10:11:12 2019\nFrom: a@b\n\n\n".repeat(Math.min(20_000, length / 45)))], ["lines of From", (_, length) => strToU8(`From a@b Mon Mar  4 10:11:12 2019\n${HEAD}\n${"From a\n\n".repeat(length / 8)}`)],
    ["quotes", (_, length) => strToU8(`From a@b Mon Mar  4 10:11:12 2019\n${HEAD}\n${">".repeat(length)}From river\n${">From river\n".repeat(1000)}`)], ["no ends", (_, length) => strToU8(`From a@b Mon Mar  4 10:11:12 2019\n${HEAD}${"X-A: b\n".repeat(length / 7)}`)],
  ],
  csv: [
    line("long cell", (body) => `id,text\n1,"${body}"\n`), ["columns", (_, length) => strToU8(`${"a,".repeat(length / 2)}\n${"river,".repeat(1000)}\n`)], ["quotation marks", (_, length) => strToU8(`id,text\n${'1,"river\n'.repeat(length / 9)}`)], ["marks inside", (_, length) => strToU8(`id,text\n${'1,ri"ver"a"\n'.repeat(length / 12)}`)],
    ["rows", (_, length) => strToU8(`id,text\n${"1,\n".repeat(length / 3)}`)],
  ],
  json: [
    line("long string", (body) => JSON.stringify([{ text: body }])), ["deep", (_, length) => strToU8(`${"[".repeat(length / 2)}"river"${"]".repeat(length / 2)}`)], ["deep objects", (_, length) => strToU8(`${'{"text":'.repeat(length / 9)}"river"${"}".repeat(length / 9)}`)],
    ["keys", (_, length) => strToU8(`{${Array.from({ length: length / 12 }, (_, i) => `"k${i}":"a"`).join(",")}}`)], ["prototype", (_, __, sample) => strToU8(JSON.stringify([{ text: sample.paragraphs[0] }]).replace("[{", '[{"__proto__":{"text":1},"constructor":null,'))], ["numbers", (_, length) => strToU8(`[${"1e999,".repeat(length / 6)}-0]`)],
  ],
  jsonl: [line("long line", (body) => `${JSON.stringify({ text: body })}\n${JSON.stringify({ text: "river" })}\n`), ["brackets", (_, length) => strToU8(`{"text":"river"}\n${"[\n".repeat(length / 2)}`)], ["lines", (_, length) => strToU8("{}\n".repeat(length / 3))]],
};

/** @param length about how long runs are; those of archives and pages are what they must be to do harm */
export function hostile(format: FormatName, random: Random, length: number): Hostile {
  const sample = makeSample(format, `hostile ${random.int(10)}`);
  const kinds = [...(BY_FORMAT[format] ?? []), ...(format in PARTS ? archives(format) : [])];
  const [how, make] = random.pick(kinds);
  return { path: sample.path, bytes: make(random, length, sample), how };
}

const MAGIC: Partial<Record<FormatName, string>> = { pdf: "%PDF-1.7\n", rtf: "{\\rtf1 ", docx: "PK\u0003\u0004", odt: "PK\u0003\u0004", epub: "PK\u0003\u0004", zip: "PK\u0003\u0004", email: HEAD, mbox: "From a Mon Mar  4 10:11:12 2019\n", html: "<!DOCTYPE html>", json: "[", jsonl: "{", csv: "a,b,c\n" };

/** The format's first bytes, and anything behind. */
export function noise(format: FormatName, random: Random): Hostile {
  const length = random.int(4000), kind = random.int(3);
  const bytes = Uint8Array.from({ length }, () => (kind === 0 ? random.int(256) : kind === 1 ? 32 + random.int(95) : random.pick([0, 10, 34, 60, 62, 92, 123, 125, 65, 0xc3, 0xa9])));
  return { path: makeSample(format, "noise").path, bytes: joined([strToU8(MAGIC[format] ?? "", true), bytes]), how: "noise" };
}
