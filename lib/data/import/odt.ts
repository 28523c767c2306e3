/**
 * OpenDocument text (ISO/IEC 26300): the words of content.xml as they are read
 * on the page, one document a file. What is not the running text is left out:
 * notes (they stand apart from it, and their numbers would stand in the middle
 * of sentences), annotations, deleted text of tracked changes, generated tables
 * of contents and indexes, hidden sections, heads and feet (styles.xml, which is
 * not opened). Elements are told by their usual prefixes.
 */
import { openArchive, type Archive } from "./archive";
import { damagedFile, emptyFile, encryptedFile } from "./faults";
import { decodeMarkup } from "./markup-bytes";
import { readMarkup } from "./markup";
import { joinParagraphs } from "./paragraphs";
import type { LeftOut } from "../documents";
import type { Reader } from "./types";

const LEFT_OUT = new Set([
  "text:note", "office:annotation", "text:tracked-changes", "text:table-of-content", "text:illustration-index", "text:table-index", "text:object-index", "text:user-index", "text:alphabetical-index", "text:bibliography",
  "text:ruby-text", "text:hidden-text", "text:script", "office:scripts", "office:forms", "office:binary-data", "text:sequence-decls", "text:variable-decls", "text:user-field-decls", "svg:title", "svg:desc", "math:math", "draw:object",
]);
/** Each `text:s` may claim any number of spaces. */
const MAX_SPACES = 100;
/** Lists and tables in one another. */
const MAX_PLACES = 100;

/** @throws DuctusError `file/damaged`, `file/encrypted`, `file/empty`, `file/too-large`; the signal's reason */
export const readOdt: Reader = async (bytes, context) => {
  const { name } = context;
  const archive = openArchive(bytes, context);
  if (await isEncrypted(archive, name)) throw encryptedFile(name);
  const { text: xml } = decodeMarkup(await archive.read("content.xml"), name);
  const { text, notes, sawBody } = readContent(xml, name);
  if (!sawBody) throw damagedFile(name, "its text is missing");
  if (text === "") throw emptyFile(name);
  return { extracts: [{ name: null, text, form: "paragraphs" }], leftOut: notesLeftOut(name, notes) };
};

export function notesLeftOut(name: string, notes: number): LeftOut[] {
  return notes === 0 ? [] : [{ name, reason: notes === 1 ? "Its note is not taken: it stands apart from the text." : `Its ${notes.toLocaleString("en")} notes are not taken: they stand apart from the text.` }];
}

/** The whole package (ODF 1.4), or its parts each by itself. */
async function isEncrypted(archive: Archive, name: string): Promise<boolean> {
  if (archive.has("encrypted-package")) return true;
  if (!archive.has("META-INF/manifest.xml")) return false;
  let encrypted = false;
  readMarkup(decodeMarkup(await archive.read("META-INF/manifest.xml"), name).text, "xml", {
    open: (element) => { encrypted ||= element === "manifest:encryption-data"; },
    close: () => undefined,
    text: () => undefined,
  });
  return encrypted;
}

type Place = { kind: "list"; depth: number; items: string[] } | { kind: "table"; rows: string[]; cells: string[]; cell: string[] };

function readContent(xml: string, name: string): { text: string; notes: number; sawBody: boolean } {
  const paragraphs: string[] = [];
  /** Open lists and tables; a list in a list is part of it. */
  const places: Place[] = [];
  /** Open paragraphs; a text box stands inside one, and its paragraphs come after it. */
  const open: string[][] = [];
  let boxed: string[] = [];
  let skipped = 0, notes = 0, sawBody = false, inBody = 0;

  const put = (text: string): void => {
    const place = places.at(-1);
    if (place === undefined) paragraphs.push(text);
    else if (text.trim() !== "") (place.kind === "list" ? place.items : place.cell).push(text);
  };
  const enter = (place: Place): void => {
    if (places.length === MAX_PLACES) throw damagedFile(name, "it is nested more deeply than any document");
    places.push(place);
  };
  const leave = (text: string): void => {
    places.pop();
    if (text !== "") put(text);
  };

  readMarkup(xml, "xml", {
    declaration(value) {
      if (/^!?doctype/i.test(value)) throw damagedFile(name, "it holds what no document of its kind does", { details: "document type declaration" });
    },
    open(element, attributes) {
      if (skipped > 0) return void skipped++;
      if (element === "text:note") notes++;
      if (LEFT_OUT.has(element) || (element === "text:section" && attributes.get("text:display") === "none")) return void skipped++;
      const place = places.at(-1), line = open.at(-1);
      if (element === "office:text") {
        sawBody = true;
        inBody++;
      } else if (element === "text:p" || element === "text:h") open.push([]);
      else if (element === "text:list") {
        if (place?.kind === "list") place.depth++;
        else enter({ kind: "list", depth: 1, items: [] });
      } else if (element === "table:table") enter({ kind: "table", rows: [], cells: [], cell: [] });
      else if (line === undefined) return;
      else if (element === "text:line-break") line.push("\n");
      else if (element === "text:tab") line.push("\t");
      else if (element === "text:s") line.push(" ".repeat(spacesOf(attributes)));
    },
    close(element) {
      if (skipped > 0) return void skipped--;
      const place = places.at(-1);
      if (element === "office:text") inBody--;
      else if (element === "text:p" || element === "text:h") {
        const text = (open.pop() as string[]).join("");
        if (open.length > 0) return void boxed.push(text);
        put(text);
        boxed.forEach(put);
        boxed = [];
      } else if (element === "text:list" && place?.kind === "list") {
        if (--place.depth === 0) leave(place.items.join("\n"));
      } else if (place?.kind !== "table") return;
      else if (element === "table:table-cell") {
        place.cells.push(place.cell.join("\n"));
        place.cell = [];
      } else if (element === "table:table-row") {
        place.rows.push(place.cells.join("\t").trim());
        place.cells = [];
      } else if (element === "table:table") leave(place.rows.filter((row) => row !== "").join("\n"));
    },
    text(text) {
      const line = open.at(-1);
      if (skipped > 0 || inBody === 0 || line === undefined) return;
      // white space collapses across elements too, and none begins a paragraph (ODF 1.3, 6.1.2)
      const words = text.replace(/[ \t\r\n]+/g, " ");
      const before = line.at(-1);
      line.push(words.startsWith(" ") && (before === undefined || /[ \n]$/.test(before.slice(-1))) ? words.slice(1) : words);
    },
  });
  return { text: joinParagraphs(paragraphs), notes, sawBody };
}

function spacesOf(attributes: ReadonlyMap<string, string>): number {
  const claimed = Math.trunc(Number(attributes.get("text:c") ?? 1));
  return claimed >= 1 ? Math.min(MAX_SPACES, claimed) : 1;
}
