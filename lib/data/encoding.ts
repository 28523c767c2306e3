/**
 * From bytes to characters: byte order marks, strict UTF-8, UTF-16 without a
 * mark (recognised by its spaces and line ends), then windows-1252 as the WHATWG
 * Encoding Standard defines it. Anything that would be read as the wrong letters
 * is refused in words: a model must not learn somebody's mojibake. Cleaning is
 * in text.ts, recognising other file formats in formats.ts.
 */
import { DuctusError } from "../core/errors";
import { READS } from "./formats";

export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

export interface Decoded {
  /** As in the file: line ends and control characters untouched, without a byte order mark. */
  text: string;
  encoding: TextEncoding;
}

const SAVE_AS_UTF8 = "Open it in a text editor, save it as plain text with the encoding UTF-8, and drop it in again.";

/** @throws DuctusError `file/damaged`, `file/encoding`, `file/binary` */
export function decodeBytes(bytes: Uint8Array, fileName: string): Decoded {
  const [b0, b1, b2, b3] = bytes;
  if ((b0 === 0xff && b1 === 0xfe && b2 === 0 && b3 === 0) || (b0 === 0 && b1 === 0 && b2 === 0xfe && b3 === 0xff)) {
    throw new DuctusError("file/encoding", `“${fileName}” is written in UTF-32, which this version does not read.`, SAVE_AS_UTF8);
  }
  if (b0 === 0xff && b1 === 0xfe) return marked(bytes.subarray(2), "utf-16le", fileName);
  if (b0 === 0xfe && b1 === 0xff) return marked(bytes.subarray(2), "utf-16be", fileName);
  if (b0 === 0xef && b1 === 0xbb && b2 === 0xbf) return marked(bytes.subarray(3), "utf-8", fileName);
  if (bytes.includes(0)) return unmarkedUtf16(bytes, fileName);

  const whole = strict(withoutHalfCharacter(bytes), "utf-8");
  if (whole !== null) return { text: whole, encoding: "utf-8" };
  if (isDamagedUtf8(bytes)) throw damaged(fileName, "UTF-8");
  const text = decodeWindows1252(bytes);
  if (looksMisread(text)) {
    throw new DuctusError("file/encoding", `The letters of “${fileName}” are stored in an encoding this version does not know (not UTF-8, UTF-16 or Western European).`, SAVE_AS_UTF8);
  }
  return { text, encoding: "windows-1252" };
}

function marked(bytes: Uint8Array, encoding: "utf-8" | "utf-16le" | "utf-16be", fileName: string): Decoded {
  const text = strict(encoding === "utf-8" ? withoutHalfCharacter(bytes) : even(bytes), encoding);
  if (text === null) throw damaged(fileName, encoding.toUpperCase());
  if (text.includes("\0")) throw binary(fileName);
  return { text, encoding };
}

function damaged(fileName: string, encoding: string): DuctusError {
  return new DuctusError("file/damaged", `Parts of “${fileName}” are damaged: it is ${encoding} text, but some of its bytes are not letters.`, SAVE_AS_UTF8);
}

function binary(fileName: string): DuctusError {
  return new DuctusError("file/binary", `“${fileName}” is not a text file: it holds bytes that are not letters. ${READS}`, "Save your writing as plain text (.txt) and drop that in.");
}

function strict(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** 0x80–0x9f in windows-1252 (WHATWG index); U+0000 where it has no letter. */
const WINDOWS_1252 = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

/** Some runtimes decode windows-1252 as Latin-1 and leave 0x80–0x9f as they are. */
function decodeWindows1252(bytes: Uint8Array): string {
  return new TextDecoder("windows-1252").decode(bytes).replace(/[\u0080-\u009f]/g, (c) => {
    const letter = WINDOWS_1252[c.charCodeAt(0) - 0x80] as string;
    return letter === "\0" ? c : letter;
  });
}

/** A file cut off in the middle of its last character is still the right text before it. */
function withoutHalfCharacter(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return bytes;
    if (byte >= 0xc0) {
      const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return wanted > back && bytes.length > back ? bytes.subarray(0, bytes.length - back) : bytes;
    }
  }
  return bytes;
}

function even(bytes: Uint8Array): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : bytes.subarray(0, bytes.length - 1);
}

/** UTF-16 without a mark always has zero bytes (spaces, line ends); so have binary files, which then fail as text. */
function unmarkedUtf16(bytes: Uint8Array, fileName: string): Decoded {
  let best: Decoded | null = null;
  let bestSpaces = 0;
  for (const encoding of ["utf-16le", "utf-16be"] as const) {
    const text = strict(even(bytes), encoding);
    if (text === null || text.includes("\0")) continue;
    let spaces = 0, letters = 0, faults = 0;
    const sample = sampleOf(text);
    for (const c of sample) {
      if (c === " " || c === "\n") spaces++;
      else if (/[\p{L}\p{M}\p{N}]/u.test(c)) letters++;
      else if (/[\p{Cn}\p{Co}]/u.test(c) || (c < " " && !/[\t\r\f\v]/.test(c))) faults++;
    }
    if (spaces > bestSpaces && letters > sample.length * 0.5 && faults <= sample.length * 0.001) {
      best = { text, encoding };
      bestSpaces = spaces;
    }
  }
  if (best === null || best.text.length < 8) throw binary(fileName);
  return best;
}

/** Its beginning, middle and end; all of it where it is short. */
function sampleOf(text: string): string {
  const part = 50_000, middle = text.length >> 1;
  return text.length <= 3 * part ? text : text.slice(0, part) + text.slice(middle, middle + part) + text.slice(-part);
}

/** Mostly right multi-byte sequences with a few wrong bytes among them: reading it as windows-1252 would garble the rest. */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  let right = 0, wrong = 0;
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] as number;
    if (lead < 0x80) {
      i++;
      continue;
    }
    const length = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
    let ok = length > 0 && i + length <= bytes.length;
    for (let k = 1; ok && k < length; k++) ok = ((bytes[i + k] as number) & 0xc0) === 0x80;
    if (ok) right++;
    else wrong++;
    i += ok ? length : 1;
  }
  return right >= 3 && right > wrong;
}

/**
 * Whether windows-1252 gave the wrong letters: bytes it leaves undefined, far
 * more accented letters than any Western language has, signs inside words
 * (Central European encodings), or capitals after small letters (Mac Roman).
 */
function looksMisread(text: string): boolean {
  let ascii = 0, high = 0, highLetters = 0, odd = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) {
      if ((code | 32) >= 97 && (code | 32) <= 122) ascii++;
      continue;
    }
    high++;
    if (code <= 0x9f) return true;
    const c = text[i] as string;
    const letter = /\p{L}/u.test(c);
    if (letter) highLetters++;
    const afterSmall = i > 0 && /\p{Ll}/u.test(text[i - 1] as string);
    if (afterSmall && letter && c !== c.toLowerCase() && !/\p{Lu}/u.test(text[i + 1] ?? "")) odd++;
    else if (afterSmall && /[\p{S}\p{No}¿¡]/u.test(c) && /\p{L}/u.test(text[i + 1] ?? "")) odd++;
  }
  return highLetters > 0.25 * (ascii + highLetters) || (odd > 1 && odd > 0.1 * high);
}
