/**
 * How much the packed streams of a PDF would unpack to, measured before pdf.js
 * sees the file: it unpacks whatever a page names, without a limit. Streams are
 * found by their keyword, whether or not anything refers to them. Deflate
 * (by fflate) and ASCII 85 and hex are measured; for other packings, several in
 * a row, and encrypted files the most that they could become counts. Terms of
 * ISO 32000-1, 7.3.8, 7.4 and 7.5.7. It gives nothing back and knows no pages.
 */
import { Inflate } from "fflate";
import { DuctusError } from "../../core/errors";
import { damagedFile } from "./faults";
import { ascii85, asciiHex, dictionaryBefore, findBytes } from "./pdf-bytes";
import { createPause } from "./pause";
import type { ReaderContext } from "./types";

const MB = 1024 * 1024;
/** Of one stream, images among them: A4 at 600 dpi in colour has 105 MB. */
const MAX_STREAM_BYTES = 256 * MB;
/** The most that the streams of an encrypted file could become, which cannot be measured. */
const MAX_ENCRYPTED_BYTES = 1024 * MB;
const DEFLATE_GROWTH = 1032; // 258 bytes from 2 bits
/** The most that these make of a byte; LZW 4,096 bytes from 12 bits, run lengths 128 from 2 bytes. */
const GROWTH: Readonly<Record<string, number>> = { FlateDecode: DEFLATE_GROWTH, Fl: DEFLATE_GROWTH, BrotliDecode: 1e6, LZWDecode: 2731, LZW: 2731, RunLengthDecode: 64, RL: 64 };
const PIECE_BYTES = 16 * 1024;
/** Graphics states in one another; PDF/A allows 28. pdf.js takes a time that grows with their square, and 10 seconds for 10,000. */
const MAX_STATES = 256;
/** Pieces that give nothing, after which a stream has ended. */
const SILENT_PIECES = 4;

/**
 * Takes from the budget what the streams other than images would unpack to.
 * @throws DuctusError `file/too-large`, `file/damaged`, `file/encrypted` (too large to be vouched for); the signal's reason
 */
export async function measureStreams(bytes: Uint8Array, encrypted: boolean, { name, budget, signal }: ReaderContext): Promise<void> {
  const pause = createPause(signal);
  let possible = 0;
  for (let at = findBytes(bytes, "stream", 0); at >= 0; at = findBytes(bytes, "stream", at + 6)) {
    await pause();
    if (bytes[at - 1] === 0x64) continue; // endstream
    const from = dataAfter(bytes, at + 6);
    const dictionary = dictionaryBefore(bytes, at);
    const isImage = dictionary !== null && /\/Subtype\s*\/Image\b/.test(dictionary);
    if (encrypted) {
      possible += (endAfter(bytes, from) - from) * growthOf(dictionary);
      if (possible > MAX_ENCRYPTED_BYTES) throw new DuctusError("file/encrypted", `“${name}” is protected, for example against copying.`, "Open it, print it to a new PDF or save it without protection, and drop that in.");
      continue;
    }
    const size = await measure(bytes, from, dictionary, name, pause);
    if (size > MAX_STREAM_BYTES) throw new DuctusError("file/too-large", `What is packed in “${name}” is far larger than what it is packed into.`, "If it is your own, print it to a new PDF or save it as a Word document, and drop that in.");
    if (!isImage) budget.takeBytes(size);
  }
}

/** pdf.js takes a stream's data to begin after the next line end, whatever stands before it. */
function dataAfter(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at++;
  return bytes[at] === 0x0d && bytes[at + 1] === 0x0a ? at + 2 : at + 1;
}

function endAfter(bytes: Uint8Array, from: number): number {
  const end = findBytes(bytes, "endstream", from);
  return end < 0 ? bytes.length : Math.max(from, end);
}

