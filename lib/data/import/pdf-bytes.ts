/**
 * What pdf-guard.ts needs to see of a PDF's bytes: keywords, the dictionary
 * before a stream, and the two packings in letters (ISO 32000-1, 7.4.2 and
 * 7.4.3). No objects are built.
 */

/** How far before a stream's keyword its object may begin, in bytes. */
const MAX_DICTIONARY = 64 * 1024;

/** @returns where the word stands next, −1 where it does not */
export function findBytes(bytes: Uint8Array, word: string, from: number): number {
  const first = word.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let i = 1;
    while (i < word.length && bytes[at + i] === word.charCodeAt(i)) i++;
    if (i === word.length) return at;
  }
  return -1;
}

/** The text from the object's beginning to the keyword `stream`, with #xx in names resolved; null where it is not found. */
export function dictionaryBefore(bytes: Uint8Array, keyword: number): string | null {
  const first = Math.max(0, keyword - MAX_DICTIONARY);
  for (let at = keyword - 3; at >= first; at--) {
    if (bytes[at] === 0x6f && bytes[at + 1] === 0x62 && bytes[at + 2] === 0x6a && isSpace(bytes[at - 1])) {
      const text = new TextDecoder("latin1").decode(bytes.subarray(at + 3, keyword));
      return text.replace(/#([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    }
  }
  return null;
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** As much as can be read. */
export function ascii85(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 * bytes.length); // "z" alone stands for four
  let size = 0, value = 0, count = 0;
  for (const byte of bytes) {
    if (byte === 0x7e) break;
    if (byte === 0x7a && count === 0) {
      size += 4;
      continue;
    }
    if (byte < 0x21 || byte > 0x75) continue;
    value = value * 85 + byte - 0x21;
    if (++count < 5) continue;
    for (let i = 3; i >= 0; i--, value = Math.floor(value / 256)) out[size + i] = value;
    size += 4;
    value = count = 0;
  }
  if (count > 1) {
    for (let i = count; i < 5; i++) value = value * 85 + 84;
    for (let i = 3; i >= 0; i--, value = Math.floor(value / 256)) out[size + i] = value;
    size += count - 1;
  }
  return out.subarray(0, size);
}

/** As much as can be read. */
export function asciiHex(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let size = 0, high = -1;
  for (const byte of bytes) {
    if (byte === 0x3e) break;
    const digit = parseInt(String.fromCharCode(byte), 16);
    if (Number.isNaN(digit)) continue;
    if (high < 0) high = digit;
    else {
      out[size++] = 16 * high + digit;
      high = -1;
    }
  }
  if (high >= 0) out[size++] = 16 * high;
  return out.subarray(0, size);
}
