/**
 * The readers by format. Each is loaded when the first file of its format is
 * read, so that a page that reads none loads none. Plain text has its reader
 * here: all the work on it is cleaning, which import.ts does for every format.
 */
import { decodeCharacters } from "../text";
import type { FormatName, Reader } from "./types";

const readText: Reader = (bytes, { name }) => {
  const { text, encoding } = decodeCharacters(bytes, name);
  return Promise.resolve({ extracts: [{ name: null, text, form: "plain", encoding }], leftOut: [] });
};

/** Formats that a reader reads; archives are walked by import.ts. */
export type ReadableFormat = Exclude<FormatName, "zip">;

const READERS: Record<ReadableFormat, () => Promise<Reader>> = {
  text: () => Promise.resolve(readText),
  markdown: async () => (await import("./markdown")).readMarkdown,
  html: async () => (await import("./html")).readHtml,
  docx: async () => (await import("./docx")).readDocx,
  odt: async () => (await import("./odt")).readOdt,
  rtf: async () => (await import("./rtf")).readRtf,
  pdf: async () => (await import("./pdf")).readPdf,
  epub: async () => (await import("./epub")).readEpub,
  email: async () => (await import("./email")).readEmail,
  mbox: async () => (await import("./email")).readMbox,
  csv: async () => (await import("./csv")).readCsv,
  json: async () => (await import("./json")).readJson,
  jsonl: async () => (await import("./json")).readJson,
};

export const readerOf = (format: ReadableFormat): Promise<Reader> => READERS[format]();
