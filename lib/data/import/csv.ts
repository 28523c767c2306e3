/**
 * The writing in a table: the column that holds most prose (by its name where
 * that is a usual one), with titles from a column of titles; a piece a row, or
 * all in one where rows are as short as messages. A table of messages by several
 * people is set aside. Parsing is papaparse's, in parts cut at line ends outside
 * of quotation marks, so that a large or malformed table neither blocks nor
 * fills the memory.
 */
import { DuctusError } from "../../core/errors";
import type { LeftOut } from "../documents";
import { chatRefusal, decodeCharacters } from "../text";
import { countWords } from "../words";
import { createPause } from "./pause";
import type { Reader, Reading } from "./types";
import { COMPLETION_KEYS, MACHINE_TALK, plainKey, PROMPT_KEYS, proseWords, SENDER_KEYS, TEXT_KEYS, TITLE_KEYS, toExtracts, type Found } from "./values";

/** A part is parsed at once. */
const PART_CHARS = 256 * 1024;
/** A row with its line breaks; longer ones are no table's. */
const MAX_ROW_CHARS = 4 * 1024 * 1024;
const MAX_COLUMNS = 500;
/** All of them are held. */
const MAX_CELLS = 4_000_000;
/** Quotation marks that do not match, at most: so many cost the parser seconds. */
const MAX_FAULTS = 20_000;
/** Of a cell whose quotation mark is not closed. */
const MAX_CELL_LINES = 200;
const DELIMITERS = [",", "\t", ";", "|"];

/** @throws DuctusError `file/empty`, `file/damaged`, `file/chat` and those of decodeCharacters; the signal's reason */
export const readCsv: Reader = async (bytes, { name, signal }): Promise<Reading> => {
  const { text, encoding } = decodeCharacters(bytes, name);
  const rows = await parseRows(text, name, createPause(signal));
  const table = withHeader(rows);
  const talk = talkOf(table);
  if (talk) throw chatRefusal(name, "it is a table of messages, and some of them are other people's, or a machine's");
  const columns = columnsOfWriting(table);
  if (columns.length === 0) throw new DuctusError("file/empty", `“${name}” is a table, and no writing was found in it.`, "Copy the writing itself into a plain text file (.txt) and drop that in.");
  const titles = table.keys.findIndex((key, i) => TITLE_KEYS.includes(key) && !columns.includes(i));
  const found: Found[] = [];
  let empty = 0;
  for (const row of table.rows) {
    const cells = columns.map((column) => row[column]?.trim() ?? "").filter((cell) => cell !== "");
    if (cells.length === 0) empty++;
    else found.push({ name: (titles < 0 ? null : row[titles]) ?? null, text: cells.join("\n\n") });
  }
  const leftOut: LeftOut[] = empty === 0 ? [] : [{ name, reason: empty === 1 ? "A row of the table has no writing in it." : `${empty.toLocaleString("en")} rows of the table have no writing in them.` }];
  return { extracts: toExtracts(found, encoding), leftOut };
};

async function parseRows(text: string, name: string, pause: () => Promise<void>): Promise<string[][]> {
  const { default: papa } = await import("papaparse");
  const rows: string[][] = [];
  let delimiter = "", faults = 0, cells = 0;
  for (let from = 0; from < text.length; ) {
    await pause();
    const to = partEnd(text, from);
    if (to - from > MAX_ROW_CHARS) throw new DuctusError("file/damaged", `“${name}” looks like a table, but one of its rows is longer than those of tables are.`, "Copy the writing itself into a plain text file (.txt) and drop that in.");
    const part = text.slice(from, to);
    const { data, errors, meta } = papa.parse<string[]>(part, { delimiter, delimitersToGuess: DELIMITERS, skipEmptyLines: "greedy" });
    delimiter ||= meta.delimiter;
    faults += errors.length;
    // A mark that opens and never closes makes one cell of all that follows; at the end of a file that was cut off, of little.
    const swallowed = errors.some(({ code }) => code === "MissingQuotes") && (data.at(-1)?.some((cell) => cell.split("\n", MAX_CELL_LINES + 1).length > MAX_CELL_LINES) ?? false);
    if (faults > MAX_FAULTS || swallowed) throw new DuctusError("file/damaged", `“${name}” looks like a table, but its quotation marks do not match.`, "Save or export it again, and drop that in.");
    for (const row of data) {
      const kept = row.length > MAX_COLUMNS ? row.slice(0, MAX_COLUMNS) : row;
      cells += kept.length;
      rows.push(kept);
    }
    if (cells > MAX_CELLS) throw new DuctusError("file/too-large", `“${name}” is a table with too many cells in it.`, "Choose a part of it.");
    from = to;
  }
  return rows;
}