/** The most that a byte of a stream could become; null is a dictionary that could not be made out. */
function growthOf(dictionary: string | null): number {
  if (dictionary === null || /%|\/(?:Filter|F)\s*\d/.test(dictionary)) return GROWTH["LZWDecode"] as number;
  return [...dictionary.matchAll(/\/([A-Za-z0-9]+)/g)].reduce((growth, [, name]) => growth * (GROWTH[name as string] ?? 1), 1);
}

/** @returns how many bytes a stream unpacks to, or the most that it could */
async function measure(file: Uint8Array, from: number, dictionary: string | null, name: string, pause: () => Promise<void>): Promise<number> {
  const to = endAfter(file, from);
  const growth = growthOf(dictionary);
  let data = file, start = from, end = to;
  const inText = /\/(ASCII85Decode|A85|ASCIIHexDecode|AHx)\b/.exec(dictionary ?? "")?.[1];
  if (inText !== undefined) {
    data = inText.includes("85") ? ascii85(file.subarray(from, to)) : asciiHex(file.subarray(from, to));
    start = 0;
    end = data.length;
  }
  const holdsObjects = dictionary !== null && /\/ObjStm\b/.test(dictionary);
  const isDeflate = ((data[start] ?? 0) & 0x0f) === 8 && (((data[start] ?? 0) << 8) + (data[start + 1] ?? 0)) % 31 === 0;
  if (isDeflate && growth <= DEFLATE_GROWTH) return inflatedSize(data, start + 2, end, holdsObjects, name, pause);
  if (growth === 1) requireFewStates(data.subarray(start, end), stateCounter(), name);
  if (holdsObjects && growth > 1) throw damagedFile(name, "its list of objects is packed in an unknown way");
  return (end - start) * growth;
}

async function inflatedSize(data: Uint8Array, from: number, to: number, holdsObjects: boolean, name: string, pause: () => Promise<void>): Promise<number> {
  let size = 0, silent = 0, tail = "";
  const states = stateCounter();
  const inflater = new Inflate((piece) => {
    size += piece.length;
    requireFewStates(piece, states, name);
    silent = piece.length > 0 ? 0 : silent + 1;
    if (!holdsObjects) return;
    // pdf.js would read a stream among objects too, where it could not be measured
    const text = tail + new TextDecoder("latin1").decode(piece);
    if (/>>\s*stream[\r\n]/.test(text)) throw damagedFile(name, "its list of objects holds what it may not hold");
    tail = text.slice(-32);
  });
  // beyond the end too, which data can feign
  for (let at = from; at < data.length && (at < to || silent < SILENT_PIECES) && size <= MAX_STREAM_BYTES; at += PIECE_BYTES) {
    await pause();
    try {
      inflater.push(data.subarray(at, at + PIECE_BYTES));
    } catch (error) {
      if (error instanceof DuctusError) throw error;
      // broken from here on; another reader may get something out of the rest
      const rest = Math.max(0, to - at);
      return rest * DEFLATE_GROWTH > MAX_STREAM_BYTES ? Promise.reject(damagedFile(name, "a part of it is broken", { cause: error })) : size;
    }
  }
  return size;
}

type StateCounter = (piece: Uint8Array) => number;

function requireFewStates(piece: Uint8Array, count: StateCounter, name: string): void {
  if (count(piece) > MAX_STATES) throw damagedFile(name, "its pages are nested deeper than any program nests them");
}

/** How many graphics states are open at most in a content stream's pieces so far: "q" less "Q", where they stand alone. */
function stateCounter(): StateCounter {
  let depth = 0, most = 0;
  let before = 0x20, last = 0x20; // the two bytes before
  const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0;
  return (piece) => {
    for (const byte of piece) {
      if ((last === 0x71 || last === 0x51) && isSpace(byte) && isSpace(before)) {
        depth = Math.max(0, depth + (last === 0x71 ? 1 : -1));
        if (depth > most) most = depth;
      }
      before = last;
      last = byte;
    }
    return most;
  };
}
