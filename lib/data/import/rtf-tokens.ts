/**
 * The tokens of RTF (Rich Text Format Specification 1.9.1, "Conventions of an
 * RTF Reader"): braces, control words with their numbers, control symbols,
 * bytes given as \'xx, and runs of text. One pass over the bytes, nothing
 * copied; what the tokens mean is rtf.ts's.
 */

export type RtfToken = "open" | "close" | "word" | "symbol" | "hex" | "text" | "end";

const BACKSLASH = 0x5c, OPEN = 0x7b, CLOSE = 0x7d;
/** Longer control words than the specification allows are cut there. */
const MAX_WORD = 32;
const MAX_DIGITS = 10;

const isLetter = (byte: number): boolean => (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function hexValue(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

export class RtfScanner {
  /** Of a "word": its name; of a "symbol": its character. */
  name = "";
  /** Of a "word": its number, null without one; of a "hex": the byte. */
  value: number | null = null;
  /** Of "text": its bytes, end exclusive. */
  from = 0;
  to = 0;
  /** Where the next token begins. */
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  next(): RtfToken {
    const { bytes } = this;
    while (this.at < bytes.length) {
      const byte = bytes[this.at] as number;
      if (byte === OPEN || byte === CLOSE) {
        this.at++;
        return byte === OPEN ? "open" : "close";
      }
      if (byte === BACKSLASH) return this.control();
      if (byte === 0x0d || byte === 0x0a || byte === 0) {
        this.at++; // line ends of the file mean nothing
        continue;
      }
      this.from = this.at;
      do this.at++;
      while (this.at < bytes.length && isText(bytes[this.at] as number));
      this.to = this.at;
      return "text";
    }
    return "end";
  }

  /** Leaves out the bytes of \bin, or those that remain. */
  skip(count: number): void {
    this.at = Math.min(this.bytes.length, this.at + Math.max(0, count));
  }

  private control(): RtfToken {
    const { bytes } = this;
    const start = ++this.at;
    if (start >= bytes.length) return "end";
    const first = bytes[start] as number;
    if (first === 0x27) return this.hex();
    if (!isLetter(first)) {
      this.at++;
      this.name = String.fromCharCode(first);
      return "symbol";
    }
    let end = start;
    while (end < bytes.length && end - start < MAX_WORD && isLetter(bytes[end] as number)) end++;
    this.name = String.fromCharCode(...bytes.subarray(start, end));
    this.at = end;
    this.value = this.number();
    if (bytes[this.at] === 0x20) this.at++; // the space that ends a control word is part of it
    return "word";
  }

  private number(): number | null {
    const { bytes } = this;
    let at = this.at;
    const negative = bytes[at] === 0x2d;
    if (negative) at++;
    const start = at;
    let value = 0;
    while (at < bytes.length && at - start < MAX_DIGITS && isDigit(bytes[at] as number)) value = 10 * value + (bytes[at++] as number) - 0x30;
    if (at === start) return null;
    this.at = at;
    return negative ? -value : value;
  }

  private hex(): RtfToken {
    const high = hexValue(this.bytes[this.at + 1] ?? 0), low = hexValue(this.bytes[this.at + 2] ?? 0);
    if (high < 0 || low < 0) {
      this.at++; // no byte: what follows is text
      this.name = "'";
      return "symbol";
    }
    this.at += 3;
    this.value = 16 * high + low;
    return "hex";
  }
}

function isText(byte: number): boolean {
  return byte !== OPEN && byte !== CLOSE && byte !== BACKSLASH && byte !== 0x0d && byte !== 0x0a && byte !== 0;
}
