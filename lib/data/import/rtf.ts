/**
 * RTF, after the Rich Text Format Specification 1.9.1 (Microsoft, 2008): the
 * words of the text itself, with the title that the document gives itself. What
 * is not the writing (tables of fonts and colours, styles, pictures, objects,
 * heads and feet, footnotes, comments, field codes, the numbers of lists, and
 * destinations that are not known) is passed over, and so is hidden and deleted
 * text. Groups stand on a stack of bounded depth. It knows nothing of layout.
 */
import { DuctusError } from "../../core/errors";
import { damagedFile } from "./faults";
import { notesLeftOut } from "./odt";
import { joinParagraphs } from "./paragraphs";
import { createPause } from "./pause";
import { codePageOfCharset, SYMBOL_CHARSET } from "./rtf-charsets";
import { RtfText, type RtfFont } from "./rtf-text";
import { RtfScanner } from "./rtf-tokens";
import type { Reader, Reading } from "./types";

/** Word nests some thirty groups. */
const MAX_DEPTH = 1000;
/** Tokens between two chances to pause. */
const TURN_TOKENS = 20_000;
/** With a larger share of characters that their code page does not know, the text would be read wrongly. */
const MAX_BAD_SHARE = 0.002;

/** Destinations that hold no text of the writer's, where they are not marked by \*. */
const NOT_WRITING = new Set(
  ("colortbl stylesheet info pict object nonshppict shp shprslt do header headerl headerr headerf footer footerl footerr footerf ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn " +
    "annotation atnid atnauthor atrfstart atrfend listtext pntext pntxta pntxtb pnseclvl tc tcn xe txe rxe bkmkstart bkmkend fldinst fldtype datafield formfield filetbl revtbl " +
    "listtable listoverridetable rsidtbl themedata colorschememapping datastore latentstyles background private nextfile template userprops xmlnstbl mmath").split(" "),
);
const ENDS_PARAGRAPH = new Set(["par", "sect", "page", "cell", "nestcell", "row", "nestrow"]);
const CHARACTERS: Readonly<Record<string, string>> = {
  line: "\n", lbr: "\n", softline: " ", tab: "\t", emdash: "—", endash: "–", lquote: "‘", rquote: "’", ldblquote: "“", rdblquote: "”", bullet: "•",
  emspace: "\u2003", enspace: "\u2002", qmspace: "\u2005", zwj: "\u200d", zwnj: "\u200c",
};
/** \- says where a word may be divided, \: and \| are of indexes and formulas. */
const SYMBOLS: Readonly<Record<string, string>> = { "~": "\u00a0", _: "\u2011", "\t": "\t" };
const CODE_PAGES: Readonly<Record<string, number>> = { ansi: 1252, mac: 10000, pc: 437, pca: 850 };

type Into = "text" | "title" | "fonts" | "nowhere";

interface Group {
  into: Into;
  /** Where the text around \upr goes; its \ud is read in its place. */
  around: Into;
  /** Inside \info, where \title is the document's. */
  info: boolean;
  font: number | null;
  hidden: boolean;
  deleted: boolean;
  /** How many characters stand after each \u for readers that do not know it. */
  substitutes: number;
}

/** @throws DuctusError `file/damaged`, `file/not-text` (letters in an unknown code page); the signal's reason */
export const readRtf: Reader = async (bytes, { name, signal }): Promise<Reading> => {
  const document = new RtfDocument(bytes, name);
  const pause = createPause(signal);
  while (document.readOn(TURN_TOKENS)) await pause();
  return document.reading();
};

class RtfDocument {
  private readonly scanner: RtfScanner;
  private readonly outer: Group[] = [];
  private group: Group = { into: "text", around: "text", info: false, font: null, hidden: false, deleted: false, substitutes: 1 };
  private readonly fonts = new Map<number, RtfFont>();
  private defining: RtfFont | null = null;
  private defaultFont: number | null = null;
  /** Characters still to be passed over after a \u. */
  private passOver = 0;
  /** After \*: a destination that may be passed over. */
  private optional = false;
  private readonly text = new RtfText();
  private title = new RtfText();
  private notes = 0;

