/**
 * A folder of authors (DIR/author/book.txt) divided for measuring: what each
 * author's adapter is trained on, and what is kept from it. The last book by
 * file name is the test book; an author with one book is split as the site
 * splits a document, into contiguous blocks, and tested on the last. Of what is
 * kept, the classifier has one stretch, prompts and human passages come from
 * another after it: names of the one's scenes do not give the other away.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFile } from "../../../lib/data/documents";
import { partsOf, splitDocuments, type PartName, type SplitDocument } from "../../../lib/data/split";

export interface Author {
  name: string;
  /** What is given to the site's own trainer, which keeps parts of it aside for itself. */
  documents: SplitDocument[];
  /** The book, or the block of a book, that figures are taken on; none of it was learned from. */
  testText: string;
  testName: string;
  /** What the classifier learns this author from; its adapter has learned none of it. */
  classifierText: string;
  /** Prompts and human passages are from here. */
  promptText: string;
}

/** Of the division of an author's writing. */
export const SPLIT_SEED = 1;

/** By name. @param wanted names; absent: all. @throws RangeError where there is no author, or one that is wanted is not there */
export function readAuthors(folder: string, wanted?: readonly string[]): Author[] {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  const missing = wanted?.filter((name) => !names.includes(name)) ?? [];
  if (missing.length > 0) throw new RangeError(`There is no author ${missing.join(", ")} in ${folder}.`);
  const authors = names.flatMap((name) => readAuthor(folder, name) ?? []);
  if (authors.length < 2) throw new RangeError(`There are no two authors in ${folder}.`);
  return authors;
}

/** Null where the folder has no book. */
function readAuthor(folder: string, name: string): Author | null {
  const books = readdirSync(join(folder, name)).filter((file) => /\.txt$/i.test(file)).sort();
  const last = books.at(-1);
  if (last === undefined) return null;
  // As the site reads files; a book that is tested on stays one text.
  const read = (book: string) => readFile(book, new Uint8Array(readFileSync(join(folder, name, book)))).documents;
  const testBook = read(last).map(({ text }) => text).join("\n\n");
  const block = blocksOf(testBook, name);
  if (books.length === 1) {
    return { name, documents: [{ id: last, text: testBook }], testText: block("test"), testName: `${last}, last tenth`, classifierText: block("validation"), promptText: block("test") };
  }
  const documents = books.slice(0, -1).flatMap((book) => read(book).map(({ text }, i): SplitDocument => ({ id: `${book}/${i}`, text })));
  return { name, documents, testText: testBook, testName: last, classifierText: block("train"), promptText: `${block("validation")}\n\n${block("test")}` };
}

function blocksOf(book: string, name: string): (part: PartName) => string {
  const split = splitDocuments([{ id: name, text: book }], SPLIT_SEED);
  if (split.rule.blocks.length === 0) throw new RangeError(`The last book of ${name} is too short to be divided.`);
  return (part) => partsOf(split, part).map(({ text }) => text.trim()).join("\n\n");
}
