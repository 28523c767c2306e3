/**
 * E-books: one book is one document, its chapters in reading order. Left out,
 * with the reason, are pages that are not writing (cover, contents, copyright),
 * as the book itself calls them or as they plainly are. Books that a shop has
 * locked are refused. Source: EPUB 3.3 (W3C) and OPF 2.0.1.
 */
import { openArchive } from "./archive";
import { damagedFile, emptyFile } from "./faults";
import { isLocked, readPackage } from "./epub-package";
import { readPage, type PageText } from "./html-text";
import { decodeMarkup } from "./markup-bytes";
import { DuctusError } from "../../core/errors";
import { countWords } from "../words";
import type { LeftOut } from "../documents";
import type { Reader } from "./types";

/** By `epub:type`, role, or EPUB 2's guide; what they are, as said to a person. */
const NOT_WRITING: readonly [what: string, types: readonly string[]][] = [
  ["the cover", ["cover", "cover-page", "doc-cover"]],
  ["the title page", ["titlepage", "title-page", "halftitlepage", "halftitle", "other.halftitle", "frontispiece"]],
  ["the copyright page", ["copyright-page", "colophon", "imprint", "imprimatur", "doc-colophon"]],
  ["the table of contents", ["toc", "doc-toc", "landmarks", "page-list", "loi", "lot"]],
  ["an index", ["index", "doc-index"]],
  ["the notes", ["notes", "footnotes", "endnotes", "rearnotes", "doc-endnotes"]],
  ["a list of books", ["bibliography", "doc-bibliography", "other-credits", "seriespage"]],
];
/** A longer page is writing, whatever it says of rights. */
const MAX_COPYRIGHT_WORDS = 600;
/** A book in one file begins with its cover or title page, and is not that. */
const MAX_PAGE_WORDS = 3000;
const MIN_LINKS = 5;
const MOSTLY_LINKS = 0.7;

/** @throws DuctusError `file/damaged`, `file/encrypted`, `file/empty`, `file/too-large`; the signal's reason */
export const readEpub: Reader = async (bytes, context) => {
  const { name } = context;
  const archive = openArchive(bytes, context);
  const { title, chapters } = await readPackage(archive, name);
  if (await isLocked(archive, name, chapters.map(({ path }) => path))) {
    throw new DuctusError("file/encrypted", `“${name}” is locked by the shop that it came from, so its text cannot be read.`, "If you wrote it, drop in the file that you made it from.");
  }
  const texts: string[] = [];
  const leftOut: LeftOut[] = [];
  let present = 0;
  for (const { path, types, linear } of chapters) {
    const leave = (reason: string) => leftOut.push({ name: `${title ?? name}: ${path.replace(/^.*\//, "")}`, reason });
    if (!archive.has(path)) {
      leave("It is missing from the book's file.");
      continue;
    }
    present++;
    if (!linear) {
      leave("It stands outside the book's reading order.");
      continue;
    }
    const page = readPage(decodeMarkup(await archive.read(path), name).text, "xhtml");
    const what = whatBy(new Set([...types, ...page.types]), page) ?? whatByText(page);
    if (what !== null) leave(`It is ${what}, not the writing itself.`);
    else if (page.text !== "") texts.push(page.text);
  }
  if (present === 0) throw damagedFile(name, "its chapters are missing");
  if (texts.length === 0 && leftOut.length === 0) throw emptyFile(name);
  return { extracts: texts.length === 0 ? [] : [{ name: title, text: texts.join("\n\n"), form: "paragraphs" }], leftOut };
};

function whatBy(types: ReadonlySet<string>, { text }: PageText): string | null {
  if (types.has("bodymatter") || types.has("chapter") || types.has("text") || countWords(text) > MAX_PAGE_WORDS) return null;
  return NOT_WRITING.find(([, names]) => names.some((type) => types.has(type)))?.[0] ?? null;
}

function whatByText({ text, links, linked }: PageText): string | null {
  if (links >= MIN_LINKS && linked >= MOSTLY_LINKS * text.length) return "the table of contents";
  const head = text.slice(0, 10 * MAX_COPYRIGHT_WORDS);
  const signs = [/©|\(c\)\s*\d{4}|\bcopyright\b/i, /\ball rights reserved\b/i, /\bISBN(?:-1[03])?\b/, /\b(?:published by|first published|cataloguing|cataloging)\b/i].filter((sign) => sign.test(head)).length;
  return signs >= 2 && countWords(text) <= MAX_COPYRIGHT_WORDS ? "the copyright page" : null;
}