  constructor(private readonly file: Uint8Array, private readonly name: string) {
    this.scanner = new RtfScanner(file);
    if (!/^(?:\xef\xbb\xbf)?\s*\{\\rtf/.test(String.fromCharCode(...file.subarray(0, 256)))) throw damagedFile(name, "its beginning is not that of a rich text document");
  }

  /** @returns whether there is more to read */
  readOn(tokens: number): boolean {
    for (let i = 0; i < tokens; i++) if (!this.step()) return false;
    return true;
  }

  /** What was read. */
  reading(): Reading {
    const paragraphs = this.text.finish();
    const unknown = this.text.unknownCodePage;
    if (unknown !== null) {
      throw new DuctusError("file/not-text", `The letters of “${this.name}” are stored in a way that is not read here.`, "Open it in the program that made it, save it as a Word document (.docx) or as plain text in UTF-8, and drop that in.", { details: `code page ${unknown}` });
    }
    const text = joinParagraphs(paragraphs.map((paragraph) => paragraph.replace(/\p{Cs}/gu, "\ufffd")));
    const bad = text.match(/\ufffd/g)?.length ?? 0;
    if (bad > MAX_BAD_SHARE * text.length) throw damagedFile(this.name, "some of its letters are no letters of the alphabet that it names");
    const title = this.title.finish().join(" ").replace(/\s+/g, " ").trim();
    const leftOut: Reading["leftOut"] = [];
    if (this.outer.length > 0) leftOut.push({ name: this.name, reason: "The file breaks off before its end. What comes before was read." });
    leftOut.push(...notesLeftOut(this.name, this.notes));
    return { extracts: [{ name: title === "" ? null : title, text: text.replaceAll("\ufffd", ""), form: "paragraphs" }], leftOut };
  }

  private step(): boolean {
    const token = this.scanner.next();
    switch (token) {
      case "end":
        return false;
      case "open":
        if (this.outer.length >= MAX_DEPTH) throw damagedFile(this.name, "its parts are nested deeper than any program nests them");
        this.outer.push(this.group);
        this.group = { ...this.group };
        this.passOver = 0;
        this.optional = false;
        return true;
      case "close": {
        const outer = this.outer.pop();
        if (outer !== undefined) this.group = outer;
        this.passOver = 0;
        this.optional = false;
        return this.outer.length > 0; // what follows the document's last brace is not its
      }
      case "text":
        this.run(this.scanner.from, this.scanner.to);
        return true;
      case "hex":
        if (this.passOver > 0) this.passOver--;
        else this.byte(this.scanner.value as number);
        return true;
      case "symbol":
        this.symbol(this.scanner.name);
        return true;
      case "word":
        this.word(this.scanner.name, this.scanner.value);
        return true;
    }
    return token satisfies never;
  }

  private run(from: number, to: number): void {
    const start = Math.min(to, from + this.passOver);
    this.passOver -= start - from;
    if (this.group.into === "nowhere") return;
    for (let i = start; i < to; i++) this.byte(this.file[i] as number);
  }

  private byte(byte: number): void {
    const { into, hidden, deleted, font } = this.group;
    if (into === "fonts") this.fontName(byte);
    else if (into === "title") this.title.byte(byte, null);
    else if (into === "text" && !hidden && !deleted) this.text.byte(byte, this.fonts.get(font ?? this.defaultFont ?? -1) ?? null);
  }

  private fontName(byte: number): void {
    if (byte === 0x3b) this.defining = null;
    else if (this.defining !== null && this.defining.name.length < 64) this.defining.name = (this.defining.name + String.fromCharCode(byte)).trimStart();
  }

  private character(text: string): void {
    const { into, hidden, deleted } = this.group;
    if (into === "title") this.title.character(text);
    else if (into === "text" && !hidden && !deleted) this.text.character(text);
  }

  private endParagraph(): void {
    const { into, hidden, deleted } = this.group;
    if (into === "text" && !hidden && !deleted) this.text.endParagraph();
  }

  private symbol(symbol: string): void {
    if (symbol === "*") {
      this.optional = true;
      return;
    }
    const text = SYMBOLS[symbol];
    if (this.passOver > 0) this.passOver--;
    else if ("\\{}".includes(symbol)) this.byte(symbol.charCodeAt(0)); // as the second byte of a character too
    else if (symbol === "\n" || symbol === "\r") this.endParagraph();
    else if (text !== undefined) this.character(text);
  }

  private word(word: string, value: number | null): void {
    const { group } = this;
    const { optional } = this;
    this.optional = false;
    if (word === "bin") this.scanner.skip(value ?? 0);
    if (this.passOver > 0) {
      this.passOver--;
      return;
    }
    if (this.destination(word) || word === "bin") return;
    if (optional) {
      group.into = "nowhere";
      return;
    }
    const on = value !== 0;
    if (ENDS_PARAGRAPH.has(word)) this.endParagraph();
    else if (Object.hasOwn(CHARACTERS, word)) this.character(CHARACTERS[word] as string);
    else if (Object.hasOwn(CODE_PAGES, word)) this.setCodePage(CODE_PAGES[word] as number);
    else if (word === "u") this.unicode(value);
    else if (word === "uc") group.substitutes = Math.min(16, Math.max(0, value ?? 1));
    else if (word === "v") group.hidden = on;
    else if (word === "deleted") group.deleted = on;
    else if (word === "plain") Object.assign(group, { font: null, hidden: false });
    else if (word === "ansicpg" && value !== null && value > 0) this.setCodePage(value);
    else if (word === "deff") this.defaultFont = value;
    else if (word === "f") this.font(value ?? 0);
    else if (word === "fcharset") this.charset(value ?? 0);
    else if (word === "cpg" && this.defining !== null && group.into === "fonts") this.defining.codePage = value;
  }

  /** @returns whether the word says where the text of its group goes */
  private destination(word: string): boolean {
    const { group } = this;
    if (word === "ud") group.into = group.around;
    else if (group.into === "nowhere") {
      if (word !== "title" || !group.info) return false;
      group.into = "title";
      this.title = new RtfText(); // of two, the second is the one in Unicode
      this.title.codePage = this.text.codePage;
    } else if (word === "upr") {
      group.around = group.into;
      group.into = "nowhere";
    } else if (word === "fonttbl") group.into = "fonts";
    else if (word === "footnote") {
      group.into = "nowhere";
      this.notes++;
    } else if (NOT_WRITING.has(word)) {
      group.into = "nowhere";
      group.around = "nowhere";
      group.info = word === "info";
    } else return false;
    return true;
  }

  private setCodePage(codePage: number): void {
    this.text.codePage = this.title.codePage = codePage;
  }

  private unicode(value: number | null): void {
    this.passOver = this.group.substitutes;
    if (value === null) return;
    const code = value < 0 ? value + 0x10000 : value;
    if (code < 0 || code > 0x10ffff) return;
    // Fonts of symbols have their characters at U+F020 and after; the bullet is the one that is writing.
    if (code >= 0xe000 && code <= 0xf8ff) this.character(code === 0xf0b7 ? "•" : "");
    else this.character(code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code));
  }

  private font(id: number): void {
    if (this.group.into !== "fonts") {
      this.group.font = id;
      return;
    }
    this.defining = { codePage: null, symbols: false, name: "" };
    this.fonts.set(id, this.defining);
  }

  private charset(charset: number): void {
    if (this.defining === null || this.group.into !== "fonts") return;
    this.defining.symbols = charset === SYMBOL_CHARSET;
    this.defining.codePage ??= codePageOfCharset(charset);
  }
}