/** The first line end after a part's length that is outside of quotation marks; where they do not match, any. */
function partEnd(text: string, from: number): number {
  let inQuotes = false, lastLine = -1;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) inQuotes = !inQuotes;
    else if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) {
      lastLine = i + 1;
      if (!inQuotes && i - from >= PART_CHARS) return i + 1;
    }
    if (i - from >= MAX_ROW_CHARS && lastLine > from) return lastLine;
  }
  return text.length;
}

interface Table {
  /** By {@link plainKey}; empty where the table has no header. */
  keys: readonly string[];
  rows: readonly string[][];
}

const ALL_KEYS = new Set([...TEXT_KEYS, ...TITLE_KEYS, ...PROMPT_KEYS, ...COMPLETION_KEYS, ...SENDER_KEYS, "id", "date", "created", "createdat", "time", "timestamp", "url", "link", "tags", "category"]);
const MAX_HEADER_WORDS = 5;

/** A header is a first row of short names, at least one of them a usual one or none of them like what stands below. */
function withHeader(rows: readonly string[][]): Table {
  const [first = [], second = []] = rows;
  const isNames = first.every((cell) => cell.length <= 60 && countWords(cell) <= MAX_HEADER_WORDS && !/^[\d.,:/\s-]+$/.test(cell.trim() || "x") && !/[.!?]$/.test(cell.trim()));
  const keys = first.map(plainKey);
  const isHeader = rows.length > 1 && isNames && (keys.some((key) => ALL_KEYS.has(key)) || first.some((_, i) => proseWords(second[i] ?? "") > MAX_HEADER_WORDS));
  return isHeader ? { keys, rows: rows.slice(1) } : { keys: [], rows };
}

/** As many rows as its columns are told by. */
const LOOKED_AT_ROWS = 2_000;
const MAX_MESSAGE_WORDS = 40;

/** Whether rows are the messages of several people, or of one with a machine. */
function talkOf({ keys, rows }: Table): boolean {
  const sender = keys.findIndex((key) => SENDER_KEYS.includes(key));
  const text = keys.findIndex((key, i) => TEXT_KEYS.includes(key) && i !== sender);
  if (sender < 0 || text < 0) return false;
  const senders = new Map<string, number>();
  let words = 0, messages = 0;
  for (const row of rows.slice(0, LOOKED_AT_ROWS)) {
    const who = row[sender]?.trim().toLowerCase() ?? "";
    if (who === "") continue;
    senders.set(who, (senders.get(who) ?? 0) + 1);
    words += countWords(row[text] ?? "");
    messages++;
  }
  if (messages === 0) return false;
  if ([...senders.keys()].every((who) => MACHINE_TALK.has(who))) return true;
  return senders.size >= 2 && senders.size <= messages / 2 && words / messages <= MAX_MESSAGE_WORDS;
}

/** Of a column beside the best: enough to be writing too (a diary of mornings and evenings). */
const ALSO_WRITING = 0.5;
const MIN_CELL_WORDS = 20;
const MIN_TABLE_WORDS = 3;

/** In their order; none where no cell holds prose. */
function columnsOfWriting({ keys, rows }: Table): number[] {
  const completion = keys.findIndex((key) => COMPLETION_KEYS.includes(key));
  if (completion >= 0 && keys.some((key) => PROMPT_KEYS.includes(key))) return [completion];
  const some = rows.slice(0, LOOKED_AT_ROWS);
  const width = some.reduce((most, row) => Math.max(most, row.length), 0);
  const columns = Array.from({ length: width }, (_, i) => {
    // What comes again and again is a category.
    const cells = new Set(some.map((row) => row[i]?.trim() ?? "").filter((cell) => cell !== ""));
    let words = 0;
    for (const cell of cells) words += proseWords(cell);
    return { i, words, wordsPerCell: words / Math.max(1, cells.size) };
  });
  const best = columns.reduce<(typeof columns)[number] | null>((most, column) => (column.words > (most?.words ?? 0) ? column : most), null);
  if (best === null || best.words < MIN_TABLE_WORDS) return [];
  // A usual name counts where the column is not nearly empty beside the best.
  const named = TEXT_KEYS.map((key) => columns.find(({ i, words }) => keys[i] === key && words >= 0.2 * best.words)).find((column) => column !== undefined);
  if (named !== undefined) return [named.i];
  return columns.filter(({ i, words, wordsPerCell }) => i === best.i || (words >= ALSO_WRITING * best.words && wordsPerCell >= MIN_CELL_WORDS && !PROMPT_KEYS.includes(keys[i] ?? "") && !TITLE_KEYS.includes(keys[i] ?? ""))).map(({ i }) => i);
}
