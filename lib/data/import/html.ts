/**
 * Saved web pages and blog posts: one page is one piece of writing. What counts
 * as its text is html-text.ts's to say. Nothing that the page names is loaded.
 */
import { emptyFile } from "./faults";
import { readPage } from "./html-text";
import { decodeMarkup } from "./markup-bytes";
import { createPause } from "./pause";
import type { Reader } from "./types";

/** @throws DuctusError `file/damaged`, `file/encoding`, `file/binary`, `file/empty`; the signal's reason */
export const readHtml: Reader = async (bytes, { name, signal }) => {
  await createPause(signal)();
  const { text: html, encoding } = decodeMarkup(bytes, name);
  const { title, text } = readPage(html);
  if (text === "") throw emptyFile(name);
  return { extracts: [{ name: title, text, form: "paragraphs", encoding }], leftOut: [] };
};
